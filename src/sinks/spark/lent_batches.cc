#include "sinks/spark/lent_batches.h"

#include <algorithm>
#include <utility>

namespace standpipe {

namespace {
constexpr std::size_t kMostRemembered = 10'000;
}  // namespace

void LentBatches::lend(Lent lent) {
  lent.number = next_;
  lent_.emplace(next_++, std::move(lent));
}

std::optional<LentBatches::Lent> LentBatches::settle(std::uint64_t number) {
  auto found = lent_.extract(number);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

std::optional<LentBatches::Lent> LentBatches::give_up(std::uint64_t number) {
  std::optional<Lent> lent = settle(number);
  if (!lent) return lent;
  back_.push_back({number, lent->events});
  if (back_.size() > kMostRemembered) back_.pop_front();
  return lent;
}

std::vector<LentBatches::Lent> LentBatches::expire(Clock::Steady now) {
  std::vector<Lent> expired;
  while (!lent_.empty() && next_deadline() <= now) expired.push_back(*give_up(lent_.begin()->first));
  return expired;
}

std::optional<std::size_t> LentBatches::went_back(std::uint64_t number) const {
  const auto found =
      std::find_if(back_.rbegin(), back_.rend(), [&](const Back& back) { return back.number == number; });
  if (found == back_.rend()) return std::nullopt;
  return found->events;
}

}  // namespace standpipe

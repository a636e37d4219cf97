#include "core/outlet.h"

#include <algorithm>

#include <fmt/format.h>

namespace standpipe {

ChannelOutlet::ChannelOutlet(NamedChannel channel, Environment& environment)
    : channel_(std::move(channel)),
      environment_(environment),
      duplicates_(environment.counters.counter(counter_names::kDuplicate)),
      read_fail_(environment.counters.counter(counter_names::kChannelReadFail)) {}

Result<Lease> ChannelOutlet::take(std::size_t max_events) {
  forget_settled();
  count_refused();
  if (paused_) return Lease();
  const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(1, channel_.channel->transaction_capacity()));
  if (max_events > limit && !warned_) {
    warned_ = true;
    environment_.log.warn(fmt::format("takes {} events at a time, not {}: that is channel {}'s transactionCapacity",
                                      limit, max_events, channel_.name));
  }
  auto lease = channel_.channel->take(std::min(max_events, limit));
  if (!lease.ok()) {
    read_fail_.add();
    return lease.status().with_context("channel " + channel_.name);
  }
  if (!lease->empty()) open_.push_back(lease->fence());
  return lease;
}

std::size_t ChannelOutlet::revoke_all() {
  std::size_t returned = 0;
  for (Lease::Fence& fence : open_) {
    const std::size_t events = fence.revoke();
    if (events > 0) revoked_.push_back({fence, 0});
    returned += events;
  }
  open_.clear();
  return returned;
}

bool ChannelOutlet::has_open_leases() {
  forget_settled();
  return !open_.empty();
}

/// Leases are settled in the order in which they were taken, but for a few: not all of them are looked at each time.
void ChannelOutlet::forget_settled() {
  while (!open_.empty() && open_.front().settled()) open_.pop_front();
  if (open_.size() < look_at_all_) return;
  std::erase_if(open_, [](const Lease::Fence& fence) { return fence.settled(); });
  look_at_all_ = std::max(kLookAtAll, 2 * open_.size());
}

/// A sink may acknowledge long after; a fence is forgotten when all of it was.
void ChannelOutlet::count_refused() {
  constexpr std::size_t kMaxRemembered = 1000;
  for (Revoked& revoked : revoked_) {
    const std::size_t refused = revoked.fence.refused();
    duplicates_.add(static_cast<std::int64_t>(refused - revoked.counted));
    revoked.counted = refused;
  }
  if (revoked_.size() > kMaxRemembered) revoked_.erase(revoked_.begin(), revoked_.end() - kMaxRemembered);
}

}  // namespace standpipe

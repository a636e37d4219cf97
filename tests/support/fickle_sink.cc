#include "support/fickle_sink.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "support/engine_parts.h"

namespace standpipe::testing {

namespace {

constexpr std::size_t kWindow = 3;
constexpr std::size_t kBatch = 5;

std::vector<std::size_t> events_of(const Lease& lease) {
  std::vector<std::size_t> events;
  for (const std::string& body : bodies(lease)) events.push_back(std::stoul(body));
  return events;
}

}  // namespace

// -- EventLedger ------------------------------------------------------------------------------------------------------

void EventLedger::put(std::size_t count) {
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < count; ++i) waiting_.insert(put_++);
  ++changes_;
}

void EventLedger::taken(const std::string& sink, const std::vector<std::size_t>& events) {
  std::lock_guard lock(mutex_);
  ++changes_;
  auto oldest = waiting_.begin();
  for (const std::size_t event : events) {
    if (oldest == waiting_.end() || *oldest != event) {
      return complain_locked(fmt::format("{} was given {}, and not the oldest events that wait", sink, events));
    }
    ++oldest;
  }
  waiting_.erase(waiting_.begin(), oldest);
}

void EventLedger::returned(const std::vector<std::size_t>& events) {
  std::lock_guard lock(mutex_);
  ++changes_;
  waiting_.insert(events.begin(), events.end());
}

void EventLedger::written(const std::string& sink, const std::vector<std::size_t>& events) {
  std::lock_guard lock(mutex_);
  ++changes_;
  for (const std::size_t event : events) {
    if (committed_.contains(event)) complain_locked(fmt::format("{} has {} again, which was delivered", sink, event));
    arrivals_.push_back({event, sink});
  }
}

void EventLedger::committed(const std::vector<std::size_t>& events) {
  std::lock_guard lock(mutex_);
  ++changes_;
  committed_.insert(events.begin(), events.end());
}

void EventLedger::complain(std::string what) {
  std::lock_guard lock(mutex_);
  complain_locked(std::move(what));
}

void EventLedger::complain_locked(std::string what) {
  constexpr std::size_t kMost = 5;
  if (complaints_.size() < kMost) complaints_.push_back(std::move(what));
}

std::size_t EventLedger::put_so_far() const {
  std::lock_guard lock(mutex_);
  return put_;
}

bool EventLedger::all_committed() const {
  std::lock_guard lock(mutex_);
  return committed_.size() == put_;
}

std::vector<std::size_t> EventLedger::arrivals() const {
  std::lock_guard lock(mutex_);
  std::vector<std::size_t> result;
  for (const Arrival& arrival : arrivals_) result.push_back(arrival.event);
  return result;
}

std::size_t EventLedger::arrivals_at(const std::string& sink) const {
  std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(arrivals_.begin(), arrivals_.end(), [&](const Arrival& arrival) { return arrival.sink == sink; }));
}

std::size_t EventLedger::duplicates() const {
  std::lock_guard lock(mutex_);
  std::map<std::size_t, std::size_t> times;
  for (const Arrival& arrival : arrivals_) ++times[arrival.event];
  return static_cast<std::size_t>(
      std::count_if(times.begin(), times.end(), [](const auto& event) { return event.second > 1; }));
}

std::size_t EventLedger::changes() const {
  std::lock_guard lock(mutex_);
  return changes_;
}

std::vector<std::string> EventLedger::complaints() const {
  std::lock_guard lock(mutex_);
  return complaints_;
}

// -- FickleSink -------------------------------------------------------------------------------------------------------

FickleSink::FickleSink(std::string name, World world, std::unique_ptr<PauseRule> rule, std::uint64_t seed)
    : name_(std::move(name)), world_(std::move(world)), rule_(std::move(rule)), random_(seed) {}

void FickleSink::set_mood(const Mood& mood) {
  std::lock_guard lock(mutex_);
  mood_ = mood;
}

Mood FickleSink::mood() const {
  std::lock_guard lock(mutex_);
  return mood_;
}

std::optional<Clock::Steady> FickleSink::next_answer() const {
  std::optional<Clock::Steady> next;
  for (const Flight& flight : flights_) {
    if (flight.fate != Fate::says_nothing) next = std::min(next.value_or(flight.due), flight.due);
  }
  return next;
}

Result<Turn> FickleSink::process(Outlet& outlet, std::stop_token) {
  ++turns_;
  if (world_.clock.steady_now() < left_alone_until_) world_.ledger.complain(name_ + " is called during its pause");
  try_what_was_taken_away();
  Result<Turn> turn = work(outlet);
  if (turn.ok() && turn->worked && rule_ != nullptr) rule_->delivered();
  return turn;
}

Result<Turn> FickleSink::work(Outlet& outlet) {
  if (mood().is_gone) return fail("there is nobody");
  bool settled = false;
  TRY(settle(settled));
  bool done = settled;
  TRY(take(outlet, done));
  Turn turn{.worked = done};
  if (flights_.empty()) return turn;
  for (const Flight& flight : flights_) {  // answers wake it; it wakes itself to give up
    const Clock::Steady end = flight.fate == Fate::says_nothing ? flight.due : flight.due + kGivesUpAfter;
    turn.wake_by = std::min(turn.wake_by.value_or(end), end);
  }
  turn.undecided = !done && !answered_;
  return turn;
}

/// What was answered by now, and what never will be.
Status FickleSink::settle(bool& settled) {
  for (std::size_t i = 0; i < flights_.size();) {
    Flight& flight = flights_[i];
    if (world_.clock.steady_now() < flight.due) {
      ++i;
      continue;
    }
    if (flight.fate != Fate::answers_late) return fail("no, or no answer");
    world_.ledger.written(name_, flight.events);
    commit(flight);
    flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(i));
    settled = answered_ = true;
  }
  return {};
}

Status FickleSink::take(Outlet& outlet, bool& done) {
  while (flights_.size() < kWindow) {
    TRY_ASSIGN(Lease lease, outlet.take(1 + random_() % kBatch));
    if (lease.empty()) return {};
    std::vector<std::size_t> events = events_of(lease);
    world_.ledger.taken(name_, events);
    const std::size_t open = flights_.size();
    TRY(carry_out(outlet, std::move(lease), std::move(events), done));
    if (flights_.size() == open) return {};  // written: a turn of a sink that waits for its destination is one batch
  }
  return {};
}

Status FickleSink::carry_out(Outlet& outlet, Lease lease, std::vector<std::size_t> events, bool& done) {
  const Fate fate = draw();
  Flight flight{std::move(lease), std::move(events), fate, world_.clock.steady_now()};
  switch (fate) {
    case Fate::takes_all:
      world_.ledger.written(name_, flight.events);
      commit(flight);
      done = true;
      return {};
    case Fate::refuses: break;
    case Fate::takes_part: {
      const std::size_t part = random_() % flight.events.size();
      const auto middle = flight.events.begin() + static_cast<std::ptrdiff_t>(part);
      const std::vector<std::size_t> front(flight.events.begin(), middle);
      world_.ledger.written(name_, front);
      world_.ledger.committed(front);
      if (!flight.lease.commit(0, part).ok()) world_.ledger.complain(name_ + " can't commit a part");
      flight.events.erase(flight.events.begin(), middle);
      break;
    }
    case Fate::breaks: world_.ledger.written(name_, flight.events); break;
    case Fate::breaks_late: world_.ledger.written(name_, flight.events); [[fallthrough]];
    case Fate::answers_late:
    case Fate::refuses_late:
      flight.due += std::chrono::milliseconds(1 + static_cast<int>(random_() % kLatestAnswer.count()));
      world_.wake(outlet, flight.due);
      flights_.push_back(std::move(flight));
      return {};
    case Fate::says_nothing:
      if (random_() % 2 == 0) world_.ledger.written(name_, flight.events);
      flight.due += kGivesUpAfter;
      flights_.push_back(std::move(flight));
      return {};
  }
  flights_.push_back(std::move(flight));
  return fail("no");
}

void FickleSink::commit(Flight& flight) {
  world_.ledger.committed(flight.events);
  if (!flight.lease.commit().ok()) world_.ledger.complain(name_ + " can't commit what it holds");
}

Status FickleSink::fail(const std::string& why) {
  ++failures_;
  answered_ = false;
  for (Flight& flight : flights_) {
    world_.ledger.returned(flight.events);
    if (!mood().lets_go) taken_away_.push_back(std::move(flight.lease));
  }
  flights_.clear();
  if (rule_ != nullptr) left_alone_until_ = world_.clock.steady_now() + rule_->failed(world_.clock.steady_now());
  return {Code::unavailable, name_ + ": " + why};
}

/// Its destination says after all that it has them.
void FickleSink::try_what_was_taken_away() {
  for (Lease& lease : taken_away_) {
    if (lease.commit().code() != Code::fenced) world_.ledger.complain(name_ + " kept its leases when it failed");
  }
  taken_away_.clear();
}

void FickleSink::stop() {
  for (const Flight& flight : flights_) world_.ledger.returned(flight.events);
  flights_.clear();
  taken_away_.clear();
}

FickleSink::Fate FickleSink::draw() {
  const Mood now = mood();
  std::discrete_distribution<int> fates{static_cast<double>(now.takes_all),    static_cast<double>(now.refuses),
                                        static_cast<double>(now.takes_part),   static_cast<double>(now.breaks),
                                        static_cast<double>(now.answers_late), static_cast<double>(now.refuses_late),
                                        static_cast<double>(now.breaks_late),  static_cast<double>(now.says_nothing)};
  return static_cast<Fate>(fates(random_));
}

}  // namespace standpipe::testing

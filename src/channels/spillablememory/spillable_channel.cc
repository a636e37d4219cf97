#include "channels/spillablememory/spillable_channel.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "channels/spillablememory/spillable_options.h"
#include "core/batch_part.h"
#include "core/channel_options.h"

namespace standpipe {

// -- the order --------------------------------------------------------------------------------------------------------

/// Which channel holds what comes next: runs of events, oldest first, each wholly in one channel. Each channel keeps
/// the order of its own runs; what is published, taken and given back changes both under one mutex, so that the first
/// takeable event of a channel always belongs to its first run that has any. Shared with puts and leases.
class SpillableChannel::State : public std::enable_shared_from_this<SpillableChannel::State> {
 public:
  State(const Options& options, std::unique_ptr<Channel> memory, std::unique_ptr<Channel> overflow,
        Environment& environment);

  Status start();
  void stop();
  Result<std::unique_ptr<Put>> reserve(const Batch& batch);
  void publish(Channel& channel, Put& put, std::int64_t events);
  Result<Lease> take(std::size_t max_events);
  void committed(std::uint64_t run, std::int64_t events);
  void give_back(std::uint64_t run, Lease& lease, std::size_t first, std::size_t last);

  void set(const Options& options);
  Options options() const;
  Status trouble() const { return overflow_ == nullptr ? Status() : overflow_->trouble(); }
  Status reconfigure(const Settings& settings);
  std::int64_t size() const;
  std::int64_t capacity() const;
  bool has_overflow() const { return overflow_ != nullptr; }
  std::int64_t in_memory() const { return memory_ == nullptr ? 0 : memory_->size(); }
  std::string kept_in() const { return overflow_ == nullptr ? std::string() : overflow_->kept_in(); }
  double spilled() const { return overflow_ == nullptr ? 0 : static_cast<double>(overflow_->size()); }

  WakerList space_wakers;
  WakerList event_wakers;

 private:
  struct Run {
    Channel* channel;
    std::int64_t ready;  // takeable
    std::int64_t left;   // not committed
  };

  /// Holds the mutex. What the inner channels wake meanwhile is woken at its end: never under a lock of ours.
  class Guard {
   public:
    explicit Guard(State& state) : state_(state), lock_(state.mutex_) { state_.holder_ = std::this_thread::get_id(); }
    ~Guard() {
      state_.holder_ = std::thread::id();
      const bool space = std::exchange(state_.wake_space_, false);
      const bool event = std::exchange(state_.wake_event_, false);
      lock_.unlock();
      if (space) state_.space_wakers.wake_all();
      if (event) state_.event_wakers.wake_all();
    }

   private:
    State& state_;
    std::unique_lock<std::mutex> lock_;
  };

  /// Passes on what an inner channel wakes.
  class Relay final : public Waker {
   public:
    Relay(State& state, WakerList& to, bool& later) : state_(state), to_(to), later_(later) {}
    void wake() override {
      if (state_.holder_ == std::this_thread::get_id()) {
        later_ = true;
      } else {
        to_.wake_all();
      }
    }

   private:
    State& state_;
    WakerList& to_;
    bool& later_;
  };

  Result<std::unique_ptr<Put>> reserve_in(Channel& channel, const Batch& batch);
  void append(Channel& channel, std::int64_t events);
  void forget_missing(Channel& channel);
  void drop_finished();
  void end_spilling();
  void move_to_disk();
  Run& run_at(std::uint64_t number) { return runs_[number - first_run_]; }
  void count_as_moved(std::int64_t events);
  std::string why_left(const Status& failure) const;
  bool is_spilling() const;
  void begin_spilling();
  void for_parts(const std::function<void(Channel&)>& call) const;

  mutable std::mutex mutex_;
  std::atomic<std::thread::id> holder_{};
  bool wake_space_ = false;  // guarded by mutex_
  bool wake_event_ = false;  // guarded by mutex_
  Options options_;          // guarded by mutex_
  bool spilling_ = false;    // guarded by mutex_
  std::uint64_t first_run_ = 0;
  std::deque<Run> runs_;  // guarded by mutex_; numbered from first_run_

  Log& log_;
  Clock& clock_;
  Counter& spilled_;
  LogLimiter spill_limit_{60'000};
  Relay space_relay_{*this, space_wakers, wake_space_};
  Relay event_relay_{*this, event_wakers, wake_event_};
  const std::unique_ptr<Channel> memory_;    // null: disk only
  const std::unique_ptr<Channel> overflow_;  // null: memory only
};

/// A put into one of the two.
class SpillableChannel::SpillPut final : public Put {
 public:
  SpillPut(std::shared_ptr<State> state, Channel& channel, std::unique_ptr<Put> put, std::size_t events)
      : state_(std::move(state)), channel_(channel), put_(std::move(put)), events_(events) {}

  Receipt store(BatchPtr batch) override { return put_->store(std::move(batch)); }
  void publish() override { state_->publish(channel_, *put_, static_cast<std::int64_t>(events_)); }

 private:
  std::shared_ptr<State> state_;
  Channel& channel_;
  std::unique_ptr<Put> put_;
  std::size_t events_;
};

/// A lease of one of the two, all of it from one run.
class SpillableChannel::SpillLease final : public LeaseBackend {
 public:
  SpillLease(std::shared_ptr<State> state, std::uint64_t run, Lease lease)
      : state_(std::move(state)), run_(run), lease_(std::move(lease)) {}

  Status commit(std::size_t first, std::size_t last) override {
    TRY(lease_.commit(first, last));
    state_->committed(run_, static_cast<std::int64_t>(last - first));
    return {};
  }
  void give_back(std::size_t first, std::size_t last) override { state_->give_back(run_, lease_, first, last); }

 private:
  std::shared_ptr<State> state_;
  std::uint64_t run_;
  Lease lease_;
};

/// What goes from memory to disk at a stop: many stores at a time, so that the device is asked once for all of them.
class SpillableChannel::Move {
 public:
  Move(Channel& memory, Channel& overflow) : memory_(memory), overflow_(overflow) {}

  /// Until memory gives nothing more or the disk takes nothing more.
  Status all();
  std::int64_t moved() const { return moved_; }

 private:
  static constexpr std::size_t kWindow = 8u << 20;  // bytes of events under way: each is a copy

  struct Storing {
    std::unique_ptr<Put> put;
    Receipt receipt;
    std::size_t events;
  };

  Status take_up(const BatchSpan& span);
  Status settle();
  void commit(std::size_t events);

  Channel& memory_;
  Channel& overflow_;
  std::deque<Lease> leases_;      // oldest first
  std::size_t committed_ = 0;     // of the first lease
  std::vector<Storing> storing_;  // what follows that, in order
  std::size_t bytes_ = 0;
  std::int64_t moved_ = 0;
};

Status SpillableChannel::Move::all() {
  Status failure;
  while (failure.ok()) {
    auto lease = memory_.take(std::numeric_limits<std::size_t>::max());
    if (!lease.ok() || lease->empty()) break;
    const std::vector<BatchSpan> spans = lease->spans();
    leases_.push_back(std::move(lease).value());
    for (std::size_t i = 0; i < spans.size() && failure.ok(); ++i) {
      failure = take_up(spans[i]);
      if (failure.ok() && bytes_ >= kWindow) failure = settle();
    }
  }
  Status last = settle();
  if (failure.ok()) return last;
  last.ignore();  // the first failure is the one to name
  return failure;
}

// Where the disk has no room for all of it, half of it, and so on.
Status SpillableChannel::Move::take_up(const BatchSpan& span) {
  std::size_t most = span.count;
  for (std::size_t done = 0; done < span.count;) {
    const std::size_t count = std::min(most, span.count - done);
    BatchPtr part = batch_part(span.batch, span.first + done, count);
    auto put = overflow_.reserve(*part);
    if (put.status().code() == Code::full && count > 1) {
      most = count / 2;
      continue;
    }
    if (!put.ok()) return put.status();
    bytes_ += part->bytes();
    Receipt receipt = (*put)->store(std::move(part));
    storing_.push_back({std::move(put).value(), std::move(receipt), count});
    done += count;
  }
  return {};
}

Status SpillableChannel::Move::settle() {
  Status failure;
  std::size_t stored = 0;
  for (Storing& each : storing_) {
    failure = each.receipt.wait();
    if (!failure.ok()) break;
    each.put->publish();
    stored += each.events;
  }
  storing_.clear();
  bytes_ = 0;
  commit(stored);
  return failure;
}

void SpillableChannel::Move::commit(std::size_t events) {
  moved_ += static_cast<std::int64_t>(events);
  while (events > 0) {
    Lease& oldest = leases_.front();
    const std::size_t now = std::min(events, oldest.size() - committed_);
    oldest.commit(committed_, committed_ + now).ignore();  // a copy of them is on disk
    committed_ += now;
    events -= now;
    if (committed_ < oldest.size()) return;
    leases_.pop_front();
    committed_ = 0;
  }
}

SpillableChannel::State::State(const Options& options, std::unique_ptr<Channel> memory,
                               std::unique_ptr<Channel> overflow, Environment& environment)
    : options_(options),
      log_(environment.log),
      clock_(environment.clock),
      spilled_(environment.counters.counter("EventSpilledCount")),
      memory_(std::move(memory)),
      overflow_(std::move(overflow)) {
  CHECK(memory_ != nullptr || overflow_ != nullptr);
  for_parts([&](Channel& channel) {
    channel.add_space_waker(space_relay_);
    channel.add_event_waker(event_relay_);
  });
}

void SpillableChannel::State::for_parts(const std::function<void(Channel&)>& call) const {
  for (Channel* channel : {memory_.get(), overflow_.get()}) {
    if (channel != nullptr) call(*channel);
  }
}

Status SpillableChannel::State::start() {
  if (overflow_ != nullptr) {
    TRY(overflow_->start());
    Guard guard(*this);
    std::int64_t known = 0;
    for (const Run& run : runs_) known += run.channel == overflow_.get() ? run.left : 0;
    // From before, and older than whatever comes now.
    if (overflow_->size() > known) append(*overflow_, overflow_->size() - known);
  }
  return memory_ == nullptr ? Status() : memory_->start();
}

void SpillableChannel::State::stop() {
  if (memory_ != nullptr && overflow_ != nullptr) move_to_disk();
  for_parts([](Channel& channel) { channel.stop(); });
}

// Nothing new comes any more, and no sink takes: what memory holds survives the process on disk.
void SpillableChannel::State::move_to_disk() {
  std::int64_t moved = 0;
  Status failure;
  // The second time a folder that failed is known to, and others take its part.
  for (int in_vain = 0; in_vain < 2 && memory_->size() > 0;) {
    Move move(*memory_, *overflow_);
    failure.ignore();  // of the first time
    failure = move.all();
    in_vain = move.moved() > 0 ? 0 : in_vain + 1;
    moved += move.moved();
  }
  count_as_moved(moved);
  if (moved > 0) log_.info(fmt::format("{} events went from memory to disk before the stop", moved));
  const std::int64_t left = memory_->size();
  if (left == 0) return failure.ignore();
  log_.error(fmt::format("{} events stay in memory: {}", left, why_left(failure)));
}

void SpillableChannel::State::count_as_moved(std::int64_t events) {
  Guard guard(*this);
  std::int64_t gone = events;
  for (Run& run : runs_) {
    if (run.channel != memory_.get()) continue;
    const std::int64_t now = std::min(gone, run.ready);
    run.ready -= now;
    run.left -= now;
    gone -= now;
  }
  append(*overflow_, events);
  drop_finished();
}

std::string SpillableChannel::State::why_left(const Status& failure) const {
  if (failure.ok()) return "a sink that has not ended holds them";
  if (failure.code() == Code::full && failure.message().empty()) {
    return fmt::format("the disk holds as many as it may, overflowCapacity = {}", overflow_->capacity());
  }
  return "the disk does not take them: " + failure.message();
}

// -- puts

Result<std::unique_ptr<Put>> SpillableChannel::State::reserve(const Batch& batch) {
  if (overflow_ == nullptr) return reserve_in(*memory_, batch);
  if (memory_ == nullptr || is_spilling()) return reserve_in(*overflow_, batch);
  auto in_memory = reserve_in(*memory_, batch);
  if (in_memory.ok() || in_memory.status().code() == Code::stopped) return in_memory;
  if (in_memory.status().code() == Code::full) begin_spilling();
  return reserve_in(*overflow_, batch);
}

Result<std::unique_ptr<Put>> SpillableChannel::State::reserve_in(Channel& channel, const Batch& batch) {
  TRY_ASSIGN(std::unique_ptr<Put> put, channel.reserve(batch));
  return std::unique_ptr<Put>(std::make_unique<SpillPut>(shared_from_this(), channel, std::move(put), batch.size()));
}

bool SpillableChannel::State::is_spilling() const {
  std::lock_guard lock(mutex_);
  return spilling_;
}

void SpillableChannel::State::begin_spilling() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(spilling_, true)) return;
  }
  if (const auto held = spill_limit_.pass(clock_.now_ms())) {
    log_.info(
        fmt::format("memory is full: events go to disk until it has room again ({} more times since the last "
                    "such line)",
                    *held));
  }
}

void SpillableChannel::State::publish(Channel& channel, Put& put, std::int64_t events) {
  Guard guard(*this);
  put.publish();
  append(channel, events);
  if (&channel == overflow_.get()) spilled_.add(events);
}

void SpillableChannel::State::append(Channel& channel, std::int64_t events) {
  if (events == 0) return;
  if (runs_.empty() || runs_.back().channel != &channel) runs_.push_back({&channel, 0, 0});
  runs_.back().ready += events;
  runs_.back().left += events;
}

// -- takes

Result<Lease> SpillableChannel::State::take(std::size_t max_events) {
  Guard guard(*this);
  max_events = std::min(max_events, static_cast<std::size_t>(options_.transaction_capacity));
  const auto run = std::find_if(runs_.begin(), runs_.end(), [](const Run& each) { return each.ready > 0; });
  if (run == runs_.end()) return Lease();
  Channel& channel = *run->channel;
  TRY_ASSIGN(Lease lease, channel.take(std::min(max_events, static_cast<std::size_t>(run->ready))));
  if (lease.empty()) {
    forget_missing(channel);
    return Lease();
  }
  run->ready -= static_cast<std::int64_t>(lease.size());
  std::vector<BatchSpan> spans = lease.spans();
  const std::uint64_t number = first_run_ + static_cast<std::uint64_t>(run - runs_.begin());
  return Lease(std::move(spans), std::make_unique<SpillLease>(shared_from_this(), number, std::move(lease)));
}

// A disk that lost events to damage holds fewer than were put: without this the first run would be waited for for ever.
void SpillableChannel::State::forget_missing(Channel& channel) {
  std::int64_t leased = 0;
  for (const Run& run : runs_) leased += run.channel == &channel ? run.left - run.ready : 0;
  if (channel.size() > leased) return;  // they are there, and not at hand yet: the channel wakes us
  for (Run& run : runs_) {
    if (run.channel != &channel) continue;
    run.left -= run.ready;
    run.ready = 0;
  }
  drop_finished();
  wake_event_ = !runs_.empty();
}

void SpillableChannel::State::committed(std::uint64_t run, std::int64_t events) {
  Guard guard(*this);
  run_at(run).left -= events;
  drop_finished();
  end_spilling();
}

void SpillableChannel::State::give_back(std::uint64_t run, Lease& lease, std::size_t first, std::size_t last) {
  Guard guard(*this);
  lease.give_back(first, last);
  run_at(run).ready += static_cast<std::int64_t>(last - first);
  wake_event_ = true;
}

void SpillableChannel::State::drop_finished() {
  while (!runs_.empty() && runs_.front().left == 0) {
    runs_.pop_front();
    ++first_run_;
  }
}

void SpillableChannel::State::end_spilling() {
  if (!spilling_ || memory_ == nullptr) return;
  spilling_ = memory_->capacity() - memory_->size() < options_.least_free;
}

// -- settings and figures

void SpillableChannel::State::set(const Options& options) {
  std::lock_guard lock(mutex_);
  options_ = options;
}

SpillableChannel::Options SpillableChannel::State::options() const {
  std::lock_guard lock(mutex_);
  return options_;
}

Status SpillableChannel::State::reconfigure(const Settings& settings) {
  const auto memory = spillable::memory_settings(settings);
  const auto overflow = spillable::overflow_settings(settings);
  if (memory.has_value() != (memory_ != nullptr)) return channel_options::needs_restart("memoryCapacity from or to 0");
  if (overflow.has_value() != (overflow_ != nullptr)) {
    return channel_options::needs_restart("overflowCapacity from or to 0");
  }
  // The disk first: it is the one that may refuse.
  if (overflow_ != nullptr) TRY(overflow_->reconfigure(*overflow));
  if (memory_ != nullptr) TRY(memory_->reconfigure(*memory));
  set(spillable::channel_options(settings));
  return {};
}

std::int64_t SpillableChannel::State::size() const {
  std::int64_t sum = 0;
  for_parts([&](Channel& channel) { sum += channel.size(); });
  return sum;
}

std::int64_t SpillableChannel::State::capacity() const {
  std::int64_t sum = 0;
  for_parts([&](Channel& channel) { sum += channel.capacity(); });
  return sum;
}

// -- the channel ------------------------------------------------------------------------------------------------------

SpillableChannel::SpillableChannel(const Options& options, std::unique_ptr<Channel> memory,
                                   std::unique_ptr<Channel> overflow, Environment& environment)
    : state_(std::make_shared<State>(options, std::move(memory), std::move(overflow), environment)),
      environment_(environment) {
  // The parts count into the same group; these gauges, of both, take the place of theirs.
  CounterGroup& counters = environment_.counters;
  const std::shared_ptr<State> state = state_;
  counters.gauge(counter_names::kChannelSize, [state] { return static_cast<double>(state->size()); });
  counters.gauge(counter_names::kChannelCapacity, [state] { return static_cast<double>(state->capacity()); });
  counters.gauge(counter_names::kChannelFill, [state] {
    return static_cast<double>(state->size()) / static_cast<double>(state->capacity()) * 100.0;
  });
  counters.gauge("OverflowSize", [state] { return state->spilled(); });
}

SpillableChannel::~SpillableChannel() { environment_.counters.clear_gauges(); }

Status SpillableChannel::start() { return state_->start(); }
void SpillableChannel::stop() { state_->stop(); }
Result<std::unique_ptr<Put>> SpillableChannel::reserve(const Batch& batch) { return state_->reserve(batch); }
Result<Lease> SpillableChannel::take(std::size_t max_events) { return state_->take(max_events); }

void SpillableChannel::add_space_waker(Waker& waker) { state_->space_wakers.add(waker); }
void SpillableChannel::remove_space_waker(Waker& waker) { state_->space_wakers.remove(waker); }
void SpillableChannel::add_event_waker(Waker& waker) { state_->event_wakers.add(waker); }
void SpillableChannel::remove_event_waker(Waker& waker) { state_->event_wakers.remove(waker); }

std::int64_t SpillableChannel::size() const { return state_->size(); }
std::int64_t SpillableChannel::capacity() const { return state_->capacity(); }
std::int64_t SpillableChannel::transaction_capacity() const { return state_->options().transaction_capacity; }
std::chrono::milliseconds SpillableChannel::keep_alive() const { return state_->options().keep_alive; }
bool SpillableChannel::is_volatile() const { return !state_->has_overflow(); }
std::int64_t SpillableChannel::lost_at_end() const { return state_->in_memory(); }
std::string SpillableChannel::kept_in() const { return state_->kept_in(); }
Status SpillableChannel::trouble() const { return state_->trouble(); }
Status SpillableChannel::reconfigure(const Settings& settings) { return state_->reconfigure(settings); }

namespace {

Result<std::unique_ptr<Channel>> make_part(const ChannelFactory& factory, const std::optional<Settings>& settings,
                                           Environment& environment) {
  if (!settings.has_value()) return std::unique_ptr<Channel>();
  return factory.create(*settings, environment);
}

Result<std::unique_ptr<Channel>> create(const Settings& settings, Environment& environment) {
  const spillable::Parts& parts = spillable::parts();
  TRY_ASSIGN(auto memory, make_part(*parts.memory, spillable::memory_settings(settings), environment));
  TRY_ASSIGN(auto overflow, make_part(*parts.overflow, spillable::overflow_settings(settings), environment));
  return std::unique_ptr<Channel>(std::make_unique<SpillableChannel>(
      spillable::channel_options(settings), std::move(memory), std::move(overflow), environment));
}

}  // namespace

const ChannelFactory& spillable_channel(const ChannelFactory& memory, const ChannelFactory& overflow) {
  static const ChannelFactory factory{&spillable::table_over({&memory, &overflow}), &create};
  return factory;
}

}  // namespace standpipe

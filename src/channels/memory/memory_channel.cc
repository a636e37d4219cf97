#include "channels/memory/memory_channel.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <limits>
#include <mutex>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "core/channel_options.h"

namespace standpipe {

namespace {

constexpr std::string_view kClassNames[] = {"org.apache.flume.channel.MemoryChannel"};

constexpr Option kOptions[] = {
    channel_options::capacity("100"),
    channel_options::transaction_capacity("100"),
    channel_options::keep_alive(true),
    channel_options::byte_capacity(
        "Bytes of bodies and headers that the channel holds at most; 0: no limit of its own. "
        "Default: 80 % of the process's memory budget."),
    channel_options::kByteCapacityBufferPercentage,
    {.name = "onFull",
     .kind = Kind::choice,
     .fallback = "wait",
     .help = "What a put does that finds no room: wait, up to keep-alive; or drop its events and count them in "
             "EventDropCount, so that no producer is ever held up.",
     .choices = "wait|drop"},
};

constexpr ComponentInfo kInfo{
    .kind = ComponentKind::channel,
    .name = "memory",
    .class_names = kClassNames,
    .summary = "A queue in memory: fast, and lost when the process ends.",
    .options = kOptions,
    .acknowledges = "in the memory of this process",
};

struct Limits {
  std::int64_t events;
  std::int64_t transaction_events;
  std::uint64_t bytes;
  std::chrono::milliseconds keep_alive;
  bool drops;
};

std::uint64_t byte_limit(const Settings& settings, const MemoryBudget& budget) {
  if (!settings.has("byteCapacity")) return budget.limit() / 100 * 80;
  const std::int64_t bytes = settings.integer("byteCapacity");
  return bytes <= 0 ? std::numeric_limits<std::uint64_t>::max() : static_cast<std::uint64_t>(bytes);
}

Limits read_limits(const Settings& settings, Environment& environment) {
  const std::int64_t capacity = settings.integer("capacity");
  return {
      capacity, channel_options::transaction_events(settings.integer("transactionCapacity"), capacity, environment.log),
      byte_limit(settings, environment.budget), settings.duration("keep-alive"), settings.choice("onFull") == "drop"};
}

}  // namespace

// -- the queue --------------------------------------------------------------------------------------------------------

/// The state, shared with puts and leases. The order of events is (batch number, position in the batch); a batch gets
/// its number when it is published.
class MemoryChannel::Queue : public std::enable_shared_from_this<MemoryChannel::Queue> {
 public:
  /// A run of one batch's events.
  struct Run {
    std::uint64_t number;
    std::size_t first;
    std::size_t count;

    bool operator<(const Run& other) const {
      return number != other.number ? number < other.number : first < other.first;
    }
  };

  Queue(const Limits& limits, Environment& environment)
      : limits_(limits),
        clock_(environment.clock),
        budget_(environment.budget),
        put_attempt_(environment.counters.counter(counter_names::kPutAttempt)),
        put_success_(environment.counters.counter(counter_names::kPutSuccess)),
        take_attempt_(environment.counters.counter(counter_names::kTakeAttempt)),
        take_success_(environment.counters.counter(counter_names::kTakeSuccess)) {}

  void set_open(bool open);
  void set_limits(const Limits& limits);
  Limits limits() const;

  Status reserve(std::size_t events, std::size_t bytes);
  void release(std::size_t events, std::size_t bytes);
  void stored(std::int64_t events);
  void publish(BatchPtr batch);

  Result<Lease> take(std::size_t max_events);
  void commit(const std::vector<Run>& runs);
  void give_back(const std::vector<Run>& runs);

  std::int64_t size() const;
  std::int64_t oldest_age_ms() const;

  WakerList space_wakers;
  WakerList event_wakers;

 private:
  /// A published batch that is not wholly committed.
  struct Stored {
    BatchPtr batch;
    std::size_t left;  // events not committed
    std::int64_t since_ms;
  };

  Stored& stored_at(std::uint64_t number) { return batches_[number - first_number_]; }
  void put_run_back(const Run& run);

  mutable std::mutex mutex_;
  Limits limits_;
  bool open_ = false;
  std::int64_t used_events_ = 0;  // reserved and stored
  std::uint64_t used_bytes_ = 0;
  std::int64_t stored_events_ = 0;
  std::uint64_t first_number_ = 0;  // of batches_.front()
  std::deque<Stored> batches_;
  std::deque<Run> ready_;  // ascending

  Clock& clock_;
  const MemoryBudget& budget_;
  Counter& put_attempt_;
  Counter& put_success_;
  Counter& take_attempt_;
  Counter& take_success_;
};

void MemoryChannel::Queue::set_open(bool open) {
  {
    std::lock_guard lock(mutex_);
    open_ = open;
  }
  // Who waits must look again: for the refusal, or for what was left from before.
  space_wakers.wake_all();
  event_wakers.wake_all();
}

void MemoryChannel::Queue::set_limits(const Limits& limits) {
  {
    std::lock_guard lock(mutex_);
    limits_ = limits;
  }
  space_wakers.wake_all();
}

Limits MemoryChannel::Queue::limits() const {
  std::lock_guard lock(mutex_);
  return limits_;
}

Status MemoryChannel::Queue::reserve(std::size_t events, std::size_t bytes) {
  put_attempt_.add(static_cast<std::int64_t>(events));
  const auto wanted = static_cast<std::int64_t>(events);
  std::lock_guard lock(mutex_);
  if (!open_) return {Code::stopped, "the channel is stopped"};
  if (wanted > limits_.events) {
    return {Code::poison, fmt::format("{} events can never fit into a capacity of {}", events, limits_.events)};
  }
  if (bytes > limits_.bytes) {
    return {Code::poison, fmt::format("{} bytes can never fit into a byteCapacity of {}", bytes, limits_.bytes)};
  }
  if (used_events_ > limits_.events - wanted && !FAILPOINT("memory.no_capacity")) return {Code::full, {}};
  if (used_bytes_ > limits_.bytes - bytes) return {Code::full, {}};
  // An empty channel takes what there is already: nothing would ever drain it.
  if (used_events_ > 0 && budget_.used() > budget_.intake_limit()) return {Code::full, {}};
  used_events_ += wanted;
  used_bytes_ += bytes;
  return {};
}

void MemoryChannel::Queue::release(std::size_t events, std::size_t bytes) {
  {
    std::lock_guard lock(mutex_);
    used_events_ -= static_cast<std::int64_t>(events);
    used_bytes_ -= bytes;
  }
  space_wakers.wake_all();
}

void MemoryChannel::Queue::stored(std::int64_t events) {
  std::lock_guard lock(mutex_);
  stored_events_ += events;
}

void MemoryChannel::Queue::publish(BatchPtr batch) {
  const std::size_t events = batch->size();
  const std::int64_t now = clock_.now_ms();
  {
    std::lock_guard lock(mutex_);
    ready_.push_back({first_number_ + batches_.size(), 0, events});
    batches_.push_back({std::move(batch), events, now});
  }
  put_success_.add(static_cast<std::int64_t>(events));
  event_wakers.wake_all();
}

void MemoryChannel::Queue::put_run_back(const Run& run) {
  const auto place = std::lower_bound(ready_.begin(), ready_.end(), run);
  // Neighbours of one batch grow together again, so that many small returns do not leave many small runs.
  const bool joins_next = place != ready_.end() && place->number == run.number && run.first + run.count == place->first;
  if (joins_next) {
    place->first = run.first;
    place->count += run.count;
    return;
  }
  if (place != ready_.begin()) {
    Run& before = *std::prev(place);
    if (before.number == run.number && before.first + before.count == run.first) {
      before.count += run.count;
      return;
    }
  }
  ready_.insert(place, run);
}

void MemoryChannel::Queue::give_back(const std::vector<Run>& runs) {
  if (FAILPOINT("memory.drop_on_give_back")) return;
  {
    std::lock_guard lock(mutex_);
    for (const Run& run : runs) put_run_back(run);
  }
  event_wakers.wake_all();
}

void MemoryChannel::Queue::commit(const std::vector<Run>& runs) {
  std::int64_t events = 0;
  std::vector<BatchPtr> finished;  // freed after the lock
  {
    std::lock_guard lock(mutex_);
    for (const Run& run : runs) {
      Stored& stored = stored_at(run.number);
      events += static_cast<std::int64_t>(run.count);
      used_bytes_ -= stored.batch->bytes(run.first, run.first + run.count);
      stored.left -= run.count;
      if (stored.left == 0) finished.push_back(std::move(stored.batch));
    }
    used_events_ -= events;
    stored_events_ -= events;
    while (!batches_.empty() && batches_.front().left == 0) {
      batches_.pop_front();
      ++first_number_;
    }
  }
  take_success_.add(events);
  space_wakers.wake_all();
}

std::int64_t MemoryChannel::Queue::size() const {
  std::lock_guard lock(mutex_);
  return stored_events_;
}

std::int64_t MemoryChannel::Queue::oldest_age_ms() const {
  std::lock_guard lock(mutex_);
  return batches_.empty() ? 0 : std::max<std::int64_t>(0, clock_.now_ms() - batches_.front().since_ms);
}

// -- puts and leases --------------------------------------------------------------------------------------------------

class MemoryChannel::MemoryPut final : public Put {
 public:
  MemoryPut(std::shared_ptr<Queue> queue, std::size_t events, std::size_t bytes)
      : queue_(std::move(queue)), events_(events), bytes_(bytes) {}

  ~MemoryPut() override {
    if (published_) return;
    if (batch_ != nullptr) queue_->stored(-static_cast<std::int64_t>(events_));
    queue_->release(events_, bytes_);
  }

  Receipt store(BatchPtr batch) override {
    CHECK(batch_ == nullptr && batch->size() == events_);
    batch_ = std::move(batch);
    queue_->stored(static_cast<std::int64_t>(events_));
    if (FAILPOINT("memory.publish_at_store")) queue_->publish(batch_);
    return Receipt::completed();
  }

  void publish() override {
    CHECK(batch_ != nullptr && !published_);
    published_ = true;
    queue_->publish(std::move(batch_));
  }

 private:
  std::shared_ptr<Queue> queue_;
  std::size_t events_;
  std::size_t bytes_;
  BatchPtr batch_;
  bool published_ = false;
};

/// Takes what nobody has room for, and is the end of it.
class MemoryChannel::DroppingPut final : public Put {
 public:
  DroppingPut(Counter& dropped, std::size_t events) : dropped_(dropped), events_(events) {}

  Receipt store(BatchPtr) override { return Receipt::completed(); }
  void publish() override { dropped_.add(static_cast<std::int64_t>(events_)); }

 private:
  Counter& dropped_;
  std::size_t events_;
};

class MemoryChannel::MemoryLease final : public LeaseBackend {
 public:
  MemoryLease(std::shared_ptr<Queue> queue, std::vector<Queue::Run> runs)
      : queue_(std::move(queue)), runs_(std::move(runs)) {}

  Status commit(std::size_t first, std::size_t last) override {
    queue_->commit(covered(first, last));
    return {};
  }
  void give_back(std::size_t first, std::size_t last) override { queue_->give_back(covered(first, last)); }

 private:
  /// The runs under the positions [first, last) of the lease.
  std::vector<Queue::Run> covered(std::size_t first, std::size_t last) const {
    std::vector<Queue::Run> result;
    std::size_t position = 0;
    for (const Queue::Run& run : runs_) {
      const std::size_t from = std::max(first, position);
      const std::size_t to = std::min(last, position + run.count);
      if (from < to) result.push_back({run.number, run.first + (from - position), to - from});
      position += run.count;
      if (position >= last) break;
    }
    return result;
  }

  std::shared_ptr<Queue> queue_;
  std::vector<Queue::Run> runs_;
};

Result<Lease> MemoryChannel::Queue::take(std::size_t max_events) {
  std::vector<BatchSpan> spans;
  std::vector<Run> runs;
  std::size_t taken = 0;
  {
    std::lock_guard lock(mutex_);
    max_events = std::min(max_events, static_cast<std::size_t>(limits_.transaction_events));
    while (taken < max_events && !ready_.empty()) {
      Run& front = ready_.front();
      const std::size_t count = std::min(front.count, max_events - taken);
      runs.push_back({front.number, front.first, count});
      spans.push_back({stored_at(front.number).batch, front.first, count});
      taken += count;
      front.first += count;
      front.count -= count;
      if (front.count == 0) ready_.pop_front();
    }
  }
  // An empty take is an attempt too, as Flume counts.
  take_attempt_.add(taken == 0 ? 1 : static_cast<std::int64_t>(taken));
  if (taken == 0) return Lease();
  return Lease(std::move(spans), std::make_unique<MemoryLease>(shared_from_this(), std::move(runs)));
}

// -- the channel ------------------------------------------------------------------------------------------------------

MemoryChannel::MemoryChannel(const Settings& settings, Environment& environment)
    : queue_(std::make_shared<Queue>(read_limits(settings, environment), environment)),
      environment_(environment),
      dropped_(environment.counters.counter("EventDropCount")) {
  CounterGroup& counters = environment_.counters;
  const std::shared_ptr<Queue> queue = queue_;
  counters.gauge(counter_names::kChannelSize, [queue] { return static_cast<double>(queue->size()); });
  counters.gauge(counter_names::kChannelCapacity, [queue] { return static_cast<double>(queue->limits().events); });
  counters.gauge(counter_names::kChannelFill, [queue] {
    return static_cast<double>(queue->size()) / static_cast<double>(queue->limits().events) * 100.0;
  });
  counters.gauge(counter_names::kOldestEventAge, [queue] { return static_cast<double>(queue->oldest_age_ms()); });
}

MemoryChannel::~MemoryChannel() { environment_.counters.clear_gauges(); }

Status MemoryChannel::start() {
  queue_->set_open(true);
  return {};
}

void MemoryChannel::stop() { queue_->set_open(false); }

Result<std::unique_ptr<Put>> MemoryChannel::reserve(const Batch& batch) {
  const std::size_t bytes = batch.bytes();
  const Status room = queue_->reserve(batch.size(), bytes);
  if (room.code() == Code::full && queue_->limits().drops) {
    return std::unique_ptr<Put>(std::make_unique<DroppingPut>(dropped_, batch.size()));
  }
  TRY(room);
  return std::unique_ptr<Put>(std::make_unique<MemoryPut>(queue_, batch.size(), bytes));
}

Result<Lease> MemoryChannel::take(std::size_t max_events) { return queue_->take(max_events); }

void MemoryChannel::add_space_waker(Waker& waker) { queue_->space_wakers.add(waker); }
void MemoryChannel::remove_space_waker(Waker& waker) { queue_->space_wakers.remove(waker); }
void MemoryChannel::add_event_waker(Waker& waker) { queue_->event_wakers.add(waker); }
void MemoryChannel::remove_event_waker(Waker& waker) { queue_->event_wakers.remove(waker); }

std::int64_t MemoryChannel::size() const { return queue_->size(); }
std::int64_t MemoryChannel::capacity() const { return queue_->limits().events; }
std::int64_t MemoryChannel::transaction_capacity() const { return queue_->limits().transaction_events; }
std::uint64_t MemoryChannel::byte_capacity() const { return queue_->limits().bytes; }
std::chrono::milliseconds MemoryChannel::keep_alive() const { return queue_->limits().keep_alive; }

Status MemoryChannel::reconfigure(const Settings& settings) {
  queue_->set_limits(read_limits(settings, environment_));
  return {};
}

namespace {
Result<std::unique_ptr<Channel>> create(const Settings& settings, Environment& environment) {
  return std::unique_ptr<Channel>(std::make_unique<MemoryChannel>(settings, environment));
}
}  // namespace

const ChannelFactory kMemoryChannel{&kInfo, &create};

}  // namespace standpipe

#include "channels/pseudotxn/pseudo_txn_channel.h"

#include <algorithm>
#include <deque>
#include <mutex>

#include <fmt/format.h>

#include "base/check.h"
#include "core/channel_options.h"
#include "core/wakers.h"

namespace standpipe {

namespace {

constexpr std::string_view kClassNames[] = {"org.apache.flume.channel.PseudoTxnMemoryChannel"};

constexpr Option kOptions[] = {
    channel_options::capacity("50", false),
    channel_options::keep_alive(false),
};

constexpr ComponentInfo kInfo{
    .kind = ComponentKind::channel,
    .name = "pseudotxn",
    .class_names = kClassNames,
    .summary = "A queue in memory without transactions, for tests: a sink that fails loses its events.",
    .options = kOptions,
    .acknowledges = "in the memory of this process; lost when a sink fails",
};

}  // namespace

class PseudoTxnChannel::Queue {
 public:
  Queue(const Settings& settings, Environment& environment)
      : put_attempt_(environment.counters.counter(counter_names::kPutAttempt)),
        put_success_(environment.counters.counter(counter_names::kPutSuccess)),
        take_attempt_(environment.counters.counter(counter_names::kTakeAttempt)),
        take_success_(environment.counters.counter(counter_names::kTakeSuccess)) {
    configure(settings);
  }

  void configure(const Settings& settings) {
    {
      std::lock_guard lock(mutex_);
      capacity_ = settings.integer("capacity");
      keep_alive_ = settings.duration("keep-alive");
    }
    space_wakers.wake_all();
  }

  void set_open(bool open) {
    {
      std::lock_guard lock(mutex_);
      open_ = open;
    }
    space_wakers.wake_all();
  }

  Status reserve(std::int64_t events) {
    put_attempt_.add(events);
    std::lock_guard lock(mutex_);
    if (!open_) return {Code::stopped, "the channel is stopped"};
    if (events > capacity_) {
      return {Code::poison, fmt::format("{} events can never fit into a capacity of {}", events, capacity_)};
    }
    if (used_ > capacity_ - events) return {Code::full, {}};
    used_ += events;
    return {};
  }

  void release(std::int64_t events) {
    {
      std::lock_guard lock(mutex_);
      used_ -= events;
    }
    space_wakers.wake_all();
  }

  void publish(BatchPtr batch) {
    put_success_.add(static_cast<std::int64_t>(batch->size()));
    {
      std::lock_guard lock(mutex_);
      const std::size_t events = batch->size();
      ready_.push_back({std::move(batch), 0, events});
    }
    event_wakers.wake_all();
  }

  std::vector<BatchSpan> take(std::size_t max_events) {
    std::vector<BatchSpan> spans;
    std::size_t taken = 0;
    {
      std::lock_guard lock(mutex_);
      while (taken < max_events && !ready_.empty()) {
        BatchSpan& front = ready_.front();
        const std::size_t count = std::min(front.count, max_events - taken);
        spans.push_back({front.batch, front.first, count});
        taken += count;
        front.first += count;
        front.count -= count;
        if (front.count == 0) ready_.pop_front();
      }
      used_ -= static_cast<std::int64_t>(taken);
    }
    take_attempt_.add(static_cast<std::int64_t>(std::max<std::size_t>(1, taken)));
    take_success_.add(static_cast<std::int64_t>(taken));
    if (taken > 0) space_wakers.wake_all();
    return spans;
  }

  std::int64_t size() const {
    std::lock_guard lock(mutex_);
    return used_;
  }
  std::int64_t capacity() const {
    std::lock_guard lock(mutex_);
    return capacity_;
  }
  std::chrono::milliseconds keep_alive() const {
    std::lock_guard lock(mutex_);
    return keep_alive_;
  }

  WakerList space_wakers;
  WakerList event_wakers;

 private:
  mutable std::mutex mutex_;
  bool open_ = false;
  std::int64_t capacity_ = 0;
  std::chrono::milliseconds keep_alive_{0};
  std::int64_t used_ = 0;  // reserved and stored
  std::deque<BatchSpan> ready_;
  Counter& put_attempt_;
  Counter& put_success_;
  Counter& take_attempt_;
  Counter& take_success_;
};

class PseudoTxnChannel::QueuePut final : public Put {
 public:
  QueuePut(std::shared_ptr<Queue> queue, std::int64_t events) : queue_(std::move(queue)), events_(events) {}
  ~QueuePut() override {
    if (!published_) queue_->release(events_);
  }
  Receipt store(BatchPtr batch) override {
    CHECK(batch_ == nullptr);
    batch_ = std::move(batch);
    return Receipt::completed();
  }
  void publish() override {
    CHECK(batch_ != nullptr && !published_);
    published_ = true;
    queue_->publish(std::move(batch_));
  }

 private:
  std::shared_ptr<Queue> queue_;
  std::int64_t events_;
  BatchPtr batch_;
  bool published_ = false;
};

namespace {
/// What was taken is gone already.
class GoneBackend final : public LeaseBackend {
 public:
  Status commit(std::size_t, std::size_t) override { return {}; }
  void give_back(std::size_t, std::size_t) override {}
};

Result<std::unique_ptr<Channel>> create(const Settings& settings, Environment& environment) {
  return std::unique_ptr<Channel>(std::make_unique<PseudoTxnChannel>(settings, environment));
}
}  // namespace

const ChannelFactory kPseudoTxnChannel{&kInfo, &create};

PseudoTxnChannel::PseudoTxnChannel(const Settings& settings, Environment& environment)
    : queue_(std::make_shared<Queue>(settings, environment)), environment_(environment) {
  const std::shared_ptr<Queue> queue = queue_;
  CounterGroup& counters = environment.counters;
  counters.gauge(counter_names::kChannelSize, [queue] { return static_cast<double>(queue->size()); });
  counters.gauge(counter_names::kChannelCapacity, [queue] { return static_cast<double>(queue->capacity()); });
  counters.gauge(counter_names::kChannelFill, [queue] {
    return static_cast<double>(queue->size()) / static_cast<double>(queue->capacity()) * 100.0;
  });
}

PseudoTxnChannel::~PseudoTxnChannel() { environment_.counters.clear_gauges(); }

Status PseudoTxnChannel::start() {
  queue_->set_open(true);
  return {};
}

void PseudoTxnChannel::stop() { queue_->set_open(false); }

Result<std::unique_ptr<Put>> PseudoTxnChannel::reserve(const Batch& batch) {
  const auto events = static_cast<std::int64_t>(batch.size());
  TRY(queue_->reserve(events));
  return std::unique_ptr<Put>(std::make_unique<QueuePut>(queue_, events));
}

Result<Lease> PseudoTxnChannel::take(std::size_t max_events) {
  std::vector<BatchSpan> spans = queue_->take(max_events);
  if (spans.empty()) return Lease();
  return Lease(std::move(spans), std::make_unique<GoneBackend>());
}

void PseudoTxnChannel::add_space_waker(Waker& waker) { queue_->space_wakers.add(waker); }
void PseudoTxnChannel::remove_space_waker(Waker& waker) { queue_->space_wakers.remove(waker); }
void PseudoTxnChannel::add_event_waker(Waker& waker) { queue_->event_wakers.add(waker); }
void PseudoTxnChannel::remove_event_waker(Waker& waker) { queue_->event_wakers.remove(waker); }
std::int64_t PseudoTxnChannel::size() const { return queue_->size(); }
std::int64_t PseudoTxnChannel::capacity() const { return queue_->capacity(); }
std::chrono::milliseconds PseudoTxnChannel::keep_alive() const { return queue_->keep_alive(); }

Status PseudoTxnChannel::reconfigure(const Settings& settings) {
  queue_->configure(settings);
  return {};
}

}  // namespace standpipe

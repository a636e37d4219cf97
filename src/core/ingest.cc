#include "core/ingest.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "core/handover.h"
#include "core/optional_queue.h"
#include "core/serial.h"

namespace standpipe {

namespace {
// A channel that failed after another had stored for good has no waker: it is asked again.
constexpr std::chrono::milliseconds kRetryPause{100};
constexpr std::size_t kRawBytes = 1024;  // of a body in the log

/// For -Dorg.apache.flume.log.rawdata=true: what a source handed over, before interceptors.
void log_raw_events(Log& log, const Batch& batch) {
  if (!log.enabled(Log::Level::debug)) return;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const EventRef event = batch[i];
    std::string headers;
    for (const auto& [name, value] : *event.headers) {
      headers += fmt::format("{}{}={}", headers.empty() ? "" : ", ", name, value);
    }
    const bool cut = event.body.size() > kRawBytes;
    log.debug(fmt::format("received: {{{}}} {}{}", headers, event.body.substr(0, kRawBytes),
                          cut ? fmt::format("… ({} bytes)", event.body.size()) : ""));
  }
}
}  // namespace

/// One source's queue of hand-overs. What is below "serial" is touched only inside serial_.
class SourceIngest::Core : public std::enable_shared_from_this<SourceIngest::Core> {
 public:
  Core(Environment& environment, EngineThread& engine, OptionalLimits limits)
      : environment_(environment),
        engine_(engine),
        limits_(limits),
        write_fail_(environment.counters.counter(counter_names::kChannelWriteFail)),
        processing_fail_(environment.counters.counter(counter_names::kGenericProcessingFail)),
        filtered_(environment.counters.counter(counter_names::kEventsFiltered)) {}

  Receipt deliver(Batch batch);
  void replace(IngestPlan plan);
  void keep(std::shared_ptr<void> owner) { kept_ = std::move(owner); }
  void stop();
  void restart() { stopped_ = false; }
  Receipt hold();
  Status refusal() const;
  void resume_held();

 private:
  /// A plan in use: deliveries share it, the last one lets it go.
  struct Plan {
    Plan(Core& core, IngestPlan given);
    ~Plan();
    bool waits() const;
    IngestPlan parts;
    std::map<std::size_t, OptionalQueue> optional;  // serial
    std::shared_ptr<Waker> waker;
  };
  using PlanPtr = std::shared_ptr<Plan>;

  /// Wakes the queue when a channel has room again; outlives the core because a channel may still be calling it.
  class SpaceWaker final : public Waker {
   public:
    explicit SpaceWaker(Core& core) : core_(core.weak_from_this()), engine_(core.engine_) {}
    void wake() override;

   private:
    std::weak_ptr<Core> core_;
    EngineThread& engine_;
  };

  struct Delivery {
    PlanPtr plan;
    BatchPtr batch;
    std::vector<Route> optional;
    std::optional<Handover> handover;  // empty: failed before, or nothing is required
    std::optional<ReceiptPromise> promise;
    Status failure;
    Clock::Steady arrived;
    Clock::Steady deadline = Clock::Steady::max();  // known once it has begun
    enum class State : unsigned char { fresh, begun, waiting, storing, stored, failed } state = State::fresh;

    bool settled() const { return state == State::stored || state == State::failed; }
    /// More parts are to come after this one.
    bool in_parts() const { return state != State::failed && handover.has_value() && !handover->on_last_part(); }
  };
  using DeliveryPtr = std::shared_ptr<Delivery>;

  PlanPtr plan() const;
  Status intercept(Plan& plan, Batch& batch);
  void warn_of_parts(std::size_t events);
  std::optional<Receipt> deliver_at_once(const PlanPtr& plan, const BatchPtr& batch);
  Receipt enqueue(PlanPtr plan, BatchPtr batch, Status failure);
  bool begin(Delivery& delivery);
  void settle_hold();
  void pump();
  bool admit();
  bool advance(const DeliveryPtr& delivery);
  void resume(const DeliveryPtr& delivery);
  void fail(Delivery& delivery, Status why);
  void note_refusal(const Status& why);
  bool finish_front();
  void offer_optional(Delivery& delivery);
  void advance_optional();
  void arm_timer();
  Handover::Post poster(const DeliveryPtr& delivery);
  Handover::Post poster(const PlanPtr& plan);
  std::function<void()> resumer(const DeliveryPtr& delivery) {
    return [this, weak = std::weak_ptr(delivery)] {
      if (const DeliveryPtr alive = weak.lock()) resume(alive);
    };
  }
  void sabotage_interceptors(Delivery& delivery);

  LogLimiter parts_limit_{60'000};
  std::shared_ptr<void> kept_;  // of environment_: goes last
  Environment& environment_;
  EngineThread& engine_;
  const OptionalLimits limits_;
  Counter& write_fail_;
  Counter& processing_fail_;
  Counter& filtered_;

  std::atomic<bool> stopped_{false};
  std::atomic<bool> hungry_{false};  // something waits for room
  mutable std::mutex plan_mutex_;
  PlanPtr plan_;
  mutable std::mutex refusal_mutex_;
  Status refusal_;              // guarded by refusal_mutex_
  Clock::Steady refused_at_{};  // guarded by refusal_mutex_

  bool held_ = false;                    // serial: nothing new begins
  std::optional<ReceiptPromise> quiet_;  // serial: completes when what had begun is settled

  Serial serial_;
  std::deque<DeliveryPtr> queue_;       // serial: in the order of deliver()
  std::size_t admitted_ = 0;            // serial: so many from the front are stored, being stored, or failed
  std::vector<PlanPtr> plans_;          // serial: the current one, and older ones that still have work
  std::optional<Clock::Steady> timer_;  // serial
};

// -- the plan ---------------------------------------------------------------------------------------------------------

SourceIngest::Core::Plan::Plan(Core& core, IngestPlan given)
    : parts(std::move(given)), waker(std::make_shared<SpaceWaker>(core)) {
  for (std::size_t i = 0; i < parts.channels.size(); ++i) {
    parts.channels[i].channel->add_space_waker(*waker);
    optional.try_emplace(i, parts.channels[i], core.environment_, core.limits_);
  }
}

bool SourceIngest::Core::Plan::waits() const {
  return std::any_of(optional.begin(), optional.end(),
                     [](const auto& item) { return item.second.deadline().has_value(); });
}

SourceIngest::Core::Plan::~Plan() {
  for (const NamedChannel& channel : parts.channels) channel.channel->remove_space_waker(*waker);
}

void SourceIngest::Core::SpaceWaker::wake() {
  const std::shared_ptr<Core> core = core_.lock();
  if (core == nullptr || !core->hungry_.load() || !core->hungry_.exchange(false)) return;
  engine_.post([weak = core_] {
    const std::shared_ptr<Core> alive = weak.lock();
    if (alive != nullptr) alive->serial_.run([alive] { alive->pump(); });
  });
}

SourceIngest::Core::PlanPtr SourceIngest::Core::plan() const {
  std::lock_guard lock(plan_mutex_);
  return plan_;
}

void SourceIngest::Core::replace(IngestPlan given) {
  auto fresh = std::make_shared<Plan>(*this, std::move(given));
  {
    std::lock_guard lock(plan_mutex_);
    plan_ = fresh;
  }
  serial_.run([self = shared_from_this(), fresh = std::move(fresh)] {
    self->plans_.push_back(fresh);
    self->pump();
  });
}

Receipt SourceIngest::Core::hold() {
  auto quiet = std::make_shared<ReceiptPromise>();
  Receipt receipt = quiet->receipt();
  serial_.run([self = shared_from_this(), quiet] {
    self->held_ = true;
    self->quiet_.emplace(std::move(*quiet));
    self->settle_hold();
  });
  return receipt;
}

void SourceIngest::Core::resume_held() {
  serial_.run([self = shared_from_this()] {
    self->held_ = false;
    const Clock::Steady now = self->environment_.clock.steady_now();
    for (const DeliveryPtr& delivery : self->queue_) delivery->arrived = now;
    self->pump();
  });
}

/// What has begun stands before what has not.
void SourceIngest::Core::settle_hold() {
  if (!quiet_.has_value() || (!queue_.empty() && queue_.front()->state != Delivery::State::fresh)) return;
  ReceiptPromise quiet = std::move(*quiet_);
  quiet_.reset();
  quiet.complete({});
}

void SourceIngest::Core::warn_of_parts(std::size_t events) {
  if (!parts_limit_.pass(environment_.clock.now_ms())) return;
  environment_.log.warn(
      fmt::format("a batch is larger than its channel and goes in parts of {} events: raise the channel's capacity "
                  "above the batch size",
                  events));
}

// -- delivering -------------------------------------------------------------------------------------------------------

Receipt SourceIngest::Core::deliver(Batch batch) {
  if (stopped_.load()) return Receipt::completed({Code::stopped, "the source is stopping"});
  if (batch.empty()) return Receipt::completed();
  if (raw_data_is_logged()) log_raw_events(environment_.log, batch);
  PlanPtr current = plan();
  Status intercepted = intercept(*current, batch);
  if (!intercepted.ok()) {
    processing_fail_.add();
    return enqueue(std::move(current), nullptr, std::move(intercepted));
  }
  if (batch.empty()) return Receipt::completed();
  batch.charge_to(environment_.budget);
  const BatchPtr frozen = std::make_shared<const Batch>(std::move(batch));
  if (FAILPOINT("ingest.ack_early")) {
    Receipt real = enqueue(std::move(current), frozen, {});
    return Receipt::completed();
  }
  std::optional<Receipt> receipt = deliver_at_once(current, frozen);
  if (receipt.has_value()) return std::move(*receipt);
  return enqueue(std::move(current), frozen, {});
}

Status SourceIngest::Core::intercept(Plan& plan, Batch& batch) {
  if (plan.parts.interceptors.empty()) return {};
  const std::size_t before = batch.size();
  for (const auto& interceptor : plan.parts.interceptors) {
    TRY(interceptor->intercept(batch));
    if (batch.empty()) break;
  }
  if (batch.size() < before) filtered_.add(static_cast<std::int64_t>(before - batch.size()));
  return {};
}

/// The fast path: one channel, room for the batch, nobody before us. Empty when that is not so.
std::optional<Receipt> SourceIngest::Core::deliver_at_once(const PlanPtr& plan, const BatchPtr& batch) {
  const std::optional<std::size_t> only = plan->parts.selector->only_channel();
  if (!only.has_value() || !serial_.try_enter()) return std::nullopt;
  std::optional<Receipt> result;
  if (queue_.empty() && !held_ && plan == plans_.back()) {
    const NamedChannel& channel = plan->parts.channels[*only];
    auto put = channel.channel->reserve(*batch);
    if (put.ok()) {
      Receipt stored = (*put)->store(batch);
      const Status status = stored.ready() ? stored.wait() : Status();
      if (!stored.ready()) {
        auto delivery = std::make_shared<Delivery>();
        delivery->plan = plan;
        delivery->handover.emplace(Handover::Leg{channel.name, channel.channel, batch}, std::move(*put));
        delivery->promise.emplace();
        delivery->state = Delivery::State::storing;
        result.emplace(delivery->promise->receipt());
        queue_.push_back(delivery);
        ++admitted_;
        delivery->handover->adopt(std::move(stored), poster(delivery), resumer(delivery));
      } else if (status.ok()) {
        (*put)->publish();
        result.emplace(Receipt::completed());
      } else {
        put->reset();
        write_fail_.add();
        result.emplace(Receipt::completed(status.with_context("channel " + channel.name)));
      }
    }
  }
  serial_.leave();
  return result;
}

Receipt SourceIngest::Core::enqueue(PlanPtr plan, BatchPtr batch, Status failure) {
  auto delivery = std::make_shared<Delivery>();
  delivery->plan = std::move(plan);
  delivery->batch = std::move(batch);
  delivery->failure = std::move(failure);
  delivery->arrived = environment_.clock.steady_now();
  if (!delivery->failure.ok()) delivery->state = Delivery::State::failed;
  delivery->promise.emplace();
  Receipt receipt = delivery->promise->receipt();
  serial_.run([this, self = shared_from_this(), delivery = std::move(delivery)]() mutable {
    queue_.push_back(std::move(delivery));
    pump();
  });
  return receipt;
}

// -- the queue (all of it inside serial_) -----------------------------------------------------------------------------

Handover::Post SourceIngest::Core::poster(const DeliveryPtr& delivery) {
  // The task keeps core and delivery alive for as long as a channel stores.
  return [self = shared_from_this(), delivery](std::function<void()> task) {
    self->serial_.run([self, delivery, task = std::move(task)] { task(); });
  };
}

void SourceIngest::Core::pump() {
  for (bool changed = true; changed;) {
    changed = admit();
    changed |= finish_front();
  }
  advance_optional();
  settle_hold();
  arm_timer();
}

/// False: it has to wait for the end of a hold. A delivery goes by the plan of the moment at which it begins: the
/// channels of the one that its interceptors belonged to may be gone. They do not run again.
bool SourceIngest::Core::begin(Delivery& delivery) {
  if (delivery.state != Delivery::State::fresh || stopped_.load()) return true;
  if (held_) return false;
  delivery.plan = plans_.back();
  delivery.state = Delivery::State::begun;
  std::vector<Route> routes;
  delivery.plan->parts.selector->route(delivery.batch, routes);
  std::vector<Handover::Leg> legs;
  for (Route& route : routes) {
    const NamedChannel& channel = delivery.plan->parts.channels[route.channel];
    if (route.required) {
      legs.push_back({channel.name, channel.channel, std::move(route.batch)});
    } else {
      delivery.optional.push_back(std::move(route));
    }
  }
  if (legs.empty()) {
    delivery.state = Delivery::State::stored;
    return true;
  }
  delivery.handover.emplace(std::move(legs), [this](std::size_t events) { warn_of_parts(events); });
  delivery.deadline = delivery.arrived + delivery.handover->keep_alive();
  return true;
}

/// Starts what may start behind what has started; true when something changed.
bool SourceIngest::Core::admit() {
  bool changed = false;
  while (admitted_ < queue_.size()) {
    const DeliveryPtr delivery = queue_[admitted_];
    // Parts after the first are stored one by one, each published before the next: nothing may be before or behind
    // them.
    if (delivery->in_parts() && admitted_ > 0) break;
    if (admitted_ > 0 && queue_[admitted_ - 1]->in_parts()) break;
    if (!begin(*delivery)) break;
    if (!delivery->settled() && !advance(delivery)) break;
    ++admitted_;
    changed = true;
  }
  return changed;
}

/// False when it waits: nothing behind it may start.
bool SourceIngest::Core::advance(const DeliveryPtr& delivery) {
  using State = Delivery::State;
  if (stopped_.load() && delivery->state != State::storing) {
    fail(*delivery, {Code::stopped, "the source is stopping"});
    return true;
  }
  if (delivery->state == State::waiting) sabotage_interceptors(*delivery);
  const auto attempt = [&] { return delivery->handover->advance(poster(delivery), resumer(delivery)); };
  auto progress = attempt();
  if (progress == Handover::Progress::waiting) {
    // Announce, then look again: room that appeared in between would wake nobody.
    hungry_.store(true);
    progress = attempt();
  }
  switch (progress) {
    case Handover::Progress::stored: delivery->state = State::stored; return true;
    case Handover::Progress::storing: delivery->state = State::storing; return true;
    case Handover::Progress::failed: fail(*delivery, delivery->handover->failure()); return true;
    case Handover::Progress::waiting:
    case Handover::Progress::retrying: break;
  }
  delivery->state = State::waiting;
  const Clock::Steady now = environment_.clock.steady_now();
  if (now < delivery->deadline) return false;
  if (delivery->handover->is_irrevocable() && !stopped_.load()) {
    // A part is in a channel for good: a failure would have the source deliver it again.
    delivery->deadline = now + delivery->handover->keep_alive();
    return false;
  }
  const bool full = progress == Handover::Progress::waiting;
  fail(*delivery, full ? Status(Code::full, delivery->handover->why_full()) : delivery->handover->failure());
  return true;
}

void SourceIngest::Core::fail(Delivery& delivery, Status why) {
  if (delivery.handover.has_value()) delivery.handover->abandon();
  if (why.code() == Code::poison) note_refusal(why);
  delivery.failure = std::move(why);
  delivery.state = Delivery::State::failed;
}

void SourceIngest::Core::note_refusal(const Status& why) {
  std::lock_guard lock(refusal_mutex_);
  refusal_ = why;
  refusal_.ignore();  // kept for who asks
  refused_at_ = environment_.clock.steady_now();
}

Status SourceIngest::Core::refusal() const {
  // Longer than any source waits before it tries the same event again.
  constexpr std::chrono::seconds kLasts{30};
  std::lock_guard lock(refusal_mutex_);
  return environment_.clock.steady_now() - refused_at_ < kLasts ? refusal_ : Status();
}

/// A store of `delivery` has ended: the only one of the queue that can have moved.
void SourceIngest::Core::resume(const DeliveryPtr& delivery) {
  if (!advance(delivery)) {
    const auto place = std::find(queue_.begin(), queue_.end(), delivery);
    admitted_ = std::min(admitted_, static_cast<std::size_t>(place - queue_.begin()));
  }
  pump();
}

/// Publishes and completes from the front, in order; true when something changed.
bool SourceIngest::Core::finish_front() {
  using State = Delivery::State;
  bool changed = false;
  while (!queue_.empty()) {
    const DeliveryPtr delivery = queue_.front();
    if (delivery->state == State::failed) {
      if (delivery->handover.has_value()) write_fail_.add();
      queue_.pop_front();
      if (admitted_ > 0) --admitted_;
      delivery->promise->complete(delivery->failure);
    } else if (delivery->state == State::stored) {
      if (delivery->handover.has_value() && !delivery->handover->publish()) {
        // The next part has a keep-alive of its own, as a transaction of its own would.
        delivery->state = State::begun;
        delivery->deadline = environment_.clock.steady_now() + delivery->handover->keep_alive();
        admitted_ = 0;
        return true;
      }
      queue_.pop_front();
      if (admitted_ > 0) --admitted_;
      offer_optional(*delivery);
      delivery->promise->complete({});
    } else {
      break;
    }
    changed = true;
  }
  return changed;
}

void SourceIngest::Core::offer_optional(Delivery& delivery) {
  for (Route& route : delivery.optional) {
    OptionalQueue& queue = delivery.plan->optional.at(route.channel);
    queue.offer(std::move(route.batch), poster(delivery.plan));
  }
}

Handover::Post SourceIngest::Core::poster(const PlanPtr& plan) {
  return [self = shared_from_this(), plan](std::function<void()> task) {
    self->serial_.run([self, plan, task = std::move(task)] { task(); });
  };
}

void SourceIngest::Core::advance_optional() {
  if (held_) return;  // a channel that ends must get nothing more
  for (const PlanPtr& plan : plans_) {
    for (auto& [index, queue] : plan->optional) {
      if (!queue.deadline().has_value()) continue;
      hungry_.store(true);
      queue.advance(poster(plan));
    }
  }
  // Replaced plans stay until nothing waits for their optional channels.
  const PlanPtr current = plans_.back();
  std::erase_if(plans_, [&](const PlanPtr& plan) { return plan != current && !plan->waits(); });
}

void SourceIngest::Core::arm_timer() {
  std::optional<Clock::Steady> next;
  const auto consider = [&next](Clock::Steady when) { next = next.has_value() ? std::min(*next, when) : when; };
  if (admitted_ < queue_.size()) {
    Delivery& first = *queue_[admitted_];
    if (first.deadline != Clock::Steady::max()) consider(first.deadline);
    if (first.handover.has_value() && !first.handover->failure().ok()) {
      consider(environment_.clock.steady_now() + kRetryPause);
    }
  }
  for (const PlanPtr& plan : plans_) {
    for (const auto& [index, queue] : plan->optional) {
      if (const auto deadline = queue.deadline(); deadline && !held_) consider(*deadline);
    }
  }
  if (!next.has_value() || (timer_.has_value() && *timer_ <= *next)) return;
  timer_ = next;
  engine_.at(*next, [weak = weak_from_this(), when = *next] {
    const std::shared_ptr<Core> alive = weak.lock();
    if (alive == nullptr) return;
    alive->serial_.run([alive, when] {
      if (alive->timer_ == when) alive->timer_.reset();
      alive->pump();
    });
  });
}

void SourceIngest::Core::stop() {
  stopped_.store(true);
  serial_.run([self = shared_from_this()] {
    self->pump();
    for (const PlanPtr& plan : self->plans_) {
      for (auto& [index, queue] : plan->optional) queue.drop_all();
    }
  });
}

/// What must never happen: interceptors run again on a batch that waited.
void SourceIngest::Core::sabotage_interceptors(Delivery& delivery) {
  if (!FAILPOINT("interceptor.run_on_retry")) return;
  delivery.handover->replace_batches([&](const BatchPtr& batch) -> BatchPtr {
    std::vector<std::size_t> all(batch->size());
    std::iota(all.begin(), all.end(), 0u);
    Batch copy = batch->subset(all);
    intercept(*delivery.plan, copy).ignore();
    return std::make_shared<const Batch>(std::move(copy));
  });
}

// -- SourceIngest -----------------------------------------------------------------------------------------------------

SourceIngest::SourceIngest(Environment& environment, EngineThread& engine, IngestPlan plan, OptionalLimits limits)
    : core_(std::make_shared<Core>(environment, engine, limits)) {
  core_->replace(std::move(plan));
}

SourceIngest::~SourceIngest() {
  stop();
  core_->replace({});
}

void SourceIngest::keep(std::shared_ptr<void> owner) { core_->keep(std::move(owner)); }
Receipt SourceIngest::deliver(Batch batch) { return core_->deliver(std::move(batch)); }
void SourceIngest::replace(IngestPlan plan) { core_->replace(std::move(plan)); }
void SourceIngest::stop() { core_->stop(); }
Receipt SourceIngest::hold() { return core_->hold(); }
void SourceIngest::resume() { core_->resume_held(); }
void SourceIngest::restart() { core_->restart(); }
Status SourceIngest::refusal() const { return core_->refusal(); }

}  // namespace standpipe

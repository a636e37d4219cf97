#include "sinks/spark/spark_sink.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <set>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "rpc/avro/event_encoder.h"
#include "rpc/avro/message.h"
#include "rpc/avro/spark_calls.h"
#include "rpc/server_options.h"
#include "sinks/spark/lent_batches.h"
#include "sinks/spark/spark_server.h"

namespace standpipe {

namespace {

using std::chrono::milliseconds;

// A receiver holds a batch in memory as a whole: of larger events it gets fewer at a time.
constexpr std::size_t kLargestBatch = 16 << 20;
constexpr std::size_t kMostWaiting = 65'536;  // calls for events, of all connections
constexpr milliseconds kMemoryRetry{20};
constexpr milliseconds kAcksAtStop{1000};
constexpr std::int64_t kWarnEveryMs = 60'000;
constexpr std::string_view kStopped = "Spark sink has been stopped!";  // as Spark's own sink says it

constexpr Option kOptions[] = {
    {.name = "hostname", .kind = Kind::host, .fallback = "0.0.0.0", .help = "Address to listen on; 0.0.0.0 means all."},
    {.name = "port", .kind = Kind::port, .help = "Port that Spark's receivers pull from.", .required = true},
    {.name = "threads",
     .kind = Kind::integer,
     .fallback = "10",
     .help = "Most batches that are handed out and not acknowledged; a receiver that asks for more waits.",
     .min = 1,
     .max = 10'000},
    {.name = "timeout",
     .kind = Kind::duration,
     .fallback = "60",
     .help = "A batch that is not acknowledged for this time goes back to the channel.",
     .unit = "s",
     .min = 1},
    {.name = "backoffInterval",
     .kind = Kind::duration,
     .fallback = "200",
     .help = "Pause before a channel that was empty is looked at again; what comes meanwhile goes out in one batch.",
     .unit = "ms",
     .min = 0},
    rpc::server_options::kStallTimeout,
};
constexpr std::string_view kClassNames[] = {"org.apache.spark.streaming.flume.sink.SparkSink"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::sink,
                              .name = "spark",
                              .class_names = kClassNames,
                              .summary = "Keeps batches ready for a Spark Streaming receiver that pulls them.",
                              .options = kOptions,
                              .acknowledges = "Spark's receiver has stored the batch and said so"};

/// See spark_sink.h. Lives on its runner's thread; its server lives on the loop and only wakes it.
class SparkSink final : public Sink {
 public:
  SparkSink(const Settings& settings, Environment& environment)
      : environment_(environment),
        host_(settings.text("hostname")),
        port_(static_cast<std::uint16_t>(settings.integer("port"))),
        most_lent_(static_cast<std::size_t>(settings.integer("threads"))),
        timeout_(settings.duration("timeout")),
        backoff_(settings.duration("backoffInterval")),
        patience_(settings.duration("request-timeout")),
        drain_(environment.counters),
        late_acks_(environment.counters.counter(counter_names::kLateAck)),
        duplicates_(environment.counters.counter(counter_names::kDuplicate)) {}
  ~SparkSink() override { stop(); }

  Status start() override {
    server_ = std::make_unique<SparkServer>(environment_, patience_, [this] {
      if (Outlet* outlet = outlet_.load()) outlet->wake();
    });
    const Status status = server_->start(host_, port_);
    if (!status.ok()) server_ = nullptr;
    return status;
  }

  Result<Turn> process(Outlet& outlet, std::stop_token) override {
    outlet_ = &outlet;
    acknowledged_ = false;
    Status status = take_requests();
    expire();
    if (status.ok()) status = hand_out(outlet);
    send_replies();
    TRY(status);
    return Turn{.worked = acknowledged_, .wake_by = next_due()};
  }

  const Status* held_up() const override { return refused_.ok() ? nullptr : &refused_; }

  void stop() override {
    if (server_ == nullptr) return;
    stopping_ = true;
    refuse_waiting(kStopped);
    wait_for_last_acknowledgements();
    server_->finish();
    answer_last_requests();
    server_->stop();  // nobody calls back from here on
    server_ = nullptr;
    if (!lent_.empty()) {
      environment_.log.info(fmt::format("{} batches were not acknowledged: they go back to the channel", lent_.size()));
    }
    lent_ = {};
    refused_ = {};
    look_at_ = {};
    outlet_ = nullptr;
    stopping_ = false;
  }

 private:
  struct Waiting {
    SparkCaller caller;
    std::size_t events;
    std::string peer;
  };

  // -- requests -------------------------------------------------------------------------------------------------------

  /// Fails when the channel could not commit something.
  Status take_requests() {
    Status failure;
    std::set<std::uint64_t> gone;
    for (SparkRequest& request : server_->inbox().take()) {
      switch (request.kind) {
        case SparkRequest::Kind::fetch: queue(request); break;
        case SparkRequest::Kind::ack:
          if (const Status status = acknowledge(request); !status.ok() && failure.ok()) failure = status;
          break;
        case SparkRequest::Kind::nack: refuse(request); break;
        case SparkRequest::Kind::not_sent: lent_.settle(request.batch); break;  // dropped, its lease goes back
        case SparkRequest::Kind::gone: gone.insert(request.caller.connection); break;
      }
    }
    if (!gone.empty()) {
      std::erase_if(waiting_, [&](const Waiting& waiting) { return gone.contains(waiting.caller.connection); });
    }
    return failure;
  }

  void queue(const SparkRequest& request) {
    if (stopping_) return reply_error(request.caller, kStopped);
    if (request.events < 1) return reply_error(request.caller, "a batch has at least one event");
    if (waiting_.size() >= kMostWaiting) return reply_error(request.caller, "too many receivers wait for events");
    waiting_.push_back({request.caller, static_cast<std::size_t>(request.events), request.peer});
  }

  Status acknowledge(const SparkRequest& request) {
    std::optional<LentBatches::Lent> lent = lent_.settle(request.batch);
    if (!lent) {
      note_late(request);
      reply_done(request.caller);
      return {};
    }
    const Status status = lent->lease.commit(0, lent->events);
    if (status.ok()) {
      drain_.succeeded(lent->events);
      refused_ = {};
      acknowledged_ = true;
    } else if (status.code() != Code::fenced) {  // taken away by its group, which counts it
      reply(request.caller, [&](std::string& message) { avro::put_error(message, status.message()); });
      return status;
    }
    reply_done(request.caller);
    return {};
  }

  /// An acknowledgement for what has gone back, or of an earlier run: whoever sent it has events that come again.
  void note_late(const SparkRequest& request) {
    const auto events = lent_.went_back(request.batch);
    const bool named = request.batch != 0 && request.batch < lent_.next_number();
    const bool repeated = named && !events;  // once more, for what was acknowledged before
    if (repeated) return;
    late_acks_.add();
    if (events) duplicates_.add(static_cast<std::int64_t>(*events));
    if (!late_limit_.pass(environment_.clock.now_ms())) return;
    environment_.log.warn(
        events
            ? fmt::format("a batch of {} events was acknowledged too late: it had gone back to the channel, and they "
                          "come twice; give Spark more time with timeout",
                          *events)
            : std::string("an acknowledgement names no batch of this sink since it was started: its events come "
                          "twice"));
  }

  void refuse(const SparkRequest& request) {
    if (const auto lent = lent_.give_up(request.batch)) {
      note_refusal(fmt::format("{} could not store a batch of {} events: they go back to the channel", lent->receiver,
                               lent->events));
    }
    reply_done(request.caller);
  }

  void expire() {
    for (const LentBatches::Lent& lent : lent_.expire(environment_.clock.steady_now())) {
      note_refusal(fmt::format("{} has not acknowledged a batch of {} events for {} s: they go back to the channel",
                               lent.receiver, lent.events, timeout_.count() / 1000));
      server_->expired(lent.session, lent.number);
    }
  }

  void note_refusal(std::string why) {
    drain_.write_failed();
    if (refusal_limit_.pass(environment_.clock.now_ms())) environment_.log.warn(why);
    refused_ = {Code::unavailable, std::move(why)};
    refused_.ignore();  // /healthz shows it
  }

  // -- batches --------------------------------------------------------------------------------------------------------

  /// Fails when the channel can't be read; whoever waits is told.
  Status hand_out(Outlet& outlet) {
    while (!waiting_.empty() && lent_.size() < most_lent_ && environment_.clock.steady_now() >= look_at_) {
      Result<Lease> lease = outlet.take(waiting_.front().events);
      if (!lease.ok()) {
        refuse_waiting(lease.status().message());
        return lease.status();
      }
      if (lease->empty()) {
        drain_.batch(0, waiting_.front().events);
        look_at_ = environment_.clock.steady_now() + backoff_;
        break;
      }
      if (!lend(std::move(*lease))) {
        look_at_ = environment_.clock.steady_now() + kMemoryRetry;
        break;
      }
    }
    return {};
  }

  /// To the one who waits longest. False: there is no memory for it now, and it has gone back.
  bool lend(Lease lease) {
    const Waiting& waiting = waiting_.front();
    const std::string front =
        waiting.caller.front + avro::spark_batch_front(server_->sequence().text(lent_.next_number()));
    const avro::RequestExtent extent = avro::measure_events(lease, front, kLargestBatch);
    avro::EncodedRequest frame =
        avro::encode_events(lease, extent, front, waiting.caller.serial, environment_.budget, lent_.empty());
    if (frame.slab == nullptr) return false;
    drain_.batch(extent.events, waiting.events);
    drain_.attempted(extent.events);
    if (FAILPOINT("spark.commit_before_ack")) lease.commit(0, extent.events).ignore();
    lease.give_back(extent.events, lease.size());
    replies_.push_back({.to = waiting.caller, .frame = std::move(frame), .batch = lent_.next_number()});
    lent_.lend({std::move(lease), extent.events, environment_.clock.steady_now() + timeout_, waiting.peer,
                waiting.caller.session});
    waiting_.pop_front();
    return true;
  }

  std::optional<Clock::Steady> next_due() const {
    std::optional<Clock::Steady> due;
    if (!lent_.empty()) due = lent_.next_deadline();
    const bool looks = !waiting_.empty() && lent_.size() < most_lent_ && look_at_ > environment_.clock.steady_now();
    if (looks) due = due ? std::min(*due, look_at_) : look_at_;
    return due;
  }

  // -- answers --------------------------------------------------------------------------------------------------------

  template <typename Put>
  void reply(const SparkCaller& to, Put&& put) {
    std::string message = to.front;
    put(message);
    replies_.push_back({.to = to, .message = std::move(message)});
  }

  void reply_done(const SparkCaller& to) { reply(to, avro::put_spark_done); }

  void reply_error(const SparkCaller& to, std::string_view why) {
    reply(to, [&](std::string& message) { avro::put_spark_error(message, why); });
  }

  void refuse_waiting(std::string_view why) {
    for (const Waiting& waiting : waiting_) reply_error(waiting.caller, why);
    waiting_.clear();
  }

  void send_replies() { server_->send(std::exchange(replies_, {})); }

  // -- the end --------------------------------------------------------------------------------------------------------

  /// While somebody is there who may acknowledge.
  void wait_for_last_acknowledgements() {
    const Clock::Steady deadline = environment_.clock.steady_now() + kAcksAtStop;
    for (;;) {
      answer_last_requests();
      const bool may_come = !lent_.empty() && server_->has_connections();
      if (!may_come || environment_.clock.steady_now() >= deadline) return;
      server_->inbox().wait(environment_.clock, deadline);
    }
  }

  void answer_last_requests() {
    // A commit that fails leaves the events in the channel, and the receiver is told: nothing to add at the end.
    take_requests().ignore();
    send_replies();
  }

  Environment& environment_;
  const std::string host_;
  const std::uint16_t port_;
  const std::size_t most_lent_;
  const milliseconds timeout_;
  const milliseconds backoff_;
  const milliseconds patience_;
  DrainCounters drain_;
  Counter& late_acks_;
  Counter& duplicates_;
  LogLimiter late_limit_{kWarnEveryMs};
  LogLimiter refusal_limit_{kWarnEveryMs};
  std::atomic<Outlet*> outlet_{nullptr};
  std::unique_ptr<SparkServer> server_;
  std::deque<Waiting> waiting_;  // calls for events, in the order in which they came
  LentBatches lent_;
  std::vector<SparkReply> replies_;  // of this turn
  Clock::Steady look_at_;            // no earlier look into the channel
  Status refused_;                   // why events have come back, until something is acknowledged
  bool acknowledged_ = false;        // in this turn: a group's member that failed is well again
  bool stopping_ = false;
};

}  // namespace

const SinkFactory kSparkSink{&kInfo,
                             [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Sink>> {
                               if (environment.network == nullptr)
                                 return Status(Code::invalid, "the spark sink needs a network");
                               return std::unique_ptr<Sink>(std::make_unique<SparkSink>(settings, environment));
                             }};

}  // namespace standpipe

#include "sinks/avro/avro_sink.h"

#include <algorithm>
#include <atomic>
#include <deque>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "net/tls_options.h"
#include "rpc/avro/link.h"

namespace standpipe {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unsigned kWindow = 8;
// Events that are large are sent in parts of this size: a receiver reads no request of any size.
constexpr std::size_t kLargestRequest = 16 << 20;
constexpr milliseconds kMemoryRetry{20};
constexpr milliseconds kAnswersAtStop{1000};
constexpr milliseconds kRetryPause{200};
constexpr milliseconds kShortConnection{1000};

constexpr std::string_view kOneHost = "this sink sends to its hostname and port; use a sink group for several hosts";
constexpr Option kOptions[] = {
    {.name = "hostname", .kind = Kind::host, .help = "Host to send to.", .required = true},
    {.name = "port", .kind = Kind::port, .help = "Port to send to.", .required = true},
    {.name = "batch-size",
     .kind = Kind::integer,
     .fallback = "100",
     .help = "Most events in one request.",
     .unit = "events",
     .lenient = true,
     .min = 1,
     .max = 1'000'000},
    {.name = "connect-timeout",
     .kind = Kind::duration,
     .fallback = "20000",
     .help = "Longest time to connect; at least a second.",
     .unit = "ms",
     .lenient = true,
     .min = 1000},
    {.name = "request-timeout",
     .kind = Kind::duration,
     .fallback = "20000",
     .help = "Longest time to wait for an answer; at least a second.",
     .unit = "ms",
     .lenient = true,
     .min = 1000},
    {.name = "reset-connection-interval",
     .kind = Kind::duration,
     .fallback = "0",
     .help = "How often to connect anew, so that a load balancer can move the connection; 0 means never.",
     .unit = "s",
     .min = 0},
    {.name = "compression-type",
     .kind = Kind::choice,
     .fallback = "none",
     .help = "Compression of the connection; the receiver must agree.",
     .choices = "none|deflate"},
    {.name = "compression-level",
     .kind = Kind::integer,
     .fallback = "6",
     .help = "How hard to compress; 0 is not at all.",
     .min = 0,
     .max = 9},
    tls_options::kDeflateOutside,
    tls_options::kClientSsl,
    tls_options::kTrustAll,
    tls_options::kVerifyHostname,
    tls_options::kClientTruststore,
    tls_options::kTruststorePassword,
    tls_options::kTruststoreType,
    tls_options::kClientKeystore,
    tls_options::kKeystorePassword,
    tls_options::kKeystoreType,
    tls_options::kExcludeProtocols,
    tls_options::kIncludeProtocols,
    tls_options::kExcludeCipherSuites,
    tls_options::kIncludeCipherSuites,
    {.name = "maxIoWorkers",
     .kind = Kind::integer,
     .help = "Number of worker threads.",
     .min = 0,
     .no_effect = "all network components share one small pool of threads; Flume ignores it too since 1.10"},
    {.name = "client.type", .kind = Kind::name, .help = "Kind of Flume's Java client.", .no_effect = kOneHost},
    {.name = "hosts", .kind = Kind::list, .help = "Names of hosts for Flume's Java client.", .no_effect = kOneHost},
    {.name = "hosts.*", .help = "A host for Flume's Java client.", .no_effect = kOneHost},
    {.name = "max-attempts",
     .kind = Kind::integer,
     .help = "Attempts of Flume's failover client.",
     .min = 0,
     .no_effect = kOneHost},
    {.name = "backoff",
     .kind = Kind::boolean,
     .help = "Back-off of Flume's load balancing client.",
     .no_effect = kOneHost},
    {.name = "maxBackoff",
     .kind = Kind::duration,
     .help = "Longest back-off of Flume's client.",
     .unit = "ms",
     .no_effect = kOneHost},
    {.name = "host-selector", .kind = Kind::name, .help = "How Flume's client chooses a host.", .no_effect = kOneHost},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.sink.AvroSink"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::sink,
                              .name = "avro",
                              .class_names = kClassNames,
                              .summary = "Sends events by Avro RPC to another agent.",
                              .options = kOptions,
                              .batch_option = "batch-size",
                              .acknowledges = "the receiving agent has answered OK"};

struct SinkCounters {
  explicit SinkCounters(CounterGroup& group)
      : created(group.counter(counter_names::kConnectionCreated)),
        closed(group.counter(counter_names::kConnectionClosed)),
        failed(group.counter(counter_names::kConnectionFailed)),
        batch_empty(group.counter(counter_names::kBatchEmpty)),
        batch_underflow(group.counter(counter_names::kBatchUnderflow)),
        batch_complete(group.counter(counter_names::kBatchComplete)),
        drain_attempt(group.counter(counter_names::kDrainAttempt)),
        drain_success(group.counter(counter_names::kDrainSuccess)),
        write_fail(group.counter(counter_names::kEventWriteFail)) {}

  Counter& created;
  Counter& closed;
  Counter& failed;
  Counter& batch_empty;
  Counter& batch_underflow;
  Counter& batch_complete;
  Counter& drain_attempt;
  Counter& drain_success;
  Counter& write_fail;
};

/// See avro_sink.h. Lives on its runner's thread; its link lives on the loop and only wakes it.
class AvroSink final : public Sink {
 public:
  AvroSink(const Settings& settings, Environment& environment, std::shared_ptr<const TlsContext> tls)
      : environment_(environment),
        batch_size_(static_cast<std::size_t>(settings.integer("batch-size"))),
        request_timeout_(settings.duration("request-timeout")),
        reset_interval_(settings.duration("reset-connection-interval")),
        counters_(environment.counters) {
    link_options_.peer.host = settings.text("hostname");
    link_options_.peer.port = static_cast<std::uint16_t>(settings.integer("port"));
    link_options_.peer.timeout = settings.duration("connect-timeout");
    link_options_.window = kWindow;
    link_options_.tls = std::move(tls);
    name_is_unchecked_ = link_options_.tls != nullptr && !settings.boolean("verify-hostname");
    link_options_.deflate_outside_tls = settings.boolean("deflate-outside-tls");
    if (settings.choice("compression-type") == "deflate") {
      link_options_.deflate_level = static_cast<int>(settings.integer("compression-level"));
    }
  }
  ~AvroSink() override { stop(); }

  /// Connects at once, as Flume: an operator sees at the start who can't be reached.
  Status start() override {
    if (name_is_unchecked_) {
      environment_.log.warn(
          fmt::format("any server with a certificate that is trusted may pass for {}: verify-hostname "
                      "= true looks at the name in it",
                      link_options_.peer.host));
    }
    link_ = std::make_unique<avro::Link>(*environment_.network, link_options_, [this] {
      if (Outlet* outlet = outlet_.load()) outlet->wake();
    });
    retry_at_ = {};
    return open();
  }

  Result<Turn> process(Outlet& outlet, std::stop_token) override {
    outlet_ = &outlet;
    const avro::Link::View view = link_->view();  // first: answers that came before an end are then among the answers
    const bool settled = settle_answers();
    if (view.connected) note_connected();
    TRY(look_after(view));
    return refusal_.ok() && !reset_due() ? send(outlet, settled) : idle(settled);
  }

  void stop() override {
    if (link_ == nullptr) return;
    wait_for_last_answers();
    note_closed();
    link_ = nullptr;  // nobody calls back from here on
    flights_.clear();
    refusal_ = {};
    outlet_ = nullptr;
  }

 private:
  /// A lease that was sent and is not answered. What of it was not sent has gone back.
  struct Flight {
    Lease lease;
    std::size_t events;
    std::int32_t serial;
    Clock::Steady deadline;
  };

  std::string peer() const { return fmt::format("{}:{}", link_options_.peer.host, link_options_.peer.port); }

  // -- the connection -------------------------------------------------------------------------------------------------

  /// Connects anew where that is due. Fails when the sink has failed: then every lease has gone back.
  Status look_after(const avro::Link::View& view) {
    if (view.phase == avro::Link::Phase::failed) return ended(view.failure);
    if (late()) refuse({Code::timeout, fmt::format("{} did not answer in {} ms", peer(), request_timeout_.count())});
    if (!refusal_.ok()) return flights_.empty() || late() ? fail() : Status();
    if (view.phase == avro::Link::Phase::closed) return open();
    if (reset_due() && flights_.empty()) return reopen("reset-connection-interval is over");
    return {};
  }

  /// Not again right after a failure: whoever has other sinks to turn to may ask much more often than this.
  Status open() {
    if (environment_.clock.steady_now() < retry_at_) return last_failure_;
    connected_ = answered_ = false;
    link_->open();
    return {};
  }

  Status reopen(std::string_view why) {
    environment_.log.info(fmt::format("connecting to {} anew: {}", peer(), why));
    note_closed();
    return open();
  }

  void note_connected() {
    if (std::exchange(connected_, true)) return;
    counters_.created.add();
    connected_at_ = environment_.clock.steady_now();
  }

  void note_closed() {
    if (std::exchange(connected_, false)) counters_.closed.add();
  }

  bool reset_due() const {
    return connected_ && reset_interval_.count() > 0 &&
           environment_.clock.steady_now() >= connected_at_ + reset_interval_;
  }

  /// The connection is gone, or none came about. While nothing was open that is a peer's right, unless it does so at
  /// once.
  Status ended(const Status& why) {
    const bool worked =
        answered_ || (connected_ && environment_.clock.steady_now() >= connected_at_ + kShortConnection);
    if (flights_.empty() && refusal_.ok() && worked) return reopen(why.message());
    refuse(why);
    return fail();
  }

  void refuse(const Status& why) {
    if (refusal_.ok()) refusal_ = why;
  }

  /// Every open lease goes back; a later turn connects again.
  Status fail() {
    if (!connected_) counters_.failed.add();
    if (connected_) counters_.write_fail.add();
    flights_.clear();
    note_closed();
    link_->close();
    retry_at_ = environment_.clock.steady_now() + kRetryPause;
    last_failure_ = std::exchange(refusal_, {});
    return last_failure_;
  }

  // -- answers --------------------------------------------------------------------------------------------------------

  /// Whether there were any.
  bool settle_answers() {
    std::vector<avro::Link::Answer> answers = link_->take_answers();
    for (const avro::Link::Answer& answer : answers) settle(answer);
    return !answers.empty();
  }

  void settle(const avro::Link::Answer& answer) {
    const auto flight = std::find_if(flights_.begin(), flights_.end(),
                                     [&](const Flight& open) { return open.serial == answer.serial; });
    if (flight == flights_.end()) {
      answer.status.ignore();
      return refuse({Code::corrupt, fmt::format("{} answers a request that was not sent: {}", peer(), answer.serial)});
    }
    answered_ = true;
    if (answer.status.ok()) {
      commit(*flight);
    } else {
      refuse(answer.status);
    }
    flights_.erase(flight);  // a lease that was not committed goes back
    if (flights_.empty()) return;
    // Those behind it had to wait for it: their time begins now.
    const Clock::Steady deadline = environment_.clock.steady_now() + request_timeout_;
    for (Flight& later : flights_) later.deadline = deadline;
  }

  void commit(Flight& flight) {
    const Status status = flight.lease.commit(0, flight.events);
    if (status.ok()) {
      counters_.drain_success.add(static_cast<std::int64_t>(flight.events));
    } else if (status.code() != Code::fenced) {  // taken away by its group, which counts it
      refuse(status);
    }
  }

  bool late() const { return !flights_.empty() && environment_.clock.steady_now() >= flights_.front().deadline; }

  void wait_for_last_answers() {
    const Clock::Steady deadline = environment_.clock.steady_now() + kAnswersAtStop;
    while (!flights_.empty() && environment_.clock.steady_now() < deadline) {
      if (link_->view().phase == avro::Link::Phase::failed) break;
      link_->wait_for_news(environment_.clock, deadline);
      settle_answers();
    }
    settle_answers();
  }

  // -- requests -------------------------------------------------------------------------------------------------------

  Result<Turn> send(Outlet& outlet, bool settled) {
    const avro::Link::View view = link_->view();
    const bool ready = view.phase == avro::Link::Phase::greeting || view.phase == avro::Link::Phase::open;
    if (view.phase == avro::Link::Phase::failed) view.failure.ignore();  // the next turn hears of it
    while (ready && flights_.size() < view.window) {
      TRY_ASSIGN(Lease lease, outlet.take(batch_size_));
      if (lease.empty()) {
        counters_.batch_empty.add();
        break;
      }
      if (!send(std::move(lease))) {
        return Turn{.worked = settled, .wake_by = environment_.clock.steady_now() + kMemoryRetry};
      }
    }
    return idle(settled);
  }

  /// What is left to wait for: an answer, or a connection. After a refusal nothing more is sent; what is open still has
  /// an answer to come, and that decides.
  Turn idle(bool settled) {
    Turn turn{.worked = settled};
    if (!flights_.empty()) turn.wake_by = flights_.front().deadline;
    turn.undecided = !settled && (!connected_ || !refusal_.ok() || (!flights_.empty() && !answered_));
    return turn;
  }

  /// False: there is no memory for it now, and it has gone back.
  bool send(Lease lease) {
    const avro::RequestExtent extent = avro::measure_batch(lease, kLargestRequest);
    avro::EncodedRequest request =
        avro::encode_batch(lease, extent, next_serial_, environment_.budget, flights_.empty());
    if (request.slab == nullptr) return false;
    (lease.size() < batch_size_ ? counters_.batch_underflow : counters_.batch_complete).add();
    counters_.drain_attempt.add(static_cast<std::int64_t>(extent.events));
    if (FAILPOINT("avro_sink.commit_before_answer")) lease.commit(0, extent.events).ignore();
    lease.give_back(extent.events, lease.size());
    link_->send(next_serial_, std::move(request));
    flights_.push_back(
        {std::move(lease), extent.events, next_serial_, environment_.clock.steady_now() + request_timeout_});
    next_serial_ = next_serial_ == std::numeric_limits<std::int32_t>::max() ? 1 : next_serial_ + 1;
    return true;
  }

  Environment& environment_;
  avro::LinkOptions link_options_;
  const std::size_t batch_size_;
  const milliseconds request_timeout_;
  const milliseconds reset_interval_;
  SinkCounters counters_;
  std::atomic<Outlet*> outlet_{nullptr};
  std::unique_ptr<avro::Link> link_;
  std::deque<Flight> flights_;  // in the order in which they were sent
  Status refusal_;              // why nothing more is sent on this connection
  std::int32_t next_serial_ = 1;
  Clock::Steady connected_at_;
  Clock::Steady retry_at_;  // no earlier connection after a failure
  Status last_failure_;
  bool name_is_unchecked_ = false;
  bool connected_ = false;
  bool answered_ = false;  // something came back over this connection
};

}  // namespace

const SinkFactory kAvroSink{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Sink>> {
      TRY_ASSIGN(auto tls, tls_options::client(settings));
      if (environment.network == nullptr) return Status(Code::invalid, "the avro sink needs a network");
      return std::unique_ptr<Sink>(std::make_unique<AvroSink>(settings, environment, std::move(tls)));
    }};

}  // namespace standpipe

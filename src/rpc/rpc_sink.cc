#include "rpc/rpc_sink.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "rpc/sink_options.h"
#include "rpc/window.h"
#include "standpipe/counters.h"

namespace standpipe::rpc {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMemoryRetry{20};
constexpr milliseconds kAnswersAtStop{1000};
constexpr milliseconds kRetryPause{200};
constexpr milliseconds kShortConnection{1000};

/// See rpc_sink.h. Lives on its runner's thread; its link lives on the loop and only wakes it.
class RpcSink final : public Sink {
 public:
  RpcSink(const Settings& settings, Environment& environment, std::unique_ptr<const SinkProtocol> protocol)
      : environment_(environment),
        protocol_(std::move(protocol)),
        peer_(sink_options::peer(settings)),
        batch_size_(static_cast<std::size_t>(settings.integer("batch-size"))),
        request_timeout_(settings.duration("request-timeout")),
        reset_interval_(settings.duration("reset-connection-interval")),
        created_(environment.counters.counter(counter_names::kConnectionCreated)),
        closed_(environment.counters.counter(counter_names::kConnectionClosed)),
        failed_(environment.counters.counter(counter_names::kConnectionFailed)),
        drain_(environment.counters) {}
  ~RpcSink() override { stop(); }

  /// Connects at once, as Flume: an operator sees at the start who can't be reached.
  Status start() override {
    link_ = protocol_->link(*environment_.network, [this] {
      if (Outlet* outlet = outlet_.load()) outlet->wake();
    });
    retry_at_ = {};
    return open();
  }

  Result<Turn> process(Outlet& outlet, std::stop_token) override {
    outlet_ = &outlet;
    const Link::View view = link_->view();  // first: answers that came before an end are then among the answers
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
    give_all_back();
    refusal_ = {};
    outlet_ = nullptr;
  }

 private:
  /// A lease that was sent and is not answered. What of it was not sent has gone back.
  struct Flight {
    Lease lease;
    std::size_t events;
    std::size_t bytes;
    std::int32_t serial;
  };

  std::string peer() const { return fmt::format("{}:{}", peer_.host, peer_.port); }

  // -- the connection -------------------------------------------------------------------------------------------------

  /// Connects anew where that is due. Fails when the sink has failed: then every lease has gone back.
  Status look_after(const Link::View& view) {
    if (view.phase == Link::Phase::failed) return ended(view.failure);
    if (late()) refuse({Code::timeout, fmt::format("{} did not answer in {} ms", peer(), request_timeout_.count())});
    if (!refusal_.ok()) return flights_.empty() || late() ? fail() : Status();
    if (view.phase == Link::Phase::closed) return open();
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
    // A receiver may close after each answer.
    if (reopened_.pass(environment_.clock.now_ms())) {
      environment_.log.info(fmt::format("connecting to {} anew: {}", peer(), why));
    }
    note_closed();
    return open();
  }

  void note_connected() {
    if (std::exchange(connected_, true)) return;
    created_.add();
    connected_at_ = environment_.clock.steady_now();
  }

  void note_closed() {
    if (std::exchange(connected_, false)) closed_.add();
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
    if (!connected_) failed_.add();
    if (connected_) drain_.write_failed();
    give_all_back();
    note_closed();
    link_->close();
    retry_at_ = environment_.clock.steady_now() + kRetryPause;
    last_failure_ = std::exchange(refusal_, {});
    return last_failure_;
  }

  void give_all_back() {
    flights_.clear();
    open_bytes_ = 0;
  }

  // -- answers --------------------------------------------------------------------------------------------------------

  /// Whether there were any.
  bool settle_answers() {
    std::vector<Link::Answer> answers = link_->take_answers();
    for (const Link::Answer& answer : answers) settle(answer);
    return !answers.empty();
  }

  void settle(const Link::Answer& answer) {
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
    open_bytes_ -= flight->bytes;
    flights_.erase(flight);  // a lease that was not committed goes back
    begin_waiting();         // those behind it had to wait for it
  }

  /// An answer is due in request-timeout from now on.
  void begin_waiting() { deadline_ = environment_.clock.steady_now() + request_timeout_; }

  void commit(Flight& flight) {
    const Status status = flight.lease.commit(0, flight.events);
    if (status.ok()) {
      drain_.succeeded(flight.events);
    } else if (status.code() != Code::fenced) {  // taken away by its group, which counts it
      refuse(status);
    }
  }

  bool late() const { return !flights_.empty() && environment_.clock.steady_now() >= deadline_; }

  void wait_for_last_answers() {
    const Clock::Steady deadline = environment_.clock.steady_now() + kAnswersAtStop;
    while (!flights_.empty() && environment_.clock.steady_now() < deadline) {
      const Link::View view = link_->view();
      view.failure.ignore();  // it ends anyway
      if (view.phase == Link::Phase::failed) break;
      link_->wait_for_news(environment_.clock, deadline);
      settle_answers();
    }
    settle_answers();
  }

  // -- requests -------------------------------------------------------------------------------------------------------

  Result<Turn> send(Outlet& outlet, bool settled) {
    const Link::View view = link_->view();
    const bool ready = view.phase == Link::Phase::greeting || view.phase == Link::Phase::open;
    if (view.phase == Link::Phase::failed) view.failure.ignore();  // the next turn hears of it
    if (!ready) return idle(settled);
    const Result<bool> has_memory = fill_window(outlet, view.window);
    link_->flush();
    TRY(has_memory.status());
    if (!*has_memory) return Turn{.worked = settled, .wake_by = environment_.clock.steady_now() + kMemoryRetry};
    return idle(settled);
  }

  /// False: there was no memory for a request.
  Result<bool> fill_window(Outlet& outlet, unsigned granted) {
    while (window::has_room(flights_.size(), open_bytes_, granted)) {
      TRY_ASSIGN(Lease lease, outlet.take(batch_size_));
      if (lease.empty()) {
        drain_.batch(0, batch_size_);
        return true;
      }
      if (!send(std::move(lease))) return false;
    }
    return true;
  }

  /// What is left to wait for: an answer, or a connection. After a refusal nothing more is sent; what is open still has
  /// an answer to come, and that decides.
  Turn idle(bool settled) {
    Turn turn{.worked = settled};
    if (!flights_.empty()) turn.wake_by = deadline_;
    turn.undecided = !settled && (!connected_ || !refusal_.ok() || (!flights_.empty() && !answered_));
    return turn;
  }

  /// False: there is no memory for it now, and it has gone back.
  bool send(Lease lease) {
    const RequestExtent extent = protocol_->measure(lease);
    EncodedRequest request = protocol_->encode(lease, extent, next_serial_, environment_.budget, flights_.empty());
    if (request.slab == nullptr) return false;
    drain_.batch(lease.size(), batch_size_);
    drain_.attempted(extent.events);
    if (FAILPOINT("rpc_sink.commit_before_answer")) lease.commit(0, extent.events).ignore();
    lease.give_back(extent.events, lease.size());
    if (flights_.empty()) begin_waiting();
    const std::size_t bytes = request.bytes.size();
    link_->send(next_serial_, std::move(request));
    flights_.push_back({std::move(lease), extent.events, bytes, next_serial_});
    open_bytes_ += bytes;
    next_serial_ = next_serial_ == std::numeric_limits<std::int32_t>::max() ? 1 : next_serial_ + 1;
    return true;
  }

  Environment& environment_;
  const std::unique_ptr<const SinkProtocol> protocol_;
  const ConnectOptions peer_;
  const std::size_t batch_size_;
  const milliseconds request_timeout_;
  const milliseconds reset_interval_;
  Counter& created_;
  Counter& closed_;
  Counter& failed_;
  DrainCounters drain_;
  std::atomic<Outlet*> outlet_{nullptr};
  std::unique_ptr<Link> link_;
  std::deque<Flight> flights_;  // in the order in which they were sent
  std::size_t open_bytes_ = 0;  // of theirs
  Clock::Steady deadline_;      // for the next answer to one of them
  Status refusal_;              // why nothing more is sent on this connection
  std::int32_t next_serial_ = 1;
  Clock::Steady connected_at_;
  LogLimiter reopened_{60'000};
  Clock::Steady retry_at_;  // no earlier connection after a failure
  Status last_failure_;
  bool connected_ = false;
  bool answered_ = false;  // something came back over this connection
};

}  // namespace

ConnectOptions sink_options::peer(const Settings& settings) {
  return {settings.text("hostname"), static_cast<std::uint16_t>(settings.integer("port")),
          settings.duration("connect-timeout")};
}

Result<std::unique_ptr<Sink>> make_sink(const Settings& settings, Environment& environment,
                                        std::unique_ptr<const SinkProtocol> protocol) {
  if (environment.network == nullptr) {
    return Status(Code::invalid, fmt::format("the {} sink needs a network", settings.info().name));
  }
  return std::unique_ptr<Sink>(std::make_unique<RpcSink>(settings, environment, std::move(protocol)));
}

}  // namespace standpipe::rpc

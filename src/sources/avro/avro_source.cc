#include "sources/avro/avro_source.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "net/deflated_connection.h"
#include "net/first_byte.h"
#include "net/name_lookup.h"
#include "net/peer_filter.h"
#include "net/session_set.h"
#include "net/tls_options.h"
#include "rpc/source_options.h"
#include "sources/avro/avro_session.h"

namespace standpipe {

namespace {

constexpr std::chrono::milliseconds kLongestBetweenSweeps{10'000};
constexpr char kTlsHandshake = 0x16;

constexpr Option kOptions[] = {
    rpc::source_options::kBind,
    rpc::source_options::kPort,
    {.name = "threads",
     .kind = Kind::integer,
     .fallback = "0",
     .help = "Number of worker threads.",
     .min = 0,
     .no_effect = "all network sources share one small pool of threads; Flume ignores it too since 1.10"},
    rpc::source_options::kMaxRequest,
    rpc::source_options::kStallTimeout,
    {.name = "compression-type",
     .kind = Kind::choice,
     .fallback = "none",
     .help = "Compression of the connection; the sender must agree.",
     .choices = "none|deflate"},
    {.name = "ipFilter",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "Whether ipFilterRules decide who may "
             "connect."},
    {.name = "ipFilterRules",
     .kind = Kind::comma_list,
     .help = "Rules tried in order, each allow or deny, then ip or name, then a pattern, joined by colons."},
    tls_options::kServerSsl,
    tls_options::kServerKeystore,
    tls_options::kKeystorePassword,
    tls_options::kKeystoreType,
    tls_options::kNeedClientAuth,
    tls_options::kServerTruststore,
    tls_options::kTruststorePassword,
    tls_options::kTruststoreType,
    tls_options::kExcludeProtocols,
    tls_options::kIncludeProtocols,
    tls_options::kExcludeCipherSuites,
    tls_options::kIncludeCipherSuites,
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.source.AvroSource"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::source,
                              .name = "avro",
                              .class_names = kClassNames,
                              .summary = "Receives events by Avro RPC from another agent or a client.",
                              .options = kOptions};

/// See avro_source.h. start() and stop() come from the runner; sessions live on the loop.
class AvroSource final : public Source {
 public:
  AvroSource(const Settings& settings, Environment& environment, std::shared_ptr<const TlsContext> tls,
             std::optional<PeerFilter> filter)
      : settings_(settings),
        environment_(environment),
        tls_(std::move(tls)),
        filter_(std::move(filter)),
        stall_timeout_(settings.duration("request-timeout")),
        deflate_(settings.choice("compression-type") == "deflate"),
        refused_(environment.counters.counter(counter_names::kEventReadFail)),
        sessions_(environment.counters.counter(counter_names::kOpenConnections)) {}
  ~AvroSource() override { stop(); }

  Status start(Ingest& ingest) override {
    shared_ =
        std::make_unique<AvroShared>(environment_, ingest, rpc::source_options::max_request(settings_, environment_));
    if (filter_ && filter_->asks_for_names()) {
      names_ = std::make_unique<NameLookup>(*environment_.network, environment_.clock);
    }
    ListenOptions options;
    options.host = settings_.text("bind");
    options.port = static_cast<std::uint16_t>(settings_.integer("port"));
    options.log = &environment_.log;
    TRY_ASSIGN(listener_, environment_.network->listen(options, [this](std::unique_ptr<Connection> connection) {
      accept(std::move(connection));
    }));
    environment_.network->run([this] { sweep_later(); });
    environment_.log.info(fmt::format("listening on {}:{}", options.host, listener_->port()));
    return {};
  }

  void stop() override {
    if (shared_ == nullptr) return;
    environment_.network->run([this] {
      listener_ = nullptr;
      sweeper_ = nullptr;
      names_ = nullptr;
      nameless_.clear();
    });
    sessions_.stop(*environment_.network, environment_.clock);
    shared_ = nullptr;
  }

 private:
  /// A connection whose name must be known first.
  struct Nameless {
    std::unique_ptr<Connection> connection;
    Clock::Steady since;
  };

  void accept(std::unique_ptr<Connection> connection) {
    const auto verdict = filter_ ? filter_->judge(connection->peer()) : PeerFilter::Verdict::allow;
    if (verdict == PeerFilter::Verdict::needs_name) return ask_for_name(std::move(connection));
    if (verdict == PeerFilter::Verdict::deny) return refuse(connection->peer());
    open(std::move(connection));
  }

  /// Nothing is read meanwhile.
  void ask_for_name(std::unique_ptr<Connection> connection) {
    const std::uint64_t number = next_nameless_++;
    const std::string address(PeerFilter::address_of(connection->peer()));
    nameless_.emplace(number, Nameless{std::move(connection), environment_.clock.steady_now()});
    names_->find(address, [this, number](const std::string& name) {
      auto node = nameless_.extract(number);
      if (node.empty()) return;  // it had to wait for too long
      auto named = std::move(node.mapped().connection);
      filter_->allows(named->peer(), name) ? open(std::move(named)) : refuse(named->peer());
    });
  }

  void refuse(const std::string& peer) {
    refused_.add();
    if (!refusals_.pass(environment_.clock.now_ms())) return;
    environment_.log.warn(fmt::format("{} is disconnected: ipFilterRules deny it", peer));
  }

  void open(std::unique_ptr<Connection> connection) {
    auto session = std::make_shared<AvroSession>(*shared_, decoded(std::move(connection)),
                                                 [this](rpc::Session& ended) { sessions_.remove(ended); });
    sessions_.add(session);
    session->start();
  }

  /// Flume 1.9 and older encrypt what is compressed, later ones compress what is encrypted: the first byte tells.
  std::unique_ptr<Connection> decoded(std::unique_ptr<Connection> connection) {
    if (tls_ == nullptr) return deflate_ ? compressed(std::move(connection)) : std::move(connection);
    if (!deflate_) return encrypted(std::move(connection));
    return by_first_byte(
        std::move(connection),
        [this](std::unique_ptr<Connection> below, char first) {
          return first == kTlsHandshake ? compressed(encrypted(std::move(below)))
                                        : encrypted(compressed(std::move(below)));
        },
        *environment_.network);
  }

  std::unique_ptr<Connection> encrypted(std::unique_ptr<Connection> connection) {
    return tls_server(std::move(connection), tls_, *environment_.network);
  }

  /// Answers are short: they need little of a compressor's memory, and there may be very many connections.
  std::unique_ptr<Connection> compressed(std::unique_ptr<Connection> connection) {
    return deflated(std::move(connection), {.small = true}, *environment_.network);
  }

  void sweep() {
    const Clock::Steady now = environment_.clock.steady_now();
    rpc::end_stalled(sessions_, now, stall_timeout_);
    for (auto each = nameless_.begin(); each != nameless_.end();) {
      const bool late = now - each->second.since >= stall_timeout_;
      if (late) refuse(each->second.connection->peer());
      each = late ? nameless_.erase(each) : std::next(each);
    }
  }

  void sweep_later() {
    const auto pause = std::clamp(stall_timeout_ / 4, std::chrono::milliseconds(1), kLongestBetweenSweeps);
    sweeper_ = environment_.network->call_after(pause, [this] {
      sweep();
      sweep_later();
    });
  }

  const Settings settings_;
  Environment& environment_;
  const std::shared_ptr<const TlsContext> tls_;  // null: none
  const std::optional<PeerFilter> filter_;
  const std::chrono::milliseconds stall_timeout_;
  const bool deflate_;
  Counter& refused_;
  LogLimiter refusals_{60'000};
  std::unique_ptr<AvroShared> shared_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Timer> sweeper_;
  SessionSet<rpc::Session> sessions_;
  std::unique_ptr<NameLookup> names_;  // loop's thread only, as the next; null: nobody is asked
  std::unordered_map<std::uint64_t, Nameless> nameless_;
  std::uint64_t next_nameless_ = 0;
};

Result<std::optional<PeerFilter>> make_filter(const Settings& settings) {
  if (!settings.boolean("ipFilter")) return std::optional<PeerFilter>();
  TRY_ASSIGN(PeerFilter filter, PeerFilter::parse(settings.list("ipFilterRules")));
  return std::optional<PeerFilter>(std::move(filter));
}

}  // namespace

const SourceFactory kAvroSource{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Source>> {
      TRY_ASSIGN(auto filter, make_filter(settings));
      TRY_ASSIGN(auto tls, tls_options::server(settings));
      if (environment.network == nullptr) return Status(Code::invalid, "the avro source needs a network");
      return std::unique_ptr<Source>(
          std::make_unique<AvroSource>(settings, environment, std::move(tls), std::move(filter)));
    }};

}  // namespace standpipe

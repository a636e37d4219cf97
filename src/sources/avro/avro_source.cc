#include "sources/avro/avro_source.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "net/deflated_connection.h"
#include "net/peer_filter.h"
#include "net/session_set.h"
#include "net/tls_options.h"
#include "rpc/source_options.h"
#include "sources/avro/avro_session.h"

namespace standpipe {

namespace {

constexpr std::chrono::milliseconds kLongestBetweenSweeps{10'000};

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
    tls_options::kDeflateOutside,
    {.name = "ssl", .kind = Kind::boolean, .fallback = "false", .help = "Whether clients must speak TLS."},
    {.name = "keystore",
     .kind = Kind::path,
     .help = "Key store with the server's certificate and key, PEM or PKCS12; needed with ssl."},
    {.name = "keystore-password", .kind = Kind::secret, .help = "Password of the key store."},
    {.name = "keystore-type",
     .kind = Kind::name,
     .fallback = "JKS",
     .help = "Format of the key store; PEM and PKCS12 are recognised whatever it says."},
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
        deflate_outside_(settings.boolean("deflate-outside-tls")),
        refused_(environment.counters.counter(counter_names::kEventReadFail)),
        sessions_(environment.counters.counter(counter_names::kOpenConnections)) {}
  ~AvroSource() override { stop(); }

  Status start(Ingest& ingest) override {
    shared_ =
        std::make_unique<AvroShared>(environment_, ingest, rpc::source_options::max_request(settings_, environment_));
    ListenOptions options;
    options.host = settings_.text("bind");
    options.port = static_cast<std::uint16_t>(settings_.integer("port"));
    options.log = &environment_.log;
    TRY_ASSIGN(listener_, environment_.network->listen(options, [this](std::unique_ptr<Connection> connection) {
      open(std::move(connection));
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
    });
    sessions_.stop(*environment_.network, environment_.clock);
    shared_ = nullptr;
  }

 private:
  void open(std::unique_ptr<Connection> connection) {
    if (filter_ && !filter_->allows(connection->peer())) {
      refused_.add();
      if (refusals_.pass(environment_.clock.now_ms())) {
        environment_.log.warn(fmt::format("{} is disconnected: ipFilterRules deny it", connection->peer()));
      }
      return;
    }
    if (deflate_ && deflate_outside_) connection = compressed(std::move(connection));
    if (tls_ != nullptr) connection = tls_server(std::move(connection), tls_, *environment_.network);
    if (deflate_ && !deflate_outside_) connection = compressed(std::move(connection));
    auto session = std::make_shared<AvroSession>(*shared_, std::move(connection),
                                                 [this](AvroSession& ended) { sessions_.remove(ended); });
    sessions_.add(session);
    session->start();
  }

  /// Answers are short: they need little of a compressor's memory, and there may be very many connections.
  std::unique_ptr<Connection> compressed(std::unique_ptr<Connection> connection) {
    return deflated(std::move(connection), {.small = true}, *environment_.network);
  }

  void sweep_later() {
    const auto pause = std::clamp(stall_timeout_ / 4, std::chrono::milliseconds(1), kLongestBetweenSweeps);
    sweeper_ = environment_.network->call_after(pause, [this] {
      const Clock::Steady then = environment_.clock.steady_now() - stall_timeout_;
      sessions_.for_each([then](AvroSession& session) { session.end_if_stalled(then); });
      sweep_later();
    });
  }

  const Settings settings_;
  Environment& environment_;
  const std::shared_ptr<const TlsContext> tls_;  // null: none
  const std::optional<PeerFilter> filter_;
  const std::chrono::milliseconds stall_timeout_;
  const bool deflate_;
  const bool deflate_outside_;
  Counter& refused_;
  LogLimiter refusals_{60'000};
  std::unique_ptr<AvroShared> shared_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Timer> sweeper_;
  SessionSet<AvroSession> sessions_;
};

/// Null where TLS is not wanted.
Result<std::shared_ptr<const TlsContext>> make_tls(const Settings& settings) {
  if (!settings.boolean("ssl")) return std::shared_ptr<const TlsContext>();
  const std::string path = settings.text("keystore");
  if (path.empty()) return Status(Code::invalid, "ssl = true needs a keystore: PEM or PKCS12");
  return TlsContext::server({path, settings.text("keystore-password")}, tls_options::limits(settings));
}

Result<std::optional<PeerFilter>> make_filter(const Settings& settings) {
  if (!settings.boolean("ipFilter")) return std::optional<PeerFilter>();
  TRY_ASSIGN(PeerFilter filter, PeerFilter::parse(settings.list("ipFilterRules")));
  return std::optional<PeerFilter>(std::move(filter));
}

}  // namespace

const SourceFactory kAvroSource{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Source>> {
      TRY_ASSIGN(auto filter, make_filter(settings));
      TRY_ASSIGN(auto tls, make_tls(settings));
      if (environment.network == nullptr) return Status(Code::invalid, "the avro source needs a network");
      return std::unique_ptr<Source>(
          std::make_unique<AvroSource>(settings, environment, std::move(tls), std::move(filter)));
    }};

}  // namespace standpipe

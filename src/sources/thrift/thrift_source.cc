#include "sources/thrift/thrift_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "net/session_set.h"
#include "net/tls_options.h"
#include "rpc/source_options.h"
#include "rpc/thrift/options.h"
#include "sources/thrift/thrift_session.h"

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
     .no_effect = "all network sources share one small pool of threads"},
    {.name = "protocol",
     .kind = Kind::choice,
     .fallback = "compact",
     .help = "Thrift encoding; the sender must agree.",
     .choices = "compact|binary"},
    rpc::source_options::kMaxRequest,
    rpc::source_options::kStallTimeout,
    {.name = "kerberos",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "Whether clients must log in by Kerberos; true is refused."},
    {.name = "agent-principal", .kind = Kind::name, .help = "Kerberos principal of this agent; not used yet."},
    {.name = "agent-keytab", .kind = Kind::path, .help = "Key table of that principal; not used yet."},
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
constexpr std::string_view kClassNames[] = {"org.apache.flume.source.ThriftSource"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::source,
                              .name = "thrift",
                              .class_names = kClassNames,
                              .summary = "Receives events by Thrift RPC from another agent or a client.",
                              .options = kOptions};

/// See thrift_source.h. start() and stop() come from the runner; sessions live on the loop.
class ThriftSource final : public Source {
 public:
  ThriftSource(const Settings& settings, Environment& environment, std::shared_ptr<const TlsContext> tls)
      : settings_(settings),
        environment_(environment),
        tls_(std::move(tls)),
        stall_timeout_(settings.duration("request-timeout")),
        sessions_(environment.counters.counter(counter_names::kOpenConnections)) {}
  ~ThriftSource() override { stop(); }

  Status start(Ingest& ingest) override {
    shared_ = std::make_unique<ThriftShared>(environment_, ingest, thrift::protocol_of(settings_, environment_.log),
                                             rpc::source_options::max_request(settings_, environment_));
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
    if (tls_ != nullptr) connection = tls_server(std::move(connection), tls_, *environment_.network);
    auto session = std::make_shared<ThriftSession>(*shared_, std::move(connection),
                                                   [this](rpc::Session& ended) { sessions_.remove(ended); });
    sessions_.add(session);
    session->start();
  }

  void sweep_later() {
    const auto pause = std::clamp(stall_timeout_ / 4, std::chrono::milliseconds(1), kLongestBetweenSweeps);
    sweeper_ = environment_.network->call_after(pause, [this] {
      rpc::end_stalled(sessions_, environment_.clock.steady_now(), stall_timeout_);
      sweep_later();
    });
  }

  const Settings settings_;
  Environment& environment_;
  const std::shared_ptr<const TlsContext> tls_;  // null: none
  const std::chrono::milliseconds stall_timeout_;
  std::unique_ptr<ThriftShared> shared_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Timer> sweeper_;
  SessionSet<rpc::Session> sessions_;
};

}  // namespace

const SourceFactory kThriftSource{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Source>> {
      if (settings.boolean("kerberos")) {
        return Status(Code::invalid,
                      "kerberos = true: the thrift source can't ask for Kerberos logins yet; use ssl = true with "
                      "need-client-auth = true");
      }
      TRY_ASSIGN(auto tls, tls_options::server(settings));
      if (environment.network == nullptr) return Status(Code::invalid, "the thrift source needs a network");
      return std::unique_ptr<Source>(std::make_unique<ThriftSource>(settings, environment, std::move(tls)));
    }};

}  // namespace standpipe

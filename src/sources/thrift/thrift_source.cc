#include "sources/thrift/thrift_source.h"

#include "net/tls_options.h"
#include "rpc/server_options.h"
#include "rpc/thrift/options.h"
#include "sources/thrift/thrift_session.h"

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    rpc::server_options::kBind,
    rpc::server_options::kPort,
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
    rpc::server_options::kMaxRequest,
    rpc::server_options::kStallTimeout,
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
        server_(environment, rpc::server_options::source_rules(settings, environment)) {}
  ~ThriftSource() override { stop(); }

  Status start(Ingest& ingest) override {
    shared_ = std::make_unique<ThriftShared>(environment_, ingest, thrift::protocol_of(settings_, environment_.log),
                                             rpc::server_options::max_request(settings_, environment_));
    return server_.start(settings_.text("bind"), static_cast<std::uint16_t>(settings_.integer("port")),
                         [this](std::unique_ptr<Connection> connection) {
                           if (tls_ != nullptr)
                             connection = tls_server(std::move(connection), tls_, *environment_.network);
                           server_.open(std::make_shared<ThriftSession>(server_, *shared_, std::move(connection)));
                         });
  }

  void stop() override {
    if (shared_ == nullptr) return;
    server_.stop();
    shared_ = nullptr;
  }

 private:
  const Settings settings_;
  Environment& environment_;
  const std::shared_ptr<const TlsContext> tls_;  // null: none
  rpc::Server server_;
  std::unique_ptr<ThriftShared> shared_;
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

#include "sinks/thrift/thrift_sink.h"

#include "net/tls_options.h"
#include "rpc/rpc_sink.h"
#include "rpc/sink_options.h"
#include "rpc/thrift/event_encoder.h"
#include "rpc/thrift/link.h"
#include "rpc/thrift/options.h"
#include "rpc/window.h"

namespace standpipe {

namespace {

constexpr std::size_t kLargestRequest = 16'384'000;  // what Flume's Thrift source reads

constexpr Option kOptions[] = {
    rpc::sink_options::kHostname,
    rpc::sink_options::kPort,
    rpc::sink_options::kBatchSize,
    rpc::sink_options::kConnectTimeout,
    rpc::sink_options::kRequestTimeout,
    rpc::sink_options::kResetInterval,
    {.name = "protocol",
     .kind = Kind::choice,
     .fallback = "compact",
     .help = "Thrift encoding; the receiver must agree.",
     .lenient = true,
     .choices = "compact|binary"},
    {.name = "maxConnections",
     .kind = Kind::integer,
     .fallback = "1",
     .help = "Number of connections.",
     .min = 0,
     .no_effect = "the sink has one connection, as in Flume"},
    {.name = "kerberos",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "Whether to log in by Kerberos; true is refused."},
    {.name = "client-principal", .kind = Kind::name, .help = "Kerberos principal of this agent; not used yet."},
    {.name = "client-keytab", .kind = Kind::path, .help = "Key table of that principal; not used yet."},
    {.name = "server-principal", .kind = Kind::name, .help = "Kerberos principal of the receiver; not used yet."},
    tls_options::kClientSsl,
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
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.sink.ThriftSink"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::sink,
                              .name = "thrift",
                              .class_names = kClassNames,
                              .summary = "Sends events by Thrift RPC to another agent.",
                              .options = kOptions,
                              .batch_option = "batch-size",
                              .acknowledges = "the receiving agent has answered OK"};

/// ThriftSourceProtocol, as the shared sink speaks it.
class ThriftProtocol final : public rpc::SinkProtocol {
 public:
  ThriftProtocol(const Settings& settings, Environment& environment, std::shared_ptr<const TlsContext> tls) {
    options_.peer = rpc::sink_options::peer(settings);
    options_.protocol = thrift::protocol_of(settings, environment.log);
    options_.window = rpc::window::kWidest;
    options_.tls = std::move(tls);
  }

  std::unique_ptr<rpc::Link> link(Network& network, std::function<void()> changed) const override {
    return std::make_unique<thrift::Link>(network, options_, std::move(changed));
  }
  rpc::RequestExtent measure(const Lease& lease) const override {
    return thrift::measure_batch(lease, options_.protocol, kLargestRequest);
  }
  rpc::EncodedRequest encode(const Lease& lease, const rpc::RequestExtent& extent, std::int32_t serial,
                             MemoryBudget& budget, bool force) const override {
    return thrift::encode_batch(lease, options_.protocol, extent, serial, budget, force);
  }

 private:
  thrift::LinkOptions options_;
};

}  // namespace

const SinkFactory kThriftSink{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Sink>> {
      if (settings.boolean("kerberos")) {
        return Status(Code::invalid,
                      "kerberos = true: the thrift sink can't log in by Kerberos yet; have the receiver use ssl, or "
                      "send to an avro source");
      }
      TRY_ASSIGN(auto tls, tls_options::client(settings, environment.log));
      return rpc::make_sink(settings, environment,
                            std::make_unique<ThriftProtocol>(settings, environment, std::move(tls)));
    }};

}  // namespace standpipe

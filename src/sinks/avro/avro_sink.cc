#include "sinks/avro/avro_sink.h"

#include "net/tls_options.h"
#include "rpc/avro/event_encoder.h"
#include "rpc/avro/link.h"
#include "rpc/rpc_sink.h"
#include "rpc/sink_options.h"
#include "rpc/window.h"

namespace standpipe {

namespace {

// Events that are large are sent in parts of this size: a receiver reads no request of any size.
constexpr std::size_t kLargestRequest = 16 << 20;

constexpr std::string_view kOneHost = "this sink sends to its hostname and port; use a sink group for several hosts";
constexpr Option kOptions[] = {
    rpc::sink_options::kHostname,
    rpc::sink_options::kPort,
    rpc::sink_options::kBatchSize,
    rpc::sink_options::kConnectTimeout,
    rpc::sink_options::kRequestTimeout,
    rpc::sink_options::kResetInterval,
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

/// AvroSourceProtocol, as the shared sink speaks it.
class AvroProtocol final : public rpc::SinkProtocol {
 public:
  AvroProtocol(const Settings& settings, std::shared_ptr<const TlsContext> tls) {
    options_.peer = rpc::sink_options::peer(settings);
    options_.window = rpc::window::kWidest;
    options_.tls = std::move(tls);
    options_.deflate_outside_tls = settings.boolean("deflate-outside-tls");
    if (settings.choice("compression-type") == "deflate") {
      options_.deflate_level = static_cast<int>(settings.integer("compression-level"));
    }
  }

  std::unique_ptr<rpc::Link> link(Network& network, std::function<void()> changed) const override {
    return std::make_unique<avro::Link>(network, options_, std::move(changed));
  }
  rpc::RequestExtent measure(const Lease& lease) const override { return avro::measure_batch(lease, kLargestRequest); }
  rpc::EncodedRequest encode(const Lease& lease, const rpc::RequestExtent& extent, std::int32_t serial,
                             MemoryBudget& budget, bool force) const override {
    return avro::encode_batch(lease, extent, serial, budget, force);
  }

 private:
  avro::LinkOptions options_;
};

}  // namespace

const SinkFactory kAvroSink{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Sink>> {
      TRY_ASSIGN(auto tls, tls_options::client(settings, environment.log));
      return rpc::make_sink(settings, environment, std::make_unique<AvroProtocol>(settings, std::move(tls)));
    }};

}  // namespace standpipe

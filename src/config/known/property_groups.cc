// Properties that belong to no single component.

#include <algorithm>
#include <array>

#include "config/known/known.h"
#include "config/known/tls.h"

namespace standpipe {

namespace {

using namespace table;

constexpr std::array kAgent{
    Option{"sources", Kind::list, "", "Names of the agent's sources."},
    required({"channels", Kind::list, "", "Names of the agent's channels."}),
    Option{"sinks", Kind::list, "", "Names of the agent's sinks."},
    Option{"sinkgroups", Kind::list, "", "Names of the agent's sink groups."},
    Option{"configfilters", Kind::list, "", "Names of the filters that fetch secrets into values."},
};

constexpr std::array kSinkGroup{
    required({"sinks", Kind::list, "", "Members of the group; a sink is in one group at most."}),
    nested("processor.type", "default", "sink processor", "How the members share the work."),
    Option{"processor.*", Kind::text, "", "Settings of the sink processor."},
};

// --- Flume's client libraries: their property files are read by `flume-ng avro-client --rpcProps` ---

constexpr std::array kRpcHosts{
    required({"hosts", Kind::list, "", "Names of the servers."}),
    required({"hosts.*", Kind::text, "", "Address of one server, host:port."}),
    Option{"client.type", Kind::name, "default", "Kind of client."},
};
constexpr std::array kRpcCommon =
    join(kRpcHosts,
         std::array{
             events("batch-size", "100", 1, "Most events in one request."),
             millis("connect-timeout", "20000", 1000, "Longest time to connect."),
             millis("request-timeout", "20000", 1000, "Longest time to wait for an answer."),
             choice("compression-type", "none", "none|deflate", "Compression of the connection."),
             number("compression-level", "6", 0, "How hard to compress.", {}, 9),
             flag("trust-all-certs", "false", "Whether any certificate of the server is accepted."),
         },
         kTlsClient);
constexpr std::array kRpcFailover =
    join(kRpcCommon, std::array{number("max-attempts", "", 1, "How many servers to try; without it each once.")});
constexpr std::array kRpcLoadBalance =
    join(kRpcCommon, std::array{
                         choice("host-selector", "ROUND_ROBIN", "ROUND_ROBIN|RANDOM", "How the next server is chosen."),
                         flag("backoff", "false", "Whether a server that failed is left out for a growing time."),
                         millis("maxBackoff", "30000", 0, "Longest time that it is left out."),
                     });
constexpr std::array kRpcThrift =
    join(kRpcHosts,
         std::array{
             choice("protocol", "compact", "compact|binary", "Thrift encoding."),
             number("maxConnections", "5", 1, "Most connections to the server."),
             millis("request-timeout", "20000", 1000, "Longest time to wait for an answer."),
             events("batch-size", "100", 1, "Most events in one request."),
         },
         kTlsClient);

// --- libraries inside Java programs: nothing here reads these, they say what the other end was told ---

constexpr std::array kLog4j{
    required({"Hostname", Kind::host, "", "Host of the agent."}),
    required({"Port", Kind::port, "", "Port of the agent's avro source."}),
    flag("UnsafeMode", "false", "Whether the program goes on when an event can't be sent."),
    millis("Timeout", "20000", 0, "Longest time to connect and to wait for an answer."),
    flag("AvroReflectionEnabled", "false", "Whether Java objects are encoded as Avro records."),
    Option{"AvroSchemaUrl", Kind::text, "", "Schema of those records."},
};
constexpr std::array kLog4jBalanced{
    required({"Hosts", Kind::list, "", "Agents as host:port."}),
    choice("Selector", "ROUND_ROBIN", "ROUND_ROBIN|RANDOM", "How the next agent is chosen."),
    millis("MaxBackoff", "", 0, "Longest time that an agent that failed is left out; setting it switches that on."),
    flag("UnsafeMode", "false", "Whether the program goes on when an event can't be sent."),
    millis("Timeout", "20000", 0, "Longest time to connect and to wait for an answer."),
};
constexpr std::array kEmbedded{
    choice("source.type", "embedded", "embedded", "Kind of source."),
    Option{"source.*", Kind::text, "", "Settings of the source."},
    required(choice("channel.type", "", "memory|file", "Kind of channel.")),
    Option{"channel.*", Kind::text, "", "Settings of the channel."},
    required({"sinks", Kind::list, "", "Names of the sinks."}),
    required(choice("processor.type", "", "default|failover|load_balance", "How the sinks share the work.")),
    Option{"processor.*", Kind::text, "", "Settings of the sink processor."},
    required(choice("*.type", "", "avro", "Kind of the sink named by the key.")),
    Option{"*.*", Kind::text, "", "Settings of the sink named by the key."},
};

// --- monitoring: -D properties ---

constexpr std::array kMonitoringHttp{
    required({"flume.monitoring.type", Kind::name, "", "Kind of monitoring; http serves JSON."}),
    Option{"flume.monitoring.port", Kind::port, "41414", "Port that serves the counters."},
};
constexpr std::array kMonitoringGanglia{
    required({"flume.monitoring.type", Kind::name, "", "Kind of monitoring; ganglia sends to Ganglia servers."}),
    required({"flume.monitoring.hosts", Kind::comma_list, "", "Ganglia servers as host:port."}),
    seconds("flume.monitoring.pollFrequency", "60", 1, "How often counters are sent."),
    flag("flume.monitoring.isGanglia3", "false", "Whether the servers are of version 3."),
};

constexpr PropertyGroup kGroups[] = {
    {"agent", "<agent>.", "The lists that name an agent's components.", kAgent},
    {"sink group", "<agent>.sinkgroups.<group>.", "Several sinks that work as one.", kSinkGroup},
    {"rpc client default", "a client's property file", "Client of one avro source.", kRpcCommon},
    {"rpc client default_failover", "a client's property file", "Client that turns to another server on failure.",
     kRpcFailover},
    {"rpc client default_loadbalance", "a client's property file", "Client that spreads requests over servers.",
     kRpcLoadBalance},
    {"rpc client thrift", "a client's property file", "Client of one thrift source.", kRpcThrift},
    {"log4j appender", "a Java program's log4j settings", "Sends a Java program's log to an agent.", kLog4j},
    {"log4j load balancing appender", "a Java program's log4j settings",
     "Spreads a Java program's log over several agents.", kLog4jBalanced},
    {"embedded agent", "a Java program", "A small agent inside a Java program.", kEmbedded},
    {"monitoring http", "-D", "Serves the counters over HTTP.", kMonitoringHttp},
    {"monitoring ganglia", "-D", "Sends the counters to Ganglia; not here, scrape /metrics instead.",
     kMonitoringGanglia},
};

}  // namespace

std::span<const PropertyGroup> property_groups() { return kGroups; }

const PropertyGroup* find_property_group(std::string_view name) {
  const auto* found = std::find_if(std::begin(kGroups), std::end(kGroups),
                                   [&](const PropertyGroup& group) { return group.name == name; });
  return found == std::end(kGroups) ? nullptr : found;
}

}  // namespace standpipe

// What the engine itself reads: selectors, sink processors, config filters and the keys that all components share.

#include <array>

#include "config/known/groups.h"
#include "config/known/known.h"
#include "config/known/table.h"

namespace standpipe {

namespace {

using namespace table;

// --- channel selectors: relative to "selector." ---

constexpr std::array kReplicatingOptions{
    Option{"optional", Kind::list, "", "Channels whose failure does not hold up the source; the rest are required."},
};
constexpr std::string_view kReplicatingClasses[] = {"org.apache.flume.channel.ReplicatingChannelSelector"};
constexpr ComponentInfo kReplicating{ComponentKind::selector, "replicating", kReplicatingClasses,
                                     "Copies every event to all channels of the source.", kReplicatingOptions};

constexpr std::array kMultiplexingOptions{
    Option{"header", Kind::name, "flume.selector.header", "Header whose value chooses the channels."},
    Option{"mapping.*", Kind::list, "",
           "Channels for events whose header has exactly this value; the value is the rest of the key, dots included."},
    Option{"optional.*", Kind::list, "", "Channels that get a copy for this header value if they can take it."},
    Option{"default", Kind::list, "",
           "Channels for events without the header or with a value that is not mapped; without it they are dropped."},
};
constexpr std::string_view kMultiplexingClasses[] = {"org.apache.flume.channel.MultiplexingChannelSelector"};
constexpr ComponentInfo kMultiplexing{ComponentKind::selector, "multiplexing", kMultiplexingClasses,
                                      "Chooses channels by the value of a header.", kMultiplexingOptions};

constexpr std::array kLoadBalancingOptions{
    choice("policy", "round_robin", "round_robin|random", "How the next channel is chosen."),
};
constexpr std::string_view kLoadBalancingClasses[] = {"org.apache.flume.channel.LoadBalancingChannelSelector"};
constexpr ComponentInfo kLoadBalancing{ComponentKind::selector, "load_balancing", kLoadBalancingClasses,
                                       "Spreads events over the channels of the source, each event to one of them.",
                                       kLoadBalancingOptions};

// --- sink processors: relative to "processor." ---

constexpr std::string_view kDefaultClasses[] = {"org.apache.flume.sink.DefaultSinkProcessor"};
constexpr ComponentInfo kDefault{
    ComponentKind::sink_processor, "default", kDefaultClasses, "Runs one sink by itself.", {}};

constexpr std::array kFailoverOptions{
    Option{.name = "priority.*",
           .kind = Kind::integer,
           .help = "Rank of the member named by the last part of the key; the healthy member with the highest works.",
           .min = -kInt - 1,
           .max = kInt},
    millis("maxpenalty", "30000", 0, "Longest time that a failed member is left alone before it is tried again."),
};
constexpr std::string_view kFailoverClasses[] = {"org.apache.flume.sink.FailoverSinkProcessor"};
constexpr ComponentInfo kFailover{ComponentKind::sink_processor, "failover", kFailoverClasses,
                                  "Lets the best healthy member of a sink group work and keeps the others in reserve.",
                                  kFailoverOptions};

constexpr std::array kLoadBalanceOptions{
    choice("selector", "round_robin", "round_robin|random", "In which order the members get batches."),
    flag("backoff", "false", "Whether a member that failed is left out for a growing time."),
    millis("selector.maxTimeOut", "30000", 0, "Longest time that a failed member is left out; 0 means the default."),
    Option{.name = "selector.*",
           .help = "Settings of a selector class of one's own.",
           .no_effect = "Java selector classes can't be loaded; only round_robin and random exist here"},
};
constexpr std::string_view kLoadBalanceClasses[] = {"org.apache.flume.sink.LoadBalancingSinkProcessor"};
constexpr ComponentInfo kLoadBalance{ComponentKind::sink_processor, "load_balance", kLoadBalanceClasses,
                                     "Spreads batches over the members of a sink group.", kLoadBalanceOptions};

// --- config filters ---

constexpr std::string_view kEnvClasses[] = {"org.apache.flume.configfilter.EnvironmentVariableConfigFilter"};
constexpr ComponentInfo kEnv{ComponentKind::config_filter,
                             "env",
                             kEnvClasses,
                             "Takes values of the form ${name['KEY']} from environment variables.",
                             {}};

constexpr std::array kExternalOptions{
    required({"command", Kind::command, "",
              "Program that is run with the key as its last argument; the first line it prints is the value."}),
    Option{"charset", Kind::charset, "UTF-8", "Character set of what the program prints."},
};
constexpr std::string_view kExternalClasses[] = {"org.apache.flume.configfilter.ExternalProcessConfigFilter"};
constexpr ComponentInfo kExternal{ComponentKind::config_filter, "external", kExternalClasses,
                                  "Asks a program for values of the form ${name['KEY']}.", kExternalOptions};

constexpr std::array kHadoopOptions{
    required({"credential.provider.path", Kind::text, "", "URI of the Hadoop credential store."}),
    Option{"credstore.java-keystore-provider.password-file", Kind::path, "",
           "File with the password of a Java key store that holds the credentials."},
};
constexpr std::string_view kHadoopClasses[] = {"org.apache.flume.configfilter.HadoopCredentialStoreConfigFilter"};
constexpr ComponentInfo kHadoop{.kind = ComponentKind::config_filter,
                                .name = "hadoop",
                                .class_names = kHadoopClasses,
                                .summary = "Takes values of the form ${name['KEY']} from a Hadoop credential store.",
                                .options = kHadoopOptions,
                                .built = false};

constexpr const ComponentInfo* kEngineInfos[] = {&kReplicating, &kMultiplexing, &kLoadBalancing, &kDefault, &kFailover,
                                                 &kLoadBalance, &kEnv,          &kExternal,      &kHadoop};

// --- keys that all components of a kind share ---

constexpr Option kType = required({"type", Kind::name, "", "What it is: an alias or a Flume class name."});
constexpr Option kConfigStub =
    no_effect({"config", Kind::name, "", "Configuration class of a Java component."},
              "names a Java class that checks settings; settings are checked by the option tables here");

constexpr std::array kSharedSource{
    kType,
    required({"channels", Kind::list, "", "Names of the channels that the events go to."}),
    kConfigStub,
    Option{"interceptors", Kind::list, "", "Names of the interceptors, in the order in which events pass them."},
    Option{"interceptors.*", Kind::text, "", "Settings of one interceptor, below its name."},
    nested("selector.type", "replicating", "selector", "How channels are chosen for an event."),
    Option{"selector.*", Kind::text, "", "Settings of the channel selector."},
    millis("backoffSleepIncrement", "1000", 0,
           "By how much the pause grows with each attempt in a row that found nothing."),
    millis("maxBackoffSleep", "5000", 0, "Longest pause between attempts that found nothing."),
};

constexpr std::array kSharedChannel{kType, kConfigStub};

constexpr std::array kSharedSink{
    kType,
    required({"channel", Kind::name, "", "Name of the channel that the events come from."}),
    kConfigStub,
};

constexpr std::array kSharedTypeOnly{kType};

constexpr std::array kSharedSelector{nested("type", "replicating", "selector", "Which selector it is.")};
constexpr std::array kSharedProcessor{nested("type", "default", "sink processor", "How the group shares its work.")};

}  // namespace

std::span<const ComponentInfo* const> engine_infos() { return kEngineInfos; }

std::span<const Option> shared_options(ComponentKind kind) {
  switch (kind) {
    case ComponentKind::source: return kSharedSource;
    case ComponentKind::channel: return kSharedChannel;
    case ComponentKind::sink: return kSharedSink;
    case ComponentKind::interceptor:
    case ComponentKind::config_filter: return kSharedTypeOnly;
    case ComponentKind::selector: return kSharedSelector;
    case ComponentKind::sink_processor: return kSharedProcessor;
    case ComponentKind::deserializer:
    case ComponentKind::serializer:
    case ComponentKind::handler: break;  // named by the value of a key, not by a "type" below them
  }
  return {};
}

}  // namespace standpipe

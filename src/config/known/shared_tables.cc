// What the configuration layer itself reads: config filters, and the keys that all components of a kind share.
// Selectors and sink processors have their tables in core/.

#include <array>

#include "config/known/groups.h"
#include "config/known/known.h"
#include "config/known/table.h"

namespace standpipe {

namespace {

using namespace table;

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
    required({"credential.provider.path", Kind::name, "", "URI of the Hadoop credential store."}),
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

constexpr const ComponentInfo* kConfigFilters[] = {&kEnv, &kExternal, &kHadoop};

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
    choice("onPoison", "block", "block|quarantine",
           "What becomes of events that the destination refuses for good: they stay and block, loudly, or go to a "
           "dead-letter file."),
};

constexpr std::array kSharedTypeOnly{kType};

constexpr std::array kSharedSelector{nested("type", "replicating", "selector", "Which selector it is.")};
constexpr std::array kSharedProcessor{nested("type", "default", "sink processor", "How the group shares its work.")};

}  // namespace

std::span<const ComponentInfo* const> config_filter_infos() { return kConfigFilters; }

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

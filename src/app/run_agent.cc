#include "app/run_agent.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "agent/agent.h"
#include "agent/builtin.h"
#include "agent/configuration_source.h"
#include "agent/rehearsal.h"
#include "agent/reloader.h"
#include "agent/zookeeper_source.h"
#include "app/configuration_backup.h"
#include "app/last_configuration.h"
#include "app/logging_options.h"
#include "app/monitoring.h"
#include "app/process.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/pending_end.h"
#include "clients/zookeeper/connect_string.h"
#include "config/check.h"
#include "config/load.h"
#include "io/file_system.h"
#include "net/network.h"

namespace standpipe {

namespace {

std::string property(const FlumeCommandLine& line, std::string_view key) {
  const auto found = line.java.properties.find(key);
  return found == line.java.properties.end() ? "" : found->second;
}

bool is_in_zookeeper(const FlumeCommandLine& line) { return !line.zookeeper.empty(); }

}  // namespace

std::string state_root_of(const FlumeCommandLine& line) {
  const std::string given = property(line, "standpipe.state.dir");
  if (!is_in_zookeeper(line)) {
    return state_root(given, line.name, line.conf_uris.empty() ? line.conf_files.front() : line.conf_uris.front());
  }
  const auto connect = zookeeper::parse_connect_string(line.zookeeper);
  return state_root(given, line.name,
                    fmt::format("/zookeeper:{}{}", connect.ok() ? connect->chroot : "", zookeeper_node(line)));
}

namespace {

Result<std::unique_ptr<ConfigurationSource>> zookeeper_source(const FlumeCommandLine& line, SignalWait& signals) {
  TRY_ASSIGN(zookeeper::Options options, zookeeper::read_options(line.zookeeper, line.java.properties));
  TRY(zookeeper::check_path(zookeeper_node(line)));
  for (const std::string& note : options.notes) process_log().warn(note);
  std::function<void()> on_change;
  if (!line.no_reload && !line.dry_run) on_change = [&signals] { signals.wake(); };
  return std::unique_ptr<ConfigurationSource>(
      std::make_unique<ZookeeperSource>(std::move(options), zookeeper_node(line), process_log(), std::move(on_change)));
}

Result<std::unique_ptr<ConfigurationSource>> configuration_source(const FlumeCommandLine& line, SignalWait& signals) {
  if (is_in_zookeeper(line)) return zookeeper_source(line, signals);
  std::vector<FilesAndUrls::Location> locations;
  // As in Flume, URLs win over files when both are given.
  const auto& names = line.conf_uris.empty() ? line.conf_files : line.conf_uris;
  for (const std::string& name : names) locations.push_back({name, line.conf_user, line.conf_password});
  return std::unique_ptr<ConfigurationSource>(std::make_unique<FilesAndUrls>(std::move(locations)));
}

/// Sets up the log as -Dflume.root.logger asks, and says what of it could not be had.
void start_logging(const FlumeCommandLine& line) {
  std::vector<std::string> problems;
  const LogTarget target = log_target(line.java.properties, problems);
  if (const Status status = configure_logging(target); !status.ok()) problems.push_back(status.message());
  for (const std::string& problem : problems) process_log().warn(problem);
}

void log_messages(const FlumeCommandLine& line) {
  for (const std::string& message : line.messages) {
    const bool warning = message.starts_with("Warning: ");
    const std::string text = message.substr(message.find(": ") + 2);
    process_log().write(warning ? Log::Level::warn : Log::Level::info, text);
  }
  for (const std::string& text : ignored_properties(line.java.properties)) process_log().warn(text);
}

/// Checks the configuration and runs nothing.
int dry_run(Configuration& configuration, const std::string& name) {
  rehearse(configuration);
  const Diagnostics diagnostics = diagnostics_of(configuration, name);
  std::fputs(render(diagnostics).c_str(), stdout);
  const AgentGraph* graph = configuration.find(name);
  if (graph == nullptr) return kExitFatal;
  std::fputs(render_flow(*graph).c_str(), stdout);
  return exit_code(diagnostics, false);
}

/// The texts that an agent starts with.
struct FirstTexts {
  std::vector<ConfigText> texts;
  std::string unreadable;  // why these are a backup; empty: they are none
};

/// What takes the place of a configuration that can't be read: what ran last from ZooKeeper while that does not answer,
/// else -b's backup.
Result<ConfigText> read_replacement(const FlumeCommandLine& line, const Status& why) {
  Status none(Code::not_found, "the configuration can't be read: ");
  if (is_in_zookeeper(line)) {
    if (why.code() != Code::unavailable && why.code() != Code::timeout) return none;  // ZooKeeper has answered
    auto last = read_last_configuration(state_root_of(line));
    if (last.ok()) return last;
    none = {Code::not_found,
            fmt::format("the configuration can't be read, and none that ran before is in {}: ", state_root_of(line))};
  }
  if (line.backup_directory.empty()) return none;
  auto backup = read_backup(line.backup_directory, line.name);
  if (backup.ok()) return backup;
  return Status(Code::not_found,
                fmt::format("the configuration can't be read, and there is no backup in {}: ", line.backup_directory));
}

Result<FirstTexts> read_texts(const FlumeCommandLine& line, ConfigurationSource& source) {
  auto texts = source.read();
  if (texts.ok()) return FirstTexts{std::move(texts).value(), {}};
  const Status why = texts.status();
  auto replacement = read_replacement(line, why);
  if (!replacement.ok()) return why.with_context(replacement.status().message());
  process_log().warn(fmt::format("{}; the backup {} takes its place", why.message(), replacement->name));
  return FirstTexts{{std::move(replacement).value()}, why.message()};
}

/// What is done with each configuration that runs: -z and -b keep it, org.apache.flume.log.printconfig shows it.
void configuration_runs(const FlumeCommandLine& line, const Configuration& configuration,
                        const Reloader::Texts& texts) {
  if (is_in_zookeeper(line)) {
    const Status status = store_last_configuration(state_root_of(line), texts);
    if (!status.ok()) {
      process_log().warn(
          fmt::format("the configuration is not kept for a start without ZooKeeper: {}", status.message()));
    }
  }
  if (!line.backup_directory.empty()) {
    const Status status = store_backup(line.backup_directory, line.name, configuration);
    if (!status.ok()) process_log().warn(fmt::format("no backup of the configuration: {}", status.message()));
  }
  if (!is_on(line.java.properties, "org.apache.flume.log.printconfig")) return;
  for (const auto& [key, value] : configuration.resolved) {
    if (!key.starts_with(line.name + ".")) continue;
    const bool secret = configuration.secrets.contains(key);
    process_log().debug(fmt::format("configuration: {} = {}", key, secret ? "(not shown)" : value));
  }
}

/// Why there is no agent to run under this name; empty when there is.
std::string no_agent(const Configuration& configuration, const std::string& name) {
  const AgentGraph* graph = configuration.find(name);
  if (graph == nullptr) {
    const std::string near = configuration.nearest_agent(name);
    return fmt::format("the configuration has no agent '{}'{}", name,
                       near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  }
  return graph->empty() ? fmt::format("agent {} has nothing to run", name) : "";
}

/// How often an agent that polls nothing looks for memory to give back.
constexpr std::chrono::milliseconds kQuiet{30'000};

class Service {
 public:
  Service(const FlumeCommandLine& line, SignalWait& signals, ConfigurationSource& source)
      : line_(line),
        signals_(signals),
        budget_(memory_budget_bytes(line.java.heap_bytes)),
        engine_(clock_),
        network_(make_network()),
        state_root_(state_root_of(line)),
        world_{clock_, real_file_system(), *network_, budget_, engine_, registry_, state_root_},
        monitor_(registry_, *network_, clock_, budget_, process_log()),
        agent_(world_, line.name),
        reloader_(agent_, source, line.java.properties,
                  [&line](const Configuration& configuration, const Reloader::Texts& texts) {
                    configuration_runs(line, configuration, texts);
                  }) {}

  int run(const Configuration& configuration, FirstTexts first) {
    auto lock = StateLock::take(state_root_);
    if (!lock.ok()) {
      process_log().write(lock.status().code() == Code::unavailable ? Log::Level::error : Log::Level::warn,
                          lock.status().message());
      if (lock.status().code() == Code::unavailable) return kExitFatal;
    }
    if (const Status status = reloader_.apply_first(configuration, std::move(first.texts), std::move(first.unreadable));
        !status.ok()) {
      process_log().error(status.message());
      return kExitFatal;
    }
    start_monitoring(line_.java.properties, monitor_);
    process_log().info(fmt::format("agent {} runs, process {}", line_.name, ::getpid()));
    wait_for_the_end();
    announce_end();
    process_log().info(fmt::format("agent {} stops", line_.name));
    const StopReport report = agent_.stop();
    process_log().info(fmt::format("agent {} has stopped", line_.name));
    const int status = report.clean() ? kExitGood : kExitEventsLeft;
    // Threads that did not stop still use what would be destroyed now.
    if (!report.abandoned.empty()) std::_Exit(status);
    return status;
  }

 private:
  void wait_for_the_end() {
    while (true) {
      const ServiceSignal signal =
          signals_.wait(line_.no_reload ? kQuiet : reloader_.until_next_look(line_.poll_interval_s));
      if (signal == ServiceSignal::stop) return;
      give_idle_memory_back();
      if (line_.no_reload) continue;
      if (signal == ServiceSignal::reload) {
        reloader_.reload_now();
      } else if (signal == ServiceSignal::wake) {
        reloader_.look_now();
      } else if (reloader_.look_is_due()) {
        reloader_.look();
      }
    }
  }

  const FlumeCommandLine& line_;
  SignalWait& signals_;
  SystemClock clock_;
  MemoryBudget budget_;
  EngineThread engine_;
  std::unique_ptr<Network> network_;
  std::string state_root_;
  Registry registry_;
  ProcessWorld world_;
  Monitor monitor_;
  Agent agent_;
  Reloader reloader_;
};

}  // namespace

int run_agent(const FlumeCommandLine& line) {
  tune_allocator();
  start_logging(line);
  raise_descriptor_limit();
  SignalWait signals;
  log_messages(line);
  const auto fatal = [](const Status& status) {
    process_log().error(status.message());
    return kExitFatal;
  };
  const auto source = configuration_source(line, signals);
  if (!source.ok()) return fatal(source.status());
  auto first = read_texts(line, **source);
  if (!first.ok()) return fatal(first.status());
  Configuration configuration = load_for_process(first->texts, line.java.properties);
  if (line.dry_run) return dry_run(configuration, line.name);
  log_diagnostics(diagnostics_of(configuration, line.name));
  if (const std::string why = no_agent(configuration, line.name); !why.empty()) {
    process_log().error(why);
    return kExitFatal;
  }
  return Service(line, signals, **source).run(configuration, std::move(first).value());
}

}  // namespace standpipe

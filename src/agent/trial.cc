#include "agent/trial.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/builtin.h"
#include "base/clock.h"
#include "base/text.h"
#include "core/selector.h"
#include "io/file_system.h"
#include "net/network.h"

namespace standpipe {

namespace {

class SilentLog final : public Log {
 public:
  bool enabled(Level) const override { return false; }
  void write(Level, std::string_view) override {}
};

/// A world in which nothing will run.
class TrialWorld {
 public:
  Environment environment(const std::string& agent, const std::string& component) {
    return {.agent = agent,
            .component = component,
            .state_dir = {},
            .log = log_,
            .clock = clock_,
            .files = real_file_system(),
            .network = network_.get(),
            .budget = budget_,
            .counters = counters_};
  }

 private:
  SilentLog log_;
  SystemClock clock_;
  std::unique_ptr<Network> network_ = make_network();
  MemoryBudget budget_{64u << 20};
  CounterGroup counters_;
};

class Trial {
 public:
  Trial(Configuration& configuration, AgentGraph& graph, TrialWorld& world)
      : configuration_(configuration), graph_(graph), world_(world) {}

  void run() {
    for (const ChannelNode& node : graph_.channels) {
      passes(node, "channels." + node.name, find_channel_factory(*node.info), "channel " + node.name);
    }
    std::erase_if(graph_.sources, [&](const SourceNode& node) { return !source_passes(node); });
    std::erase_if(graph_.sinks, [&](const SinkNode& node) {
      return !passes(node, "sinks." + node.name, find_sink_factory(*node.info), "sink " + node.name);
    });
    for (GroupNode& group : graph_.groups) {
      std::erase_if(group.sinks, [&](const std::string& name) { return graph_.sink(name) == nullptr; });
    }
  }

 private:
  bool source_passes(const SourceNode& node) {
    const std::string path = "sources." + node.name;
    const std::string victim = "source " + node.name;
    bool good = passes(node, path, find_source_factory(*node.info), victim);
    for (const InterceptorNode& each : node.interceptors) {
      const std::string place = fmt::format("{}.interceptors.{}", path, each.name);
      good = passes(each, place, find_interceptor_factory(*each.info), victim) && good;
    }
    if (node.selector.info == nullptr) return good;
    Environment environment = world_.environment(graph_.name, node.name);
    const auto selector = make_selector(node.selector.settings, node.channels, environment);
    if (!selector.ok()) report(node.selector, path + ".selector", selector.status(), victim);
    return good && selector.ok();
  }

  template <typename Factory>
  bool passes(const ComponentNode& node, const std::string& path, const Factory* factory, const std::string& victim) {
    if (factory == nullptr) return true;  // a component that the tables know and nobody has built is reported already
    Environment environment = world_.environment(graph_.name, node.name);
    const auto made = factory->create(node.settings, environment);
    if (!made.ok()) report(node, path, made.status(), victim);
    return made.ok();
  }

  void report(const ComponentNode& node, const std::string& path, const Status& status, const std::string& victim) {
    Diagnostic found;
    found.code = DiagnosticCode::bad_value;
    found.file = node.file;
    found.line = node.line;
    found.agent = graph_.name;
    found.component = path;
    found.key = fmt::format("{}.{}", graph_.name, path);
    found.message = without_secrets(status.message());
    found.consequence = fmt::format("{} is left out", victim);
    configuration_.diagnostics.push_back(std::move(found));
  }

  /// A component names the value that it refuses; one that came out of a placeholder is not shown.
  std::string without_secrets(std::string message) const {
    for (const std::string& key : configuration_.secrets) {
      const std::string_view secret = trim(configuration_.resolved.find(key)->second);
      if (secret.size() < kShortestSecret) continue;
      for (std::size_t at = message.find(secret); at != std::string::npos; at = message.find(secret, at)) {
        message.replace(at, secret.size(), kHidden);
        at += kHidden.size();
      }
    }
    return message;
  }

  static constexpr std::size_t kShortestSecret = 3;
  static constexpr std::string_view kHidden = "(not shown)";
  Configuration& configuration_;
  AgentGraph& graph_;
  TrialWorld& world_;
};

}  // namespace

void try_components(Configuration& configuration) {
  TrialWorld world;
  const std::size_t before = configuration.diagnostics.size();
  for (AgentGraph& graph : configuration.agents) Trial(configuration, graph, world).run();
  if (configuration.diagnostics.size() != before) sort_by_place(configuration);
}

}  // namespace standpipe

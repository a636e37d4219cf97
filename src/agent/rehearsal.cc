#include "agent/rehearsal.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/difference.h"
#include "agent/flow.h"
#include "base/clock.h"
#include "base/secrets.h"
#include "io/file_system.h"
#include "net/network.h"

namespace standpipe {

namespace {

constexpr std::uint64_t kBudget = 1u << 30;  // of a usual process: nothing is allocated

/// One agent's components, made one by one.
class Rehearsal {
 public:
  Rehearsal(AgentGraph& graph, Configuration& configuration)
      : graph_(graph),
        configuration_(configuration),
        budget_(kBudget),
        engine_(clock_),
        network_(make_network()),
        world_{clock_, real_file_system(), *network_, budget_, engine_, registry_, "/nonexistent"},
        builder_(world_, graph.name) {}

  void run() {
    for (const ChannelNode& node : graph_.channels) {
      auto made = builder_.make_channel(node);
      if (!made.ok()) {
        report("channels", node, made.status(), fmt::format("channel {} is left out", node.name));
        continue;
      }
      channels_.emplace(node.name, made->runner);
      kept_.push_back(std::move(made).value());
    }
    std::erase_if(graph_.channels, [this](const ChannelNode& node) { return !channels_.contains(node.name); });
    std::erase_if(graph_.sources, [this](const SourceNode& node) { return !works(node); });
    for (const SinkUnit& unit : sink_units(graph_)) {
      if (!works(unit)) leave_out(unit);
    }
  }

 private:
  bool there(const std::string& channel) const { return channels_.contains(channel); }

  bool works(const SourceNode& node) {
    if (!std::all_of(node.channels.begin(), node.channels.end(), [this](const auto& name) { return there(name); })) {
      return false;  // its channel's diagnostic says why
    }
    const auto made = builder_.make_source(node, channels_);
    if (!made.ok()) report("sources", node, made.status(), fmt::format("source {} is left out", node.name));
    return made.ok();
  }

  bool works(const SinkUnit& unit) {
    const bool alone = unit.group.info == nullptr;
    bool good = true;
    for (const SinkNode& node : unit.sinks) {
      if (!there(node.channel)) return false;
      GroupNode itself;
      itself.name = node.name;
      const auto made = builder_.make_sinks({std::move(itself), {node}}, channels_);
      if (made.ok()) continue;
      good = false;
      report("sinks", node, made.status(),
             alone ? fmt::format("sink {} is left out", node.name)
                   : fmt::format("sink group {} is left out with all its sinks", unit.group.name));
    }
    if (!good || alone) return good;
    const auto made = builder_.make_sinks(unit, channels_);
    if (!made.ok()) {
      report("sinkgroups", unit.group, made.status(), fmt::format("sink group {} is left out", unit.group.name));
    }
    return made.ok();
  }

  void leave_out(const SinkUnit& unit) {
    std::erase_if(graph_.groups, [&](const GroupNode& group) { return group.name == unit.group.name; });
    std::erase_if(graph_.sinks, [&](const SinkNode& sink) {
      return std::any_of(unit.sinks.begin(), unit.sinks.end(),
                         [&](const SinkNode& member) { return member.name == sink.name; });
    });
  }

  /// A failure begins with what it is about, "flume.conf:12: sink k1: ", which the diagnostic says by itself.
  void report(std::string_view kind, const ComponentNode& node, const Status& why, std::string consequence) {
    std::string message(why.message());
    const std::string named = fmt::format(" {}: ", node.name);
    if (const auto at = message.find(named); at != std::string::npos) message.erase(0, at + named.size());
    Diagnostic found;
    found.severity = Severity::error;
    found.code = DiagnosticCode::bad_value;
    found.file = node.file;
    found.line = node.line;
    found.agent = graph_.name;
    found.component = fmt::format("{}.{}", kind, node.name);
    found.key = fmt::format("{}.{}", graph_.name, found.component);
    found.message = without_secrets(std::move(message));
    found.consequence = std::move(consequence);
    configuration_.diagnostics.push_back(std::move(found));
  }

  AgentGraph& graph_;
  Configuration& configuration_;
  SystemClock clock_;
  MemoryBudget budget_;
  EngineThread engine_;
  std::unique_ptr<Network> network_;
  Registry registry_;
  ProcessWorld world_;
  FlowBuilder builder_;
  std::vector<RunningChannel> kept_;
  FlowBuilder::Channels channels_;
};

}  // namespace

void rehearse(Configuration& configuration) {
  for (AgentGraph& graph : configuration.agents) Rehearsal(graph, configuration).run();
  sort_by_place(configuration);
}

}  // namespace standpipe

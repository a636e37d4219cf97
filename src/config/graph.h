#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "standpipe/option.h"
#include "standpipe/settings.h"

namespace standpipe {

/// What every part of an agent has: its name, its table, its checked settings, and where it stands in the file.
struct ComponentNode {
  std::string name;
  const ComponentInfo* info = nullptr;  ///< never null in a finished graph; always `built`
  Settings settings;  ///< without the shared keys (type, channels, channel, selector.*, interceptors.*)
  std::string file;
  std::uint32_t line = 0;  ///< of its type, or of the first property
};

/// What decides which channels an event goes to. Its settings lack the "selector." prefix: "mapping.a" -> "c1 c2".
using SelectorNode = ComponentNode;
/// Settings lack the "interceptors.<name>." prefix.
using InterceptorNode = ComponentNode;

struct SourceNode : ComponentNode {
  std::vector<std::string> channels;          ///< as listed, only such as exist; never empty
  SelectorNode selector;                      ///< replicating when the file says nothing
  std::vector<InterceptorNode> interceptors;  ///< in the listed order
  /// How the runner waits when the source found nothing: `backoffSleepIncrement` more each time, up to
  /// `maxBackoffSleep`.
  std::chrono::milliseconds backoff_increment{1000};
  std::chrono::milliseconds max_backoff{5000};
};

struct ChannelNode : ComponentNode {};

struct SinkNode : ComponentNode {
  std::string channel;
  bool quarantine = false;  ///< onPoison = quarantine: refused events go to the dead-letter file
};

/// A sink group and its processor: `info` and `settings` are the processor's, without the "processor." prefix.
struct GroupNode : ComponentNode {
  std::vector<std::string> sinks;  ///< never empty; every name is in the graph, each in one group only
};

/// One agent, checked: every name that a node mentions exists in the graph, every setting has passed its table. What
/// the file got wrong is not in it; the diagnostics say what and why. A plain value.
struct AgentGraph {
  std::string name;
  std::vector<ChannelNode> channels;  ///< each in the order of its list
  std::vector<SourceNode> sources;
  std::vector<SinkNode> sinks;
  std::vector<GroupNode> groups;                    ///< a sink in no group runs alone (Flume's default processor)
  std::chrono::milliseconds drain_timeout{10'000};  ///< for volatile channels to run empty
  std::chrono::milliseconds stop_timeout{10'000};   ///< for the components of one kind to end

  const ChannelNode* channel(std::string_view wanted) const;
  const SourceNode* source(std::string_view wanted) const;
  const SinkNode* sink(std::string_view wanted) const;
  /// The group that a sink belongs to; null: none.
  const GroupNode* group_of(std::string_view sink) const;
  /// Nothing would run.
  bool empty() const { return sources.empty() && sinks.empty(); }
};

/// Whether two nodes would make the same component (place in the file aside): what a reload leaves alone.
bool same_component(const ComponentNode& a, const ComponentNode& b);
bool same_component(const SourceNode& a, const SourceNode& b);
bool same_component(const SinkNode& a, const SinkNode& b);
bool same_component(const GroupNode& a, const GroupNode& b);

}  // namespace standpipe

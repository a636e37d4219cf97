#pragma once

#include <string>
#include <vector>

#include "config/graph.h"

namespace standpipe {

/// What stands between a running agent and a wanted graph. Names are of the wanted graph for what is made, of the
/// running one for what ends; a component that is made anew is in both lists.
struct Difference {
  std::vector<std::string> ending_channels;
  std::vector<std::string> new_channels;
  std::vector<std::string> changed_channels;  ///< same type, other settings: taken over in place
  std::vector<std::string> ending_sources;
  std::vector<std::string> new_sources;
  std::vector<std::string> rewired_sources;  ///< only interceptors, selector or channels differ: the source goes on
  std::vector<std::string> ending_sinks;     ///< SinkUnit::name()
  std::vector<std::string> new_sinks;

  bool empty() const;
  /// "sources: +r2 -r1 ~r3; …" for one log line.
  std::string to_string() const;
};

Difference difference(const AgentGraph& running, const AgentGraph& wanted);

/// One unit that a sink runner drives: a group with its sinks, or a sink alone (then `group.info` is null and the
/// group's name is the sink's).
struct SinkUnit {
  GroupNode group;
  std::vector<SinkNode> sinks;

  /// "k1", or "group g1": a group may be called as a sink is.
  std::string name() const { return group.info == nullptr ? group.name : "group " + group.name; }
};
std::vector<SinkUnit> sink_units(const AgentGraph& graph);

}  // namespace standpipe

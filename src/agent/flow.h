#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/component_world.h"
#include "agent/difference.h"
#include "config/graph.h"
#include "core/ingest.h"
#include "core/runner.h"
#include "core/sink_runner.h"

namespace standpipe {

/// A channel of an agent: its node in the graph, its world, its runner. The supervisor takes the runner over from
/// `made` when it is put in place; `runner` points to it before and after. The world outlives the runner, and the
/// channel, which deliveries and leases may hold a while longer.
struct RunningChannel {
  ChannelNode node;
  std::shared_ptr<ComponentWorld> world;
  std::unique_ptr<ChannelRunner> made;
  ChannelRunner* runner = nullptr;
  Registry::Registration registration = {};  ///< last: ends before what it reads
};

struct RunningSource {
  SourceNode node;
  std::shared_ptr<ComponentWorld> world;  ///< the ingest keeps it too, for stores that end after the source
  std::shared_ptr<SourceIngest> ingest;
  std::unique_ptr<SourceRunner> made;
  SourceRunner* runner = nullptr;
  Registry::Registration registration = {};  ///< last: ends before what it reads
};

/// A sink alone or a group of them: what one sink runner drives.
struct RunningSinks {
  SinkUnit unit;
  std::unique_ptr<ComponentWorld> group_world;
  std::vector<std::unique_ptr<ComponentWorld>> worlds;  ///< one a sink, in the order of `sinks`
  std::unique_ptr<SinkRunner> made;
  SinkRunner* runner = nullptr;
  std::vector<Registry::Registration> registrations;  ///< one a sink
};

/// Makes components from nodes of a checked graph; starts nothing. A failure names the component and why it can't be
/// made.
class FlowBuilder {
 public:
  FlowBuilder(const ProcessWorld& process, std::string agent) : process_(process), agent_(std::move(agent)) {}

  /// Channels that plans and sinks may refer to, by name.
  using Channels = std::map<std::string, ChannelRunner*, std::less<>>;

  Result<RunningChannel> make_channel(const ChannelNode& node) const;
  Result<RunningSource> make_source(const SourceNode& node, const Channels& channels) const;
  Result<RunningSinks> make_sinks(const SinkUnit& unit, const Channels& channels) const;
  /// The way behind a source, for a source that goes on while its interceptors, selector or channels change.
  Result<IngestPlan> make_plan(const SourceNode& node, Environment& environment, const Channels& channels) const;

 private:
  Result<std::unique_ptr<GroupMember>> make_member(const SinkNode& node, ComponentWorld& world,
                                                   const Channels& channels) const;

  const ProcessWorld& process_;
  std::string agent_;
};

}  // namespace standpipe

#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "agent/difference.h"
#include "agent/flow.h"
#include "config/diagnostic.h"
#include "config/graph.h"
#include "core/supervisor.h"
#include "standpipe/status.h"

namespace standpipe {

/// A running agent: components made from a checked graph, changed by difference when another graph is applied.
///
/// - apply() touches only what differs: sources keep their sockets while interceptors, selector or channels behind them
///   change; channels keep their contents; everything else is stopped and made anew.
/// - A channel in memory that is to end runs empty first: what its sources bring in meanwhile waits, their connections
///   stay, and goes to the channels of the new graph.
/// - A refused apply() leaves everything running as it was. It is refused when a component that runs now could not be
///   made anew or a channel that it needs does not start, or when a channel that is to end still holds events after the
///   drain time.
/// - stop() stops sources first, lets sinks drain what would be lost, then stops sinks and channels.
///
/// Components are in the process's registry while they are in place. One thread; `process` outlives the agent.
class Agent {
 public:
  Agent(const ProcessWorld& process, std::string name);
  ~Agent();

  const std::string& name() const { return name_; }
  const AgentGraph& graph() const { return graph_; }

  /// Goes over to `wanted`. On the first call a component that can't be made is left out with an error in the log;
  /// later such a component refuses the call if it runs now, else it is left out too.
  Status apply(const AgentGraph& wanted);

  /// In bounded time. When something was abandoned its threads still use what the agent holds: the process should end
  /// without destroying it.
  StopReport stop();

 private:
  struct Abandoned {
    std::string label;
    std::shared_ptr<void> what;              // threads that did not end may still use it
    std::unique_ptr<CounterGroup> counters;  // none: what took its place counts on
    Registry::Registration registration;     // /healthz names it until the process ends
  };
  template <typename Running>
  using ByName = std::map<std::string, Running, std::less<>>;
  /// What apply() has made and not yet put in place.
  struct Made {
    ByName<RunningChannel> channels;
    ByName<RunningSource> sources;
    ByName<RunningSinks> sinks;
    std::map<std::string, IngestPlan, std::less<>> plans;
  };

  Status make_all(const AgentGraph& wanted, const Difference& changes, Made& made);
  struct HeldSources;
  HeldSources hold_sources_of(const std::vector<std::string>& channels);
  Status drain_ending(const AgentGraph& wanted, const Difference& changes, HeldSources& held);
  Status resize_channels(const AgentGraph& wanted, const Difference& changes);
  void undo_resize(const std::vector<std::string>& channels);
  Status start_channels(const AgentGraph& wanted, const Difference& changes, Made& made);
  void forget_left_out();
  void put_in_place(const AgentGraph& wanted, const Difference& changes, Made made);
  FlowBuilder::Channels channels_for(const Difference& changes, Made& made);
  Status leave_out_or_refuse(const Status& why, bool runs_now, std::string_view what = "it is");
  void end_channel(const std::string& name);
  void abandon(ComponentKind kind, const std::string& name, const std::string& label, std::shared_ptr<void> what);
  void register_made(Made& made);

  const ProcessWorld& process_;
  const std::string name_;
  std::unique_ptr<Log> log_;
  FlowBuilder builder_;
  AgentGraph graph_;
  ByName<RunningChannel> channels_;
  ByName<RunningSource> sources_;
  ByName<RunningSinks> sinks_;
  std::vector<Abandoned> abandoned_;          // at reloads
  std::map<std::string, std::int64_t> lost_;  // at reloads: by channel, events that were in memory
  Supervisor supervisor_;                     // last: its runners end before what they refer to
};

/// The diagnostics of a reload that would remove or break something that runs now: they refuse it. What `accepted`
/// already had (when the running configuration was applied) does not count again.
Diagnostics refusing(const AgentGraph& running, const Diagnostics& accepted, const Diagnostics& fresh);

}  // namespace standpipe

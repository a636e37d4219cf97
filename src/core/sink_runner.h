#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/runner.h"
#include "core/sink_group.h"

namespace standpipe {

/// Runs a sink or a sink group on one thread: waits for the channels, start() (again every `start_retry` until it
/// works), then turn after turn. An idle one sleeps until an event arrives or its wake_by; a failing one backs off, 1 s
/// more each time up to 5 s. StartTime and StopTime are set for each member.
class SinkRunner final : public Runner {
 public:
  /// `environment` is the group's (for a sink alone: the sink's) and outlives it.
  SinkRunner(std::string name, std::unique_ptr<SinkProcessor> processor, Environment& environment,
             ChannelGates gates = {}, RunnerOptions options = {});
  ~SinkRunner() override;

  /// One sink in no group.
  static std::unique_ptr<SinkRunner> for_sink(std::string name, std::unique_ptr<Sink> sink, NamedChannel channel,
                                              Environment& environment, ChannelGates gates = {},
                                              RunnerOptions options = {});

  const std::string& name() const { return name_; }

 private:
  class Work;
  std::string name_;
};

}  // namespace standpipe

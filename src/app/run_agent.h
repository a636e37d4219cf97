#pragma once

#include <string>

#include "app/flume_command_line.h"

namespace standpipe {

/// Exit statuses of an agent.
inline constexpr int kExitGood = 0;
inline constexpr int kExitFatal = 1;  ///< it could not start
inline constexpr int kExitEventsLeft =
    3;  ///< it ended, and channels held events in memory, or a component was abandoned

/// The state folder of the agent that `line` describes. For one in ZooKeeper it is the node that counts, not the
/// servers: they come and go.
std::string state_root_of(const FlumeCommandLine& line);

/// Runs an agent until a signal ends it; returns the exit status.
int run_agent(const FlumeCommandLine& line);

}  // namespace standpipe

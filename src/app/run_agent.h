#pragma once

#include "app/flume_command_line.h"

namespace standpipe {

/// Exit statuses of an agent.
inline constexpr int kExitGood = 0;
inline constexpr int kExitFatal = 1;  ///< it could not start
inline constexpr int kExitEventsLeft =
    3;  ///< it ended, and channels held events in memory, or a component was abandoned

/// Runs an agent until a signal ends it; returns the exit status.
int run_agent(const FlumeCommandLine& line);

}  // namespace standpipe

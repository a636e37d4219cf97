#pragma once

#include <memory>

#include "app/logging_options.h"
#include "monitor/monitor.h"

namespace standpipe {

/// Starts `monitor` where -Dflume.monitoring.type=http asks for it (flume.monitoring.port, 41414;
/// flume.monitoring.host, all addresses as in Flume). A port that can't be had is logged, and the agent goes on, as
/// Flume does.
void start_monitoring(const Properties& properties, Monitor& monitor);

}  // namespace standpipe

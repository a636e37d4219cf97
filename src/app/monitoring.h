#pragma once

#include <memory>

#include "agent/agent.h"
#include "app/logging_options.h"
#include "standpipe/memory_budget.h"

namespace standpipe {

/// The HTTP service for counters and health; ends with its destructor.
class Monitoring {
 public:
  virtual ~Monitoring() = default;
};

/// Starts it where -Dflume.monitoring.type=http asks for it (flume.monitoring.port, 41414; flume.monitoring.host, all
/// addresses as in Flume). Null where nothing is asked for, or when the port is taken: that is logged, the agent goes on.
std::unique_ptr<Monitoring> start_monitoring(const Properties& properties, const Agent& agent, const MemoryBudget& budget);

}  // namespace standpipe

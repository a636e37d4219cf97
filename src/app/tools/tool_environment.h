#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe {

/// The world of a command that uses a component's files outside an agent: the machine's disk and clock, warnings on
/// standard error, a memory budget of its own.
class ToolEnvironment {
 public:
  /// `name`: what log lines begin with.
  static Result<std::unique_ptr<ToolEnvironment>> make(const std::string& name);
  Environment& environment() { return environment_; }

 private:
  explicit ToolEnvironment(const std::string& name);

  SystemClock clock_;
  std::unique_ptr<Log> log_;
  MemoryBudget budget_;
  CounterGroup counters_;
  Environment environment_;
};

}  // namespace standpipe

#pragma once

#include <string>
#include <string_view>

#include "standpipe/counters.h"
#include "standpipe/memory_budget.h"

namespace standpipe {

class Clock;       // base/clock.h
class FileSystem;  // io/file_system.h
class Network;     // net/network.h

/// Where a component writes what an operator should read. Lines carry the component's kind and name. Thread-safe; a
/// call formats nothing when the level is off. Never log a secret or, unless `rawdata` is on, the body of an event.
class Log {
 public:
  enum class Level : unsigned char { trace, debug, info, warn, error };

  virtual ~Log() = default;
  virtual bool enabled(Level level) const = 0;
  virtual void write(Level level, std::string_view message) = 0;

  void debug(std::string_view message) { write(Level::debug, message); }
  void info(std::string_view message) { write(Level::info, message); }
  void warn(std::string_view message) { write(Level::warn, message); }
  void error(std::string_view message) { write(Level::error, message); }
};

/// The world as one component sees it: every seam that tests replace. The agent makes one per component; everything it
/// refers to outlives the component.
struct Environment {
  std::string agent;      ///< "a1"
  std::string component;  ///< "r1"
  std::string state_dir;  ///< where the component may keep files of its own; made on first use by who writes there
  Log& log;
  Clock& clock;
  FileSystem& files;
  Network* network;  ///< null in tests that need none
  MemoryBudget& budget;
  CounterGroup& counters;
};

}  // namespace standpipe

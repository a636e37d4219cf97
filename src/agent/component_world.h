#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "core/executor.h"
#include "monitor/registry.h"
#include "standpipe/environment.h"
#include "standpipe/sink.h"

namespace standpipe {

/// What all components of a process share. Made in main(), outlives the agent.
struct ProcessWorld {
  Clock& clock;
  FileSystem& files;
  Network& network;
  MemoryBudget& budget;
  EngineThread& engine;
  Registry& registry;      ///< what /metrics and /healthz read
  std::string state_root;  ///< components' own files lie in <state_root>/<kind>-<name>
};

/// One component's Environment and what it refers to: log, counters, quarantine. Stays at its address; outlives the
/// component.
class ComponentWorld {
 public:
  /// `kind` is "source", "channel" or "sink": part of log lines and of the state folder's name.
  ComponentWorld(const ProcessWorld& process, const std::string& agent, const std::string& kind,
                 const std::string& name);
  ComponentWorld(const ComponentWorld&) = delete;
  ComponentWorld& operator=(const ComponentWorld&) = delete;

  Environment& environment() { return environment_; }
  const CounterGroup& counters() const { return counters_; }
  /// Events that are refused for good go to `quarantine` from now on.
  void set_quarantine(std::unique_ptr<Quarantine> quarantine);

 private:
  std::unique_ptr<Log> log_;
  CounterGroup counters_;
  std::unique_ptr<Quarantine> quarantine_;
  Environment environment_;
};

}  // namespace standpipe

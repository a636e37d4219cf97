#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/runner.h"
#include "standpipe/counters.h"
#include "standpipe/option.h"

namespace standpipe {

/// One component as an operator's tools see it: its identity, its numbers and its state, all at one moment.
struct ComponentReading {
  std::string agent;
  ComponentKind kind;
  std::string name;
  std::map<std::string, double> values = {};  ///< every attribute that Flume has for this kind, and ours
  LifeState state = LifeState::running;
  std::int64_t since_ms = 0;  ///< of the state
  Code error = Code::ok;      ///< the last failure, while it is not overcome
  std::string message = {};

  /// "SOURCE.r1", as Flume names it.
  std::string key() const;
};

/// The components that run now. The agent adds each when it makes it and drops the registration before the component.
/// Thread-safe; gauges and health functions are called while somebody reads, and never after their registration ended.
class Registry {
 public:
  struct Component {
    std::string agent;
    ComponentKind kind;  ///< source, channel or sink
    std::string name;
    const CounterGroup* counters;
    std::function<Health()> health;  ///< may be empty
  };

  /// Takes the component out again when dropped; waits for a reading under way. Must not outlive the registry.
  class Registration {
   public:
    Registration() = default;
    Registration(Registration&& other) noexcept;
    Registration& operator=(Registration&& other) noexcept;
    ~Registration();

   private:
    friend class Registry;
    Registration(Registry* registry, std::list<Component>::iterator place) : registry_(registry), place_(place) {}
    Registry* registry_ = nullptr;
    std::list<Component>::iterator place_;
  };

  [[nodiscard]] Registration add(Component component);

  /// All components, by kind and name.
  std::vector<ComponentReading> read() const;

 private:
  mutable std::mutex mutex_;
  std::list<Component> components_;
};

}  // namespace standpipe

#pragma once

#include <condition_variable>
#include <mutex>
#include <string>

#include "core/runner.h"

namespace standpipe {

/// What a runner's thread and its owner both see; outlives either.
struct Runner::Shared {
  Shared(std::string name, Environment& world) : label(std::move(name)), environment(world) {}

  void set(LifeState state);
  void fail(const Status& error);
  /// Runs well: forgets the last error.
  void recovered();

  const std::string label;
  Environment& environment;
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  Health health;
  bool done = true;  // the thread has ended, or was never started
};

/// Waits for every gate; false: stop was requested first.
bool wait_for_gates(const ChannelGates& gates, std::stop_token stop);

void wait_for_stop(std::stop_token stop);

/// StartTime and StopTime of a component.
void mark_started(Environment& environment);
void mark_stopped(Environment& environment);

}  // namespace standpipe

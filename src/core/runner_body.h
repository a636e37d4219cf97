#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>

#include "core/runner.h"

namespace standpipe {

/// What a runner's thread and its owner both see; outlives either.
struct Runner::Shared {
  Shared(std::string name, Environment& world) : label(std::move(name)), environment(world) {}

  void set(LifeState state);
  void fail(const Status& error);
  /// Runs, and yet some events wait for this reason.
  void held_up(const Status& why);
  /// Runs well: forgets the last error.
  void recovered();

  const std::string label;
  Environment& environment;
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  Health health;
  bool done = true;  // the thread has ended, or was never started
};

/// A component's call with a last net under it: what a library throws through a component is that component's failure
/// and is tried again; it never ends the agent.
template <typename Call>
auto guarded(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& thrown) {
    return Status(Code::io, std::string("an exception came through: ") + thrown.what());
  } catch (...) {
    return Status(Code::io, "something that is no exception was thrown");
  }
}

/// Waits for every gate; false: stop was requested first.
bool wait_for_gates(const ChannelGates& gates, std::stop_token stop);

void wait_for_stop(std::stop_token stop);

/// StartTime and StopTime of a component.
void mark_started(Environment& environment);
void mark_stopped(Environment& environment);

}  // namespace standpipe

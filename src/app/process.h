#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <pthread.h>

#include "standpipe/status.h"

namespace standpipe {

/// Bytes that the process may use by itself: `wish` (-Xmx) where there is one, else a quarter of the control group's
/// memory limit or of the machine's memory.
std::uint64_t memory_budget_bytes(std::optional<std::uint64_t> wish);

/// Sets the allocator up for an agent. Before any thread starts.
void tune_allocator();
/// Gives memory back that nothing has used since the last call. Every half minute or so; any thread.
void give_idle_memory_back();

/// Where this agent's components keep files of their own: -Dstandpipe.state.dir, else
/// ~/.standpipe/<agent>-<8 hex digits of the configuration's location>, so that two agents of one name don't meet.
std::string state_root(const std::string& given, const std::string& agent, const std::string& configuration);

/// Holds a state folder for as long as it lives: a second process on the same folder is refused.
class StateLock {
 public:
  /// Makes the folder when it is missing; the holder's pid stands in its file `lock`. Code::unavailable: another
  /// process holds it. Code::io: the folder can't be used.
  static Result<StateLock> take(const std::string& folder);
  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&&) = delete;
  ~StateLock();

 private:
  explicit StateLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// The signals of a service, taken by the main thread. Made before any other thread starts.
enum class ServiceSignal : unsigned char { none, stop, reload, wake };
class SignalWait {
 public:
  SignalWait();
  /// Makes wait() return `wake`, now or the next time. Any thread.
  void wake();
  /// The next signal, or none when `limit` has passed.
  ServiceSignal wait(std::chrono::milliseconds limit);

 private:
  const pthread_t waiting_;
  bool hangup_reloads_;
  bool hangup_ignored_;
};

}  // namespace standpipe

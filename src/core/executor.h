#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "standpipe/receipt.h"

namespace standpipe {

/// The engine's own thread: deadlines of hand-overs that wait for room, and the work a waker must not do itself. One
/// per agent; sleeps without a single wake-up while there is nothing to do. Tasks never block. Thread-safe. The
/// destructor runs no more tasks and joins; `clock` must outlive it.
class EngineThread final : public Executor {
 public:
  using TimerId = std::uint64_t;

  explicit EngineThread(Clock& clock);
  ~EngineThread() override;

  void post(std::function<void()> task) override;
  /// Runs `task` at `when` or soon after. The id is never 0.
  TimerId at(Clock::Steady when, std::function<void()> task);
  /// A no-op when it has run already, or is about to: a task must look for itself whether it is still wanted.
  void cancel(TimerId id);

  Clock& clock() { return clock_; }

 private:
  void run(std::stop_token stop);
  bool due(Clock::Steady now) const;

  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> tasks_;
  std::map<std::pair<Clock::Steady, TimerId>, std::function<void()>> timers_;
  std::map<TimerId, Clock::Steady> deadlines_;
  TimerId last_id_ = 0;
  std::uint64_t changes_ = 0;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace standpipe

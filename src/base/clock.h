#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>

namespace standpipe {

/// The time seam: wall time for what a user sees, steady time for waits. Whoever waits with a deadline waits through
/// it, so that a test moves a year in a millisecond. Thread-safe.
class Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  using Lock = std::unique_lock<std::mutex>;

  virtual ~Clock() = default;
  /// Milliseconds since 1970-01-01T00:00Z.
  virtual std::int64_t now_ms() = 0;
  virtual Steady steady_now() = 0;
  /// Waits on `changed` until `ready()` (evaluated under `lock`), the deadline, or a stop request; returns ready().
  virtual bool wait_until(Lock& lock, std::condition_variable_any& changed, std::stop_token stop, Steady deadline,
                          const std::function<bool()>& ready) = 0;

  /// Waits that long or until a stop request; false when it was stopped first.
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop);
};

/// The machine's clock.
class SystemClock final : public Clock {
 public:
  std::int64_t now_ms() override;
  Steady steady_now() override;
  bool wait_until(Lock& lock, std::condition_variable_any& changed, std::stop_token stop, Steady deadline,
                  const std::function<bool()>& ready) override;
};

/// A clock that moves only when a test says so; a waiter whose deadline has come notices within a millisecond.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(std::int64_t start_ms = 1'700'000'000'000) : start_ms_(start_ms) {}
  std::int64_t now_ms() override;
  Steady steady_now() override;
  bool wait_until(Lock& lock, std::condition_variable_any& changed, std::stop_token stop, Steady deadline,
                  const std::function<bool()>& ready) override;
  void advance(std::chrono::milliseconds by);
  /// Threads waiting now: a test waits for them before it moves the clock.
  std::size_t waiters() const;

 private:
  const std::int64_t start_ms_;
  mutable std::mutex mutex_;
  std::chrono::milliseconds elapsed_{0};
  std::atomic<std::size_t> waiters_{0};
};

}  // namespace standpipe

#include "base/clock.h"

namespace standpipe {

bool Clock::sleep_for(std::chrono::milliseconds duration, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  Lock lock(mutex);
  wait_until(lock, never, stop, steady_now() + duration, [] { return false; });
  return !stop.stop_requested();
}

std::int64_t SystemClock::now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Clock::Steady SystemClock::steady_now() { return std::chrono::steady_clock::now(); }

bool SystemClock::wait_until(Lock& lock, std::condition_variable_any& changed, std::stop_token stop, Steady deadline,
                             const std::function<bool()>& ready) {
  if (deadline == Steady::max()) return changed.wait(lock, stop, ready);
  return changed.wait_until(lock, stop, deadline, ready);
}

std::int64_t VirtualClock::now_ms() {
  std::lock_guard lock(mutex_);
  return start_ms_ + elapsed_.count();
}

Clock::Steady VirtualClock::steady_now() {
  std::lock_guard lock(mutex_);
  return Steady(elapsed_);
}

bool VirtualClock::wait_until(Lock& lock, std::condition_variable_any& changed, std::stop_token stop, Steady deadline,
                              const std::function<bool()>& ready) {
  // Looking again every millisecond of real time spares advance() any knowledge of the waiters.
  waiters_.fetch_add(1);
  while (!ready() && !stop.stop_requested() && steady_now() < deadline) {
    changed.wait_for(lock, stop, std::chrono::milliseconds(1), ready);
  }
  waiters_.fetch_sub(1);
  return ready();
}

void VirtualClock::advance(std::chrono::milliseconds by) {
  std::lock_guard lock(mutex_);
  elapsed_ += by;
}

std::size_t VirtualClock::waiters() const { return waiters_.load(); }

}  // namespace standpipe

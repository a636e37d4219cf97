#include "core/wakers.h"

#include <algorithm>

namespace standpipe {

void WakerList::add(Waker& waker) {
  std::lock_guard lock(mutex_);
  wakers_.push_back(&waker);
  count_.store(wakers_.size());
}

void WakerList::remove(Waker& waker) {
  std::lock_guard lock(mutex_);
  std::erase(wakers_, &waker);
  count_.store(wakers_.size());
}

void WakerList::wake_all() {
  if (count_.load() == 0) return;
  std::lock_guard lock(mutex_);
  for (Waker* waker : wakers_) waker->wake();
}

void Signal::wake() {
  if (woken_.exchange(true) || !sleeping_.load()) return;
  std::lock_guard lock(mutex_);
  changed_.notify_all();
}

bool Signal::wait(Clock& clock, std::stop_token stop, Clock::Steady deadline) {
  std::unique_lock lock(mutex_);
  // The order (announce, then look) mirrors wake()'s (mark, then look): one of the two sees the other.
  sleeping_.store(true);
  const bool woken = clock.wait_until(lock, changed_, stop, deadline, [this] { return woken_.load(); });
  sleeping_.store(false);
  return woken;
}

}  // namespace standpipe

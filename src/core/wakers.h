#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "standpipe/channel.h"

namespace standpipe {

/// The wakers of one kind that a channel keeps. wake_all() costs one relaxed load when there are none; remove() returns
/// when no wake() is under way any more, so that a waker may be destroyed right after. Thread-safe. Never call it under
/// the channel's own lock.
class WakerList {
 public:
  void add(Waker& waker);
  void remove(Waker& waker);
  void wake_all();

 private:
  std::atomic<std::size_t> count_{0};
  std::mutex mutex_;
  std::vector<Waker*> wakers_;
};

/// A waker that one thread sleeps on. wake() is remembered until the next wait, so nothing that happens between looking
/// and sleeping is missed: arm(), look, then wait().
class Signal final : public Waker {
 public:
  void wake() override;
  /// Forgets wakes that came before.
  void arm() { woken_.store(false); }
  /// Returns at a wake() since arm() (true), at the deadline (Steady::max(): none) or when stop is requested.
  bool wait(Clock& clock, std::stop_token stop, Clock::Steady deadline);

 private:
  std::atomic<bool> woken_{false};
  std::atomic<bool> sleeping_{false};
  std::mutex mutex_;
  std::condition_variable_any changed_;
};

}  // namespace standpipe

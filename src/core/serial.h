#pragma once

#include <functional>
#include <mutex>
#include <vector>

namespace standpipe {

/// Runs tasks one at a time, in order, on whichever thread brings one: a thread that finds another at work leaves its
/// task with that one. So the state that the tasks work on needs no lock, and no lock is held while they call out: a
/// task may bring another from inside, directly or through a callback. Thread-safe.
class Serial {
 public:
  /// The fast path: true makes the caller the worker, who must call leave().
  bool try_enter() {
    std::lock_guard lock(mutex_);
    if (busy_) return false;
    busy_ = true;
    return true;
  }

  /// Runs what others left meanwhile, then lets go.
  void leave() {
    std::vector<std::function<void()>> tasks;
    for (;;) {
      {
        std::lock_guard lock(mutex_);
        if (inbox_.empty()) {
          busy_ = false;
          return;
        }
        tasks.swap(inbox_);
      }
      for (auto& task : tasks) task();
      tasks.clear();
    }
  }

  void run(std::function<void()> task) {
    {
      std::lock_guard lock(mutex_);
      if (busy_) {
        inbox_.push_back(std::move(task));
        return;
      }
      busy_ = true;
    }
    task();
    leave();
  }

 private:
  std::mutex mutex_;
  bool busy_ = false;
  std::vector<std::function<void()>> inbox_;
};

}  // namespace standpipe

#include "core/executor.h"

#include <utility>

namespace standpipe {

EngineThread::EngineThread(Clock& clock) : clock_(clock), thread_([this](std::stop_token stop) { run(stop); }) {}

EngineThread::~EngineThread() {
  thread_.request_stop();
  thread_.join();
}

void EngineThread::post(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  ++changes_;
  changed_.notify_one();
}

EngineThread::TimerId EngineThread::at(Clock::Steady when, std::function<void()> task) {
  std::lock_guard lock(mutex_);
  const TimerId id = ++last_id_;
  timers_.emplace(std::pair(when, id), std::move(task));
  deadlines_.emplace(id, when);
  ++changes_;
  changed_.notify_one();
  return id;
}

void EngineThread::cancel(TimerId id) {
  std::lock_guard lock(mutex_);
  const auto found = deadlines_.find(id);
  if (found == deadlines_.end()) return;
  timers_.erase({found->second, id});
  deadlines_.erase(found);
}

bool EngineThread::due(Clock::Steady now) const {
  return !tasks_.empty() || (!timers_.empty() && timers_.begin()->first.first <= now);
}

void EngineThread::run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!due(clock_.steady_now())) {
      const Clock::Steady deadline = timers_.empty() ? Clock::Steady::max() : timers_.begin()->first.first;
      const std::uint64_t seen = changes_;
      clock_.wait_until(lock, changed_, stop, deadline, [&] { return changes_ != seen; });
      continue;
    }
    std::function<void()> task;
    if (!tasks_.empty()) {
      task = std::move(tasks_.front());
      tasks_.pop_front();
    } else {
      task = std::move(timers_.begin()->second);
      deadlines_.erase(timers_.begin()->first.second);
      timers_.erase(timers_.begin());
    }
    lock.unlock();
    task();
    task = nullptr;  // what it holds goes outside the lock
    lock.lock();
  }
}

}  // namespace standpipe

#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "standpipe/component.h"
#include "support/patience.h"

namespace standpipe::testing {

/// An Ingest that keeps what it is given and completes, holds or fails receipts as the test says. Thread-safe.
class CollectingIngest final : public Ingest {
 public:
  struct Event {
    std::string body;
    Headers headers;
  };
  enum class Mode : unsigned char { accept, hold, fail };

  Receipt deliver(Batch batch) override {
    std::unique_lock lock(mutex_);
    batches_.push_back(batch.size());
    if (mode_ == Mode::fail) {
      ++refused_;
      changed_.notify_all();
      return Receipt::completed({Code::full, "the test's channel is full"});
    }
    for (std::size_t i = 0; i < batch.size(); ++i) events_.push_back({std::string(batch[i].body), *batch[i].headers});
    changed_.notify_all();
    if (mode_ == Mode::accept) return Receipt::completed();
    held_.emplace_back();
    return held_.back().receipt();
  }

  void set_mode(Mode mode) {
    std::lock_guard lock(mutex_);
    mode_ = mode;
  }
  /// Completes the `index`-th receipt that is held.
  void complete(std::size_t index, Status status = {}) {
    std::unique_lock lock(mutex_);
    ReceiptPromise promise = std::move(held_.at(index));
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
    lock.unlock();
    promise.complete(std::move(status));
  }
  std::size_t held() const {
    std::lock_guard lock(mutex_);
    return held_.size();
  }
  std::size_t refused() const {
    std::lock_guard lock(mutex_);
    return refused_;
  }
  std::vector<Event> events() const {
    std::lock_guard lock(mutex_);
    return events_;
  }
  std::vector<std::string> bodies() const {
    std::vector<std::string> result;
    for (Event& event : events()) result.push_back(std::move(event.body));
    return result;
  }
  std::vector<std::size_t> batch_sizes() const {
    std::lock_guard lock(mutex_);
    return batches_;
  }
  /// Waits until `ready` holds after some change; false after kPatience.
  bool wait_for(const std::function<bool()>& ready) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::unique_lock lock(mutex_);
    while (true) {
      lock.unlock();
      const bool done = ready();
      lock.lock();
      if (done) return true;
      if (std::chrono::steady_clock::now() > deadline) return false;
      changed_.wait_for(lock, std::chrono::milliseconds(2));
    }
  }
  bool wait_for_events(std::size_t count) {
    return wait_for([&] {
      std::lock_guard lock(mutex_);
      return events_.size() >= count;
    });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Mode mode_ = Mode::accept;
  std::vector<Event> events_;
  std::vector<std::size_t> batches_;
  std::deque<ReceiptPromise> held_;
  std::size_t refused_ = 0;
};

/// A source that runs on a thread as the engine runs it; stopped with the object.
class RunningSource {
 public:
  RunningSource(std::unique_ptr<Source> source, Ingest& ingest) : source_(std::move(source)) {
    status_ = source_->start(ingest);
    if (!status_.ok()) return;
    thread_ = std::jthread([this](std::stop_token stop) { status_ = source_->run(stop); });
  }
  ~RunningSource() { stop().ignore(); }
  /// Ends run() and stops the source; the status of start() or run().
  Status stop() {
    if (thread_.joinable()) {
      thread_.request_stop();
      thread_.join();
    }
    if (source_ != nullptr) source_->stop();
    return status_;
  }

 private:
  std::unique_ptr<Source> source_;
  Status status_;
  std::jthread thread_;
};

}  // namespace standpipe::testing

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "crash/agent_life.h"
#include "io/file_system.h"
#include "standpipe/source.h"

namespace standpipe::crash {

/// A test's channel that outlives the agent: what its receipts say is stored stands, synced, in a file. One thread
/// writes what was handed over, one syncs and completes; so a kill between hand-over and receipt does lose events, as
/// it may. `text_of` makes the line that is stored for an event; what comes within `gather_ms` is stored together.
/// Every twentieth sync takes `stall_ms` longer, as on a disk that has others to serve.
class DurableFileIngest final : public Ingest {
 public:
  using TextOf = std::string (*)(std::string_view body);

  struct Options {
    TextOf text_of;
    int gather_ms;
    int stall_ms;
  };

  DurableFileIngest(std::unique_ptr<File> file, Options options)
      : file_(std::move(file)),
        options_(options),
        writer_([this](std::stop_token stop) { write_all(stop); }),
        syncer_([this](std::stop_token stop) { sync_all(stop); }) {}

  Receipt deliver(Batch batch) override {
    Item item;
    for (std::size_t i = 0; i < batch.size(); ++i) item.text += options_.text_of(batch[i].body) + "\n";
    Receipt receipt = item.promise.receipt();
    std::lock_guard lock(mutex_);
    handed_over_.push_back(std::move(item));
    changed_.notify_all();
    return receipt;
  }

  /// Since when the disk has not answered; 0: it owes nothing. From any thread.
  std::int64_t waiting_since_us() const { return waiting_since_us_.load(); }

 private:
  struct Item {
    std::string text;
    ReceiptPromise promise;
  };

  std::vector<Item> take(std::vector<Item>& from, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return !from.empty(); });
    return std::exchange(from, {});
  }

  void gather(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return !handed_over_.empty(); });
    changed_.wait_for(lock, stop, std::chrono::milliseconds(options_.gather_ms), [] { return false; });
  }

  void write_all(std::stop_token stop) {
    while (!stop.stop_requested()) {
      gather(stop);
      std::vector<Item> items = take(handed_over_, stop);
      std::string text;
      for (const Item& item : items) text += item.text;
      CHECK(file_->write(text).ok());
      std::lock_guard lock(mutex_);
      for (Item& item : items) written_.push_back(std::move(item));
      changed_.notify_all();
    }
  }

  void sync_all(std::stop_token stop) {
    while (!stop.stop_requested()) {
      std::vector<Item> items = take(written_, stop);
      waiting_since_us_ = steady_us();
      sync();
      waiting_since_us_ = 0;
      for (Item& item : items) item.promise.complete({});
    }
  }

  void sync() {
    if (++syncs_ % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(options_.stall_ms));
    CHECK(file_->sync().ok());
  }

  const std::unique_ptr<File> file_;
  const Options options_;
  int syncs_ = 0;  // used by the syncer only
  std::atomic<std::int64_t> waiting_since_us_{0};
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Item> handed_over_;  // guarded by mutex_
  std::vector<Item> written_;      // guarded by mutex_
  std::jthread writer_;
  std::jthread syncer_;
};

}  // namespace standpipe::crash

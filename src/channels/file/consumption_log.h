#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "channels/file/interval_set.h"
#include "channels/file/snapshot.h"
#include "io/file_system.h"
#include "standpipe/environment.h"

namespace standpipe::file_channel {

/// The ranges that are gone, appended as they go, and the snapshots that keep the file short. A range is in the page
/// cache when append() returned (it survives kill -9) and on the device after the next sync(). A failure loses nothing:
/// the ranges are in memory too, and the next snapshot has them all. Thread-safe.
class ConsumptionLog {
 public:
  /// `generation`: the newest that is there. Nothing is written before begin().
  ConsumptionLog(FileSystem& files, Log& log, std::string folder, std::uint64_t channel_id, std::uint64_t generation);

  /// Writes go to a new file of the next generation from now on; what was written before is synced. After it returned
  /// ok, take the snapshot's state and save() it.
  Status begin();
  /// Makes the snapshot of the newest generation durable and removes generations that are not needed any more.
  Status save(const Snapshot& snapshot);

  void append(std::span<const Range> ranges);
  /// On the device when it returns ok; free when nothing was written since the last.
  Status sync();

  std::uint64_t generation() const;
  /// Bytes in the newest file.
  std::uint64_t size() const;
  /// Something was written and not synced.
  bool dirty() const;
  /// Some range is in memory only: take a snapshot.
  bool behind() const;

 private:
  void remove_unneeded(std::uint64_t newest);

  FileSystem& files_;
  Log& log_;
  const std::string folder_;
  const std::uint64_t channel_id_;
  mutable std::mutex mutex_;
  std::unique_ptr<File> file_;    // null: none yet, or a sync of it failed
  std::shared_ptr<File> syncer_;  // the same file once more: commits don't wait for a sync
  std::uint64_t generation_;
  std::uint64_t size_ = 0;
  bool dirty_ = false;
  bool behind_ = false;   // since begin(), some range was not written
  bool unsaved_ = false;  // before it, and no snapshot was saved since
};

}  // namespace standpipe::file_channel

#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "io/file_system.h"
#include "standpipe/status.h"

namespace standpipe::taildir {

/// Writes positions on a thread of its own, because a sync on a busy disk takes longer than a file may wait to be read.
/// Each file is replaced as a whole or not at all; Flume's first, so that what we know beyond it is never newer.
/// Thread-safe.
class PositionWriter {
 public:
  struct Snapshot {
    std::string positions;
    std::string knowledge;
  };
  /// `on_failure` is called on the writer's thread.
  PositionWriter(FileSystem& files, std::string path, std::function<void(const Status&)> on_failure);
  /// Writes what was posted last.
  ~PositionWriter();
  PositionWriter(const PositionWriter&) = delete;
  PositionWriter& operator=(const PositionWriter&) = delete;

  /// Replaces a snapshot that waits.
  void post(Snapshot snapshot);

 private:
  void run();
  Status write(const Snapshot& snapshot);
  Status replace(const std::string& path, const std::string& content);

  FileSystem& files_;
  const std::string path_;
  const std::function<void(const Status&)> on_failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Snapshot> waiting_;  // guarded by mutex_
  bool ended_ = false;               // guarded by mutex_
  std::thread thread_;
};

}  // namespace standpipe::taildir

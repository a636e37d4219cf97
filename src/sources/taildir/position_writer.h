#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "io/file_system.h"
#include "sources/taildir/position_file.h"
#include "standpipe/status.h"

namespace standpipe::taildir {

/// Writes positions on a thread of its own, because a sync on a busy disk takes longer than a file may wait to be read.
/// Each file is replaced as a whole or not at all; what we know first: it names the position file that follows.
/// Thread-safe.
class PositionWriter {
 public:
  struct Snapshot {
    std::string positions;  // Flume's text
    std::vector<Knowledge> knowledge;
  };
  /// `standing_hash` is that of the position file that stands there. `on_failure` is called on the writer's thread.
  PositionWriter(FileSystem& files, std::string path, std::uint64_t standing_hash,
                 std::function<void(const Status&)> on_failure);
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
  std::uint64_t standing_hash_;
  const std::function<void(const Status&)> on_failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Snapshot> waiting_;  // guarded by mutex_
  bool ended_ = false;               // guarded by mutex_
  std::thread thread_;
};

}  // namespace standpipe::taildir

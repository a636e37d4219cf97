#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codec/avro/container_writer.h"
#include "io/file_system.h"
#include "standpipe/status.h"

namespace standpipe::spooldir {

/// What a tracker says: so far that file was delivered.
struct TrackedPosition {
  std::string file;
  std::uint64_t offset = 0;
  friend bool operator==(const TrackedPosition&, const TrackedPosition&) = default;
};

/// Reads a tracker's bytes; nothing for an empty one (a crash between making and writing it). A torn last record is no
/// damage: the one before it counts.
Result<std::optional<TrackedPosition>> parse_tracker(std::string_view bytes);

/// Flume's `.flumespool-main.meta`: an Avro container whose metadata names the file and whose last record is the offset
/// up to which it was delivered. One record is appended per position, flushed, not synced, as Flume does. One thread.
class TrackerFile {
 public:
  static constexpr std::string_view kName = ".flumespool-main.meta";

  TrackerFile(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  /// What an earlier run left.
  Result<std::optional<TrackedPosition>> load() const;
  /// `position.file` was delivered up to `position.offset`. A tracker of another file is replaced.
  Status store(const TrackedPosition& position);
  /// The file is done with: no position any more.
  Status clear();

 private:
  Status begin(const TrackedPosition& position);

  FileSystem& files_;
  const std::string path_;
  std::string file_;  // whose position the open container holds; empty: none is open
  std::optional<avro::ContainerWriter> writer_;
  std::unique_ptr<File> out_;
};

}  // namespace standpipe::spooldir

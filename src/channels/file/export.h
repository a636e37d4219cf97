#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "channels/file/encryption.h"
#include "channels/file/recovery.h"
#include "standpipe/batch.h"
#include "standpipe/environment.h"

namespace standpipe::file_channel {

/// Where exported events go. Nothing stands under the name that was asked for before finish() returned ok.
class ExportTarget {
 public:
  virtual ~ExportTarget() = default;
  virtual Status add(const EventRef& event) = 0;
  /// All of it is on the device when it returns ok.
  virtual Status finish() = 0;
};

/// An Avro container file, of the schema that the serializer avro_event writes. Code::invalid: `path` is there already.
Result<std::unique_ptr<ExportTarget>> export_to_avro(FileSystem& files, const std::string& path);
/// A folder with the folders `checkpoint` (empty) and `data` of a file channel, which Flume 1.9 to 1.11 opens.
/// Code::invalid: `path` is there already.
Result<std::unique_ptr<ExportTarget>> export_to_flume(FileSystem& files, const std::string& path);

struct Exported {
  std::uint64_t events = 0;
  std::uint64_t damaged = 0;  ///< events that can't be read
  std::uint64_t lost = 0;     ///< events whose segment is gone
  std::uint64_t missing = 0;  ///< numbers that are nowhere: never acknowledged, or lost with a segment
};

/// Hands everything that waits in the channel to `target`, in order, and finishes it. The channel keeps its events:
/// this opens it as a start does, and takes nothing. Memory does not grow with what waits.
Result<Exported> export_events(const Folders& folders, const KeyRing& keys, Environment& environment,
                               ExportTarget& target);

}  // namespace standpipe::file_channel

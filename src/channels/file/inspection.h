#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "channels/file/directory_guard.h"
#include "channels/file/encryption.h"
#include "channels/file/interval_set.h"
#include "channels/file/record_scan.h"
#include "channels/file/recovery.h"
#include "channels/file/segment_format.h"
#include "io/file_system.h"

namespace standpipe::file_channel {

/// A segment as it stands on disk.
struct SegmentReport {
  std::string path;
  std::uint64_t id = 0;
  std::uint64_t size = 0;   ///< of the file
  std::uint64_t end = 0;    ///< behind its last record; for all but the newest, what the next one's header says
  std::uint64_t first = 0;  ///< no record has a smaller number
  std::optional<SegmentHeader> header;  ///< none: it is damaged
  bool is_blank = false;                ///< the header's page is all zero
  bool encrypted = false;
  // Where records were read:
  std::uint64_t records_end = 0;  ///< behind its last record
  std::uint64_t events = 0;       ///< that check
  std::uint64_t waiting = 0;      ///< of these
};

/// Bytes that do not check.
struct DamagedPlace {
  std::string path;
  Damage damage;
  std::uint64_t waiting = 0;  ///< events among its numbers that nobody has taken
};

struct DirectoryReport {
  std::string path;
  std::vector<SegmentReport> segments;  ///< oldest first
  std::uint64_t damaged_copies = 0;     ///< bytes in damaged/
};

/// A file that says nothing any more, or less than it did.
struct FileProblem {
  std::string path;
  std::string what;
};

struct Inspection {
  Owner owner;
  Folders folders;
  std::uint64_t generation = 0;         ///< of the snapshot in use; 0: there is none
  std::int64_t snapshot_ms = 0;         ///< when it was written
  std::uint64_t newest_generation = 0;  ///< of any file
  std::uint64_t next = 0;               ///< no event has this number or a higher one
  IntervalSet gone;                     ///< numbers that sinks took, or that never were events
  std::uint64_t waiting = 0;            ///< numbers that are not gone
  std::int64_t oldest_segment_ms = 0;   ///< when the segment with the oldest waiting event was begun; 0: none
  std::vector<DirectoryReport> directories;
  std::vector<FileProblem> problems;
  /// Data directories that the snapshot knows, whose events may wait, and which are not among the folders.
  std::vector<std::string> absent;
  // Where records were read:
  std::vector<DamagedPlace> damages;
  std::vector<Range> missing;            ///< numbers that are not gone and nowhere
  std::uint64_t closed = 0;              ///< events that check, and that no key at hand opens
  std::vector<DamagedPlace> unreadable;  ///< what the device does not give
  /// Of a group that was being written when the process ended, or may have been: nobody was told that it was stored.
  std::vector<DamagedPlace> torn;
};

struct InspectOptions {
  bool read_records = false;  ///< all of them; else only what says where the segments end
  /// An agent runs on the folders: what it has just written or taken is no damage.
  bool in_use = false;
  const KeyRing* keys = nullptr;
};

/// Looks at a channel's folders; locks and changes nothing, and so may look while an agent runs on them. Without a
/// checkpointDir (an empty path) nothing counts as gone. Fails where the folders are no channel or can't be read at
/// all.
Result<Inspection> inspect(FileSystem& files, const Folders& folders, const InspectOptions& options);

}  // namespace standpipe::file_channel

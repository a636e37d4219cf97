#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "channels/file/encryption.h"
#include "channels/file/interval_set.h"
#include "channels/file/snapshot.h"
#include "io/file_system.h"

/// What a snapshot says about data folders and segments, against what is there: a disk that is not mounted, a folder
/// that left dataDirs, a segment that somebody removed.
namespace standpipe::file_channel {

/// A segment that is there.
struct PresentSegment {
  std::uint64_t id;
  std::uint64_t first;
};

/// Whether `folder`, which holds `present`, is the one that a snapshot knew: a segment of it is there, or its path
/// leads to the same place. A folder that was moved, or is spelled another way, is found by its segments.
bool is_known_folder(FileSystem& files, const Snapshot::DirectoryState& known, const std::string& folder,
                     const std::vector<PresentSegment>& present);

/// The segments of `known` that are not there (`present`: oldest first) and were not deleted because all of their
/// events were gone. The newest of a folder is never deleted.
std::vector<Snapshot::SegmentState> missing_segments(const Snapshot::DirectoryState& known,
                                                     const std::vector<PresentSegment>& present,
                                                     const IntervalSet& gone);

/// Whether nothing that is not gone stands in the segments that were known in a folder; false also where one of them
/// can't be read.
bool is_drained(FileSystem& files, const Snapshot::DirectoryState& known, std::uint64_t channel_id, const KeyRing& keys,
                const IntervalSet& gone);

/// The parts of `numbers` that are not in `gone`.
std::vector<Range> not_gone(const IntervalSet& gone, Range numbers);
std::uint64_t count_of(const std::vector<Range>& ranges);

}  // namespace standpipe::file_channel

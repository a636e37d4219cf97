#include "channels/file/known_folders.h"

#include <algorithm>

#include "channels/file/record.h"
#include "channels/file/segment_format.h"
#include "channels/file/segment_walk.h"

namespace standpipe::file_channel {

bool is_known_folder(FileSystem& files, const Snapshot::DirectoryState& known, const std::string& folder,
                     const std::vector<PresentSegment>& present) {
  for (const PresentSegment& segment : present) {
    const auto is_it = [&segment](const Snapshot::SegmentState& state) { return state.id == segment.id; };
    if (std::any_of(known.segments.begin(), known.segments.end(), is_it)) return true;
  }
  if (folder == known.path) return true;
  const auto there = files.info(folder);
  const auto before = files.info(known.path);
  return there.ok() && before.ok() && there->device == before->device && there->inode == before->inode;
}

std::vector<Snapshot::SegmentState> missing_segments(const Snapshot::DirectoryState& known,
                                                     const std::vector<PresentSegment>& present,
                                                     const IntervalSet& gone) {
  std::vector<Snapshot::SegmentState> missing;
  for (const Snapshot::SegmentState& state : known.segments) {
    const auto next = std::find_if(present.begin(), present.end(),
                                   [&state](const PresentSegment& segment) { return segment.id >= state.id; });
    if (next != present.end() && next->id == state.id) continue;
    const bool deleted = next != present.end() && gone.covers({state.first, next->first});
    if (!deleted) missing.push_back(state);
  }
  return missing;
}

namespace {

bool is_drained(FileSystem& files, const std::string& path, std::uint64_t channel_id, std::uint64_t id,
                const KeyRing& keys, const IntervalSet& gone) {
  const auto file = files.open(path, FileSystem::Mode::read);
  if (!file.ok()) return false;
  const auto info = (*file)->info();
  if (!info.ok()) return false;
  RecordOpener opener(keys, channel_id, id);
  bool drained = true;
  const SegmentWalk walk{
      .begin = kSegmentHeader, .end = info->size, .seed = record_seed(channel_id, id), .opener = &opener};
  const auto unreadable = [&drained](std::uint64_t, std::size_t, const Status&) { drained = false; };
  const Status walked = walk_segment(**file, walk, unreadable, [&](const Scan& scan) {
    for (const Run& run : scan.runs) drained = drained && gone.covers({run.first, run.end()});
    for (const Range& closed : scan.closed) drained = drained && gone.covers(closed);
  });
  return walked.ok() && drained;
}

}  // namespace

bool is_drained(FileSystem& files, const Snapshot::DirectoryState& known, std::uint64_t channel_id, const KeyRing& keys,
                const IntervalSet& gone) {
  const auto names = files.list(known.path);
  if (!names.ok()) return false;
  std::vector<PresentSegment> present;
  for (const std::string& name : *names) {
    const auto id = parse_segment_name(name);
    if (!id) continue;
    if (!is_drained(files, known.path + "/" + name, channel_id, *id, keys, gone)) return false;
    present.push_back({*id, 0});
  }
  // Its newest segment is there as long as the folder is.
  return !present.empty();
}

std::vector<Range> not_gone(const IntervalSet& gone, Range numbers) {
  std::vector<Range> left;
  for (std::uint64_t at = gone.end_of(numbers.first); at < numbers.end; at = gone.end_of(at)) {
    left.push_back({at, std::min(gone.next_at(at), numbers.end)});
    at = left.back().end;
  }
  return left;
}

std::uint64_t count_of(const std::vector<Range>& ranges) {
  std::uint64_t count = 0;
  for (const Range& range : ranges) count += range.size();
  return count;
}

}  // namespace standpipe::file_channel

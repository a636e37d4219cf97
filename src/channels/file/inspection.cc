#include "channels/file/inspection.h"

#include <algorithm>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "channels/file/damaged_bytes.h"
#include "channels/file/known_folders.h"
#include "channels/file/record.h"
#include "channels/file/segment_walk.h"
#include "channels/file/snapshot.h"

namespace standpipe::file_channel {

namespace {

constexpr std::uint64_t kSnapshotLimit = 1u << 30;
constexpr int kLooks = 4;  // at what a running agent changes meanwhile

/// What the checkpointDir says.
struct Consumption {
  std::uint64_t generation = 0;
  std::uint64_t newest_generation = 0;
  std::int64_t snapshot_ms = 0;
  std::uint64_t next = 0;
  IntervalSet gone;
  std::vector<Snapshot::DirectoryState> directories;
  std::vector<FileProblem> problems;
};

class Inspector {
 public:
  Inspector(FileSystem& files, const Folders& folders, const InspectOptions& options)
      : files_(files), options_(options) {
    found_.folders = folders;
  }

  Result<Inspection> run() {
    TRY(identify());
    TRY_ASSIGN(Consumption before, read_consumption());
    horizon_ = before.next;
    for (const std::string& folder : found_.folders.data) TRY(list_segments(folder));
    for (DirectoryReport& directory : found_.directories) TRY(walk(directory));
    // What sinks took while the segments were read must not look lost.
    TRY_ASSIGN(Consumption after, read_consumption());
    conclude(std::move(after));
    return std::move(found_);
  }

 private:
  Status identify();
  Result<Consumption> read_consumption() const;
  Result<Consumption> look_at_consumption() const;
  Status list_segments(const std::string& folder);
  Status read_header(SegmentReport& segment) const;
  Status walk(DirectoryReport& directory);
  Status walk_until_sure(SegmentReport& segment, bool newest);
  /// What one reading of a segment found.
  struct Look {
    std::vector<Damage> damages;
    std::vector<Damage> unreadable;
    std::vector<Range> there;
    std::uint64_t end = 0;
    std::uint64_t next = 0;
    std::uint64_t synced = 0;
    std::uint64_t closed = 0;
    std::uint64_t first = 0;
  };
  Result<Look> look_at(const SegmentReport& segment) const;
  void add(const Look& look, SegmentReport& segment, bool newest);
  void conclude(Consumption consumption);
  const DirectoryReport* find_known(const Snapshot::DirectoryState& known) const;
  static std::vector<PresentSegment> present_in(const DirectoryReport& directory);
  void look_for_known(const Snapshot::DirectoryState& known);
  std::uint64_t waiting_among(Range numbers) const;

  FileSystem& files_;
  const InspectOptions& options_;
  Inspection found_;
  IntervalSet there_;          // numbers of events that check
  std::uint64_t horizon_ = 0;  // while an agent runs: what it gave out later may still be on its way
  std::vector<std::pair<SegmentReport*, std::vector<Range>>> contents_;
};

Status Inspector::identify() {
  std::vector<std::string> all = found_.folders.data;
  if (!found_.folders.checkpoint.empty()) all.insert(all.begin(), found_.folders.checkpoint);
  std::optional<Owner> owner;
  for (const std::string& folder : all) {
    const std::string path = folder + "/" + std::string(kOwnerFile);
    const auto text = read_file(files_, path, 4096);
    auto read = text.ok() ? parse_owner(*text) : Result<Owner>(text.status());
    if (read.status().code() == Code::invalid) return read.status().with_context(path);
    if (!read.ok()) {
      found_.problems.push_back({path, read.status().message()});
      continue;
    }
    if (owner && owner->id != read->id) {
      return {Code::invalid,
              fmt::format("{} belongs to another channel than {}: name one channel at a time", folder, all.front())};
    }
    owner = *read;
  }
  if (!owner) return {Code::invalid, fmt::format("no {} that checks is in {}", kOwnerFile, all.front())};
  found_.owner = *owner;
  return {};
}

/// An agent that runs replaces these files: a name may be gone when it is opened, a record be half written.
Result<Consumption> Inspector::read_consumption() const {
  if (found_.folders.checkpoint.empty()) return Consumption();
  Result<Consumption> seen = look_at_consumption();
  for (int look = 1; look < kLooks && options_.in_use; ++look) {
    if (seen.ok() && seen->problems.empty()) break;
    seen.status().ignore();  // it is looked at again
    seen = look_at_consumption();
  }
  return seen;
}

Result<Consumption> Inspector::look_at_consumption() const {
  const std::string& folder = found_.folders.checkpoint;
  Consumption seen;
  TRY_ASSIGN(const auto names, files_.list(folder));
  std::set<std::uint64_t, std::greater<>> snapshots;
  std::set<std::uint64_t> logs;
  for (const std::string& name : names) {
    if (const auto generation = parse_snapshot_name(name)) snapshots.insert(*generation);
    if (const auto generation = parse_consumed_name(name)) logs.insert(*generation);
  }
  for (const std::uint64_t generation : snapshots) {
    seen.newest_generation = std::max(seen.newest_generation, generation);
    const std::string path = folder + "/" + snapshot_name(generation);
    const auto bytes = read_file(files_, path, kSnapshotLimit);
    auto snapshot = bytes.ok() ? parse_snapshot(*bytes) : Result<Snapshot>(bytes.status());
    if (snapshot.status().code() == Code::invalid) return snapshot.status().with_context(path);
    const bool fits = snapshot.ok() && snapshot->channel_id == found_.owner.id && snapshot->generation == generation;
    if (!fits) {
      seen.problems.push_back({path, snapshot.ok() ? "it belongs to another channel" : snapshot.status().message()});
      continue;
    }
    if (seen.generation != 0) continue;
    seen.generation = generation;
    seen.next = snapshot->next;
    for (const Range& range : snapshot->gone) seen.gone.add(range);
    seen.directories = std::move(snapshot->directories);
    if (const auto info = files_.info(path); info.ok()) seen.snapshot_ms = info->modified_ns / 1'000'000;
  }
  for (const std::uint64_t generation : logs) {
    seen.newest_generation = std::max(seen.newest_generation, generation);
    if (generation < seen.generation) continue;
    const std::string path = folder + "/" + consumed_name(generation);
    const auto bytes = read_file(files_, path, kSnapshotLimit);
    // One that was being made when the process ended says nothing, and nothing was to be said.
    if (bytes.ok() && bytes->size() < kConsumedHeader && generation > seen.generation) continue;
    auto consumed = bytes.ok() ? parse_consumed(*bytes, found_.owner.id, generation) : Result<Consumed>(bytes.status());
    if (consumed.status().code() == Code::invalid) return consumed.status().with_context(path);
    if (!consumed.ok()) seen.problems.push_back({path, consumed.status().message()});
    if (!consumed.ok()) continue;
    if (consumed->damaged)
      seen.problems.push_back({path, "a record of what sinks took does not check: some may come again"});
    for (const Range& range : consumed->ranges) seen.gone.add(range);
  }
  seen.next = std::max(seen.next, seen.gone.end());
  return seen;
}

Status Inspector::list_segments(const std::string& folder) {
  DirectoryReport& directory = found_.directories.emplace_back();
  directory.path = folder;
  TRY_ASSIGN(const auto names, files_.list(folder));
  for (const std::string& name : names) {
    const auto id = parse_segment_name(name);
    if (!id) continue;
    SegmentReport segment;
    segment.id = *id;
    segment.path = folder + "/" + name;
    Status read = read_header(segment);
    if (read.code() == Code::not_found) continue;  // consumed and deleted by the agent that runs
    TRY(read);
    directory.segments.push_back(std::move(segment));
  }
  auto& segments = directory.segments;
  // One that an agent is just making has no header yet.
  if (options_.in_use) std::erase_if(segments, [](const SegmentReport& segment) { return segment.is_blank; });
  std::sort(segments.begin(), segments.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < segments.size(); ++i) {
    const auto& header = segments[i].header;
    if (header && header->previous_id == segments[i - 1].id) {
      segments[i - 1].end = std::min(segments[i - 1].end, header->previous_end);
    }
  }
  const std::string copies = folder + "/" + std::string(kDamagedFolder);
  const auto kept = files_.list(copies);
  if (!kept.ok()) kept.status().ignore();  // there are none
  for (const std::string& name : kept.ok() ? *kept : std::vector<std::string>()) {
    const auto info = files_.info(copies + "/" + name);
    if (info.ok()) directory.damaged_copies += info->size;
  }
  return {};
}

Status Inspector::read_header(SegmentReport& segment) const {
  TRY_ASSIGN(const auto file, files_.open(segment.path, FileSystem::Mode::read));
  TRY_ASSIGN(const FileInfo info, file->info());
  segment.size = info.size;
  segment.end = info.size;
  std::string bytes(kSegmentHeader, '\0');
  const auto there = file->read_at(0, bytes.data(), bytes.size());
  bytes.resize(there.ok() ? *there : 0);
  segment.is_blank = there.ok() && bytes.find_first_not_of('\0') == std::string::npos;
  auto parsed = parse_segment_header(bytes);
  if (parsed.status().code() == Code::invalid) return parsed.status().with_context(segment.path);
  const bool fits = parsed.ok() && parsed->channel_id == found_.owner.id && parsed->segment_id == segment.id;
  if (!fits) return {};
  segment.first = parsed->first;
  segment.header = std::move(*parsed);
  return {};
}

Result<Inspector::Look> Inspector::look_at(const SegmentReport& segment) const {
  Look look;
  TRY_ASSIGN(const auto file, files_.open(segment.path, FileSystem::Mode::read));
  std::optional<RecordOpener> opener;
  if (options_.keys != nullptr && !options_.keys->empty()) opener.emplace(*options_.keys, found_.owner.id, segment.id);
  const SegmentWalk walk{.begin = kSegmentHeader,
                         .end = segment.end,
                         .seed = record_seed(found_.owner.id, segment.id),
                         .events = options_.read_records,
                         .opener = opener ? &*opener : nullptr};
  const auto unreadable = [&look](std::uint64_t offset, std::size_t bytes, const Status& why) {
    look.unreadable.push_back({offset, bytes, {}, why.message()});
  };
  TRY(walk_segment(*file, walk, unreadable, [&](const Scan& scan) {
    if (look.end == 0 && scan.end > 0) look.first = scan.first;
    look.end = std::max(look.end, scan.end);
    look.next = std::max(look.next, scan.next);
    look.synced = std::max(look.synced, scan.synced);
    for (const Run& run : scan.runs) look.there.push_back({run.first, run.end()});
    for (const Range& range : scan.closed) {
      look.closed += range.size();
      // With keys at hand, one that none of them opens is among the damages.
      if (!opener) look.there.push_back(range);
    }
    look.damages.insert(look.damages.end(), scan.damages.begin(), scan.damages.end());
  }));
  return look;
}

bool same(const std::vector<Damage>& a, const std::vector<Damage>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Damage& x, const Damage& y) {
    return x.offset == y.offset && x.bytes == y.bytes && x.numbers == y.numbers;
  });
}

/// What an agent is writing at this moment looks like damage for as long as it takes.
Status Inspector::walk_until_sure(SegmentReport& segment, bool newest) {
  auto look = look_at(segment);
  for (int i = 1; i < kLooks && options_.in_use && look.ok() && !look->damages.empty(); ++i) {
    const std::vector<Damage> before = std::move(look->damages);
    look = look_at(segment);
    if (look.ok() && same(look->damages, before)) break;
  }
  if (look.status().code() == Code::not_found && options_.in_use) return {};  // consumed and deleted meanwhile
  if (!look.ok()) {
    found_.unreadable.push_back({segment.path, {0, segment.size, {}, look.status().message()}, 0});
    return {};
  }
  add(*look, segment, newest);
  return {};
}

void Inspector::add(const Look& look, SegmentReport& segment, bool newest) {
  segment.records_end = look.end;
  if (!segment.header) segment.first = look.first;
  found_.next = std::max({found_.next, look.next, segment.first});
  found_.closed += look.closed;
  for (const Damage& damage : look.unreadable) found_.unreadable.push_back({segment.path, damage, 0});
  // What nobody was told to be synced is torn rather than damaged.
  const std::uint64_t sure = std::max(look.synced, std::uint64_t{kSegmentHeader});
  for (const Damage& damage : look.damages) {
    const bool torn = newest && damage.offset >= sure;
    if (!torn) found_.damages.push_back({segment.path, damage, 0});
    // What a running agent is writing there is its own affair.
    if (torn && !options_.in_use) found_.torn.push_back({segment.path, damage, 0});
  }
  segment.encrypted = look.closed > 0 || (segment.header && segment.header->encrypted());
  for (const Range& range : look.there) segment.events += there_.add(range);
  contents_.emplace_back(&segment, look.there);
}

Status Inspector::walk(DirectoryReport& directory) {
  for (std::size_t i = 0; i < directory.segments.size(); ++i) {
    const bool newest = i + 1 == directory.segments.size();
    SegmentReport& segment = directory.segments[i];
    // The newest may be empty: what came before it tells the highest number as well.
    const bool needed = options_.read_records || newest || i + 2 == directory.segments.size() || !segment.header;
    if (needed) TRY(walk_until_sure(segment, newest));
    if (!needed) found_.next = std::max(found_.next, segment.first);
  }
  return {};
}

std::uint64_t Inspector::waiting_among(Range numbers) const { return count_of(not_gone(found_.gone, numbers)); }

/// Null: it is none of the folders.
const DirectoryReport* Inspector::find_known(const Snapshot::DirectoryState& known) const {
  for (const DirectoryReport& directory : found_.directories) {
    if (is_known_folder(files_, known, directory.path, present_in(directory))) return &directory;
  }
  return nullptr;
}

std::vector<PresentSegment> Inspector::present_in(const DirectoryReport& directory) {
  std::vector<PresentSegment> present;
  for (const SegmentReport& segment : directory.segments) present.push_back({segment.id, segment.first});
  return present;
}

/// What the snapshot knew and is not there.
void Inspector::look_for_known(const Snapshot::DirectoryState& known) {
  if (known.segments.empty()) return;
  const DirectoryReport* const directory = find_known(known);
  if (directory == nullptr) {
    if (!is_drained(files_, known, found_.owner.id, options_.keys == nullptr ? KeyRing() : *options_.keys, found_.gone))
      found_.absent.push_back(known.path);
    return;
  }
  for (const Snapshot::SegmentState& state : missing_segments(known, present_in(*directory), found_.gone)) {
    found_.problems.push_back(
        {directory->path + "/" + segment_name(state.id), "it is missing: what still waited in it is lost"});
  }
}

void Inspector::conclude(Consumption consumption) {
  found_.generation = consumption.generation;
  found_.newest_generation = consumption.newest_generation;
  found_.snapshot_ms = consumption.snapshot_ms;
  found_.gone = std::move(consumption.gone);
  found_.next = std::max(found_.next, consumption.next);
  for (FileProblem& problem : consumption.problems) found_.problems.push_back(std::move(problem));
  std::uint64_t oldest = found_.next;
  for (const DirectoryReport& directory : found_.directories) {
    if (!directory.segments.empty()) oldest = std::min(oldest, directory.segments.front().first);
    for (const SegmentReport& segment : directory.segments) {
      if (!segment.header) found_.problems.push_back({segment.path, "the segment's header is damaged"});
    }
  }
  for (const Snapshot::DirectoryState& known : consumption.directories) look_for_known(known);
  // What lies below the oldest segments was deleted because it was gone; what was not is lost.
  const std::vector<Range> lost = not_gone(found_.gone, {0, oldest});
  found_.gone.add({0, oldest});
  found_.waiting = waiting_among({0, found_.next});
  for (auto* lines : {&found_.damages, &found_.torn}) {
    for (DamagedPlace& line : *lines) line.waiting = waiting_among(line.damage.numbers);
  }
  for (auto& [segment, ranges] : contents_) {
    for (const Range& range : ranges) segment->waiting += waiting_among(range);
  }
  const std::uint64_t first_waiting = found_.gone.end_of(0);
  for (const DirectoryReport& directory : found_.directories) {
    for (const SegmentReport& segment : directory.segments) {
      const bool before = segment.header && segment.first <= first_waiting && first_waiting < found_.next;
      if (before) found_.oldest_segment_ms = std::max(found_.oldest_segment_ms, segment.header->made_ms);
    }
  }
  // Without a snapshot nobody knows what was taken and deleted, or where else events are.
  if (!options_.read_records || found_.generation == 0 || !found_.absent.empty()) return;
  found_.missing = lost;
  for (const auto* lines : {&found_.damages, &found_.torn}) {
    for (const DamagedPlace& line : *lines) there_.add(line.damage.numbers);
  }
  for (const Range& range : found_.gone.ranges()) there_.add(range);
  const std::uint64_t end = options_.in_use ? std::min(found_.next, horizon_) : found_.next;
  for (std::uint64_t at = there_.end_of(0); at < end; at = there_.end_of(at)) {
    const std::uint64_t next = std::min(there_.next_at(at), end);
    found_.missing.push_back({at, next});
    at = next;
  }
}

}  // namespace

Result<Inspection> inspect(FileSystem& files, const Folders& folders, const InspectOptions& options) {
  auto found = Inspector(files, folders, options).run();
  const auto is_suspicious = [&found] {
    return found.ok() &&
           !(found->problems.empty() && found->missing.empty() && found->damages.empty() && found->unreadable.empty());
  };
  // A segment that is being made, a number that is on its way: an agent that runs has changed it by the next look.
  for (int look = 1; look < kLooks && options.in_use && is_suspicious(); ++look) {
    found = Inspector(files, folders, options).run();
  }
  return found;
}

}  // namespace standpipe::file_channel

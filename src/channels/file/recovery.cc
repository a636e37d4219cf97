#include "channels/file/recovery.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>

#include <fmt/format.h>

#include "channels/file/damaged_bytes.h"
#include "channels/file/known_folders.h"
#include "channels/file/record.h"
#include "channels/file/record_scan.h"
#include "channels/file/segment_walk.h"
#include "channels/file/snapshot.h"

namespace standpipe::file_channel {

namespace {

constexpr std::size_t kScanChunk = 1u << 20;
constexpr std::uint64_t kSnapshotLimit = 1u << 30;

class Recovery {
 public:
  Recovery(const Folders& folders, const KeyRing& keys, Environment& environment, const FromFlume* from_flume)
      : folders_(folders),
        keys_(keys),
        environment_(environment),
        files_(environment.files),
        log_(environment.log),
        from_flume_(from_flume) {}

  Result<Recovered> run() {
    TRY(lock_all());
    TRY(take_over_from_flume());
    TRY(identify());
    TRY(read_gone());
    for (const std::string& folder : folders_.data) TRY(read_data_folder(folder));
    TRY(check_keys());
    TRY(check_known_folders());
    find_lost_numbers();
    return std::move(found_);
  }

 private:
  Status lock_all();
  Status take_over_from_flume();
  Result<bool> belongs_to_flume() const;
  Status identify();
  std::string holder() const;
  Status refuse_foreign_files(const std::string& folder, std::string_view way_out) const;
  Status read_gone();
  Status read_consumed(std::uint64_t generation);
  Status read_data_folder(const std::string& folder);
  Result<bool> read_header(Segment& segment, std::optional<SegmentHeader>& header);
  void set_aside(const Segment& segment);
  Status find_end(Segment& segment);
  Status drop_torn_events(File& file, const Segment& segment, std::uint64_t synced, std::uint64_t end);
  Status check_known_folders();
  std::optional<std::size_t> find_known_folder(const Snapshot::DirectoryState& known) const;
  std::vector<PresentSegment> present_segments(std::size_t folder) const;
  Status check_known_folder(const Snapshot::DirectoryState& known, std::size_t folder);
  void find_lost_numbers();
  Status check_keys() const;
  Status check_key(const std::string& path, const std::optional<SegmentHeader>& header) const;
  auto warn_unreadable(const Segment& segment) const {
    return [this, path = segment.path](std::uint64_t at, std::size_t bytes, const Status& why) {
      log_.error(fmt::format("{}: {} bytes at {} can't be read: {}", path, bytes, at, why.message()));
    };
  }

  const Folders& folders_;
  const KeyRing& keys_;
  Environment& environment_;
  FileSystem& files_;
  Log& log_;
  const FromFlume* const from_flume_;  // null: don't
  Recovered found_;
  std::optional<Snapshot> snapshot_;
  std::vector<bool> was_claimed_;  // by guard
  std::set<std::string> set_aside_in_;
  /// Encrypted segments by path; without a header: it is damaged, and no key at hand opens the records.
  std::map<std::string, std::optional<SegmentHeader>> encrypted_;
};

/// Nothing stands below the oldest segments. They were deleted because all in them was gone; what was not is lost.
void Recovery::find_lost_numbers() {
  found_.next = std::max(found_.next, found_.gone.end());
  std::uint64_t oldest = found_.next;
  for (const auto& segments : found_.segments) {
    if (!segments.empty()) oldest = std::min(oldest, segments.front().first);
  }
  // Without a snapshot nobody knows what was gone.
  if (snapshot_) found_.lost = not_gone(found_.gone, {0, oldest});
  found_.gone.add({0, oldest});
}

std::string Recovery::holder() const {
  return fmt::format("process {}, agent {}, channel {}", ::getpid(), environment_.agent, environment_.component);
}

Status Recovery::lock_all() {
  std::set<std::string> seen{folders_.checkpoint};
  for (const std::string& folder : folders_.data) {
    if (seen.insert(folder).second) continue;
    return {Code::invalid, fmt::format("{} is given twice: checkpointDir and all of dataDirs must differ", folder)};
  }
  const std::string prefix = fmt::format("{}.channels.{}.", environment_.agent, environment_.component);
  const auto open = [&](const std::string& folder, std::string_view property) -> Status {
    TRY_ASSIGN(auto guard, DirectoryGuard::open(files_, folder, prefix + std::string(property), holder()));
    found_.guards.push_back(std::move(guard));
    return {};
  };
  TRY(open(folders_.checkpoint, "checkpointDir"));
  for (const std::string& folder : folders_.data) TRY(open(folder, "dataDirs"));
  return {};
}

std::uint64_t new_id() {
  std::random_device random;
  return (std::uint64_t{random()} << 32) | random();
}

/// Nobody of ours has claimed any of the folders, and there are files of Flume's.
Result<bool> Recovery::belongs_to_flume() const {
  bool flume = false;
  for (const DirectoryGuard& guard : found_.guards) {
    const auto owner = guard.read_owner();
    if (!owner.ok() || *owner) return false;  // identify() says what is wrong
    TRY_ASSIGN(const std::string file, find_flume_file(files_, guard.path()));
    flume = flume || !file.empty();
  }
  return flume;
}

Status Recovery::take_over_from_flume() {
  if (from_flume_ == nullptr) return {};
  std::string backup = from_flume_->backup_checkpoint;
  if (!backup.empty() && !files_.info(backup).ok()) backup.clear();
  flume::TakeOver take_over(environment_, keys_, {folders_.checkpoint, folders_.data, backup}, from_flume_->options,
                            {new_id(), environment_.agent, environment_.component});
  TRY_ASSIGN(const bool decided, take_over.is_decided());
  if (!decided) {
    TRY_ASSIGN(const bool wanted, belongs_to_flume());
    if (!wanted) return {};
  }
  std::optional<DirectoryGuard> backup_guard;
  if (!backup.empty()) {
    TRY_ASSIGN(auto guard, DirectoryGuard::open(files_, backup, "backupCheckpointDir", holder()));
    backup_guard = std::move(guard);
  }
  TRY_ASSIGN(found_.taken_over, decided ? take_over.resume() : take_over.run());
  return {};
}

Status Recovery::refuse_foreign_files(const std::string& folder, std::string_view way_out) const {
  TRY_ASSIGN(const std::string flume, find_flume_file(files_, folder));
  if (flume.empty()) return {};
  return {Code::invalid, fmt::format("{} belongs to a file channel of Flume and stays untouched: {}", flume, way_out)};
}

Status Recovery::identify() {
  std::optional<Owner> owner;
  std::string whose;
  bool damaged = false;
  for (const DirectoryGuard& guard : found_.guards) {
    auto read = guard.read_owner();
    if (!read.ok() && read.status().code() != Code::corrupt) return read.status();
    if (!read.ok()) {
      log_.warn(fmt::format("{}; it is written again", read.status().message()));
      damaged = true;
    }
    const bool claimed = read.ok() && read->has_value();
    was_claimed_.push_back(claimed);
    if (!claimed) continue;
    if (owner && owner->id != (*read)->id) {
      return {Code::invalid,
              fmt::format("{} belongs to another channel ({}) than {} ({}): give each channel its own folders",
                          guard.path(), (*read)->channel, whose, owner->channel)};
    }
    owner = **read;
    whose = guard.path();
  }
  if (!owner && damaged) {
    return {Code::corrupt,
            fmt::format("{} is damaged in every folder of the channel: restore one of them", kOwnerFile)};
  }
  const bool is_new = !owner;
  for (std::size_t i = 0; i < found_.guards.size(); ++i) {
    if (was_claimed_[i]) continue;
    TRY(refuse_foreign_files(found_.guards[i].path(),
                             is_new
                                 ? "an agent with a channel on these folders takes its events over"
                                 : "the other folders are a channel's of ours; give Flume's to a channel of its own"));
  }
  if (is_new) {
    // A configuration that ran under Flume: starting empty beside its events would look like losing them.
    for (const std::string& folder : folders_.defaults_of_flume) {
      if (!files_.info(folder).ok()) continue;
      TRY(refuse_foreign_files(folder,
                               "set checkpointDir and dataDirs to Flume's folders, and its events are taken "
                               "over; or set them to others to do without"));
    }
    owner = Owner{new_id(), environment_.agent, environment_.component};
  }
  found_.channel_id = owner->id;
  if (!is_new && !was_claimed_.front()) {
    log_.warn(fmt::format("{} says nothing about the channel whose events are in {}: what is there comes again",
                          folders_.checkpoint, whose));
  }
  return {};
}

Status Recovery::read_gone() {
  TRY_ASSIGN(const auto names, files_.list(folders_.checkpoint));
  std::set<std::uint64_t, std::greater<>> snapshots;
  std::set<std::uint64_t> logs;
  for (const std::string& name : names) {
    if (name.ends_with(".tmp")) files_.remove(folders_.checkpoint + "/" + name).ignore();  // the next start tries again
    if (const auto generation = parse_snapshot_name(name)) snapshots.insert(*generation);
    if (const auto generation = parse_consumed_name(name)) logs.insert(*generation);
  }
  for (const std::uint64_t generation : snapshots) {
    found_.generation = std::max(found_.generation, generation);
    if (snapshot_) continue;
    const std::string path = folders_.checkpoint + "/" + snapshot_name(generation);
    const auto bytes = read_file(files_, path, kSnapshotLimit);
    auto snapshot = bytes.ok() ? parse_snapshot(*bytes) : Result<Snapshot>(bytes.status());
    if (snapshot.status().code() == Code::invalid) return snapshot.status().with_context(path);
    if (!snapshot.ok() || snapshot->channel_id != found_.channel_id || snapshot->generation != generation) {
      log_.warn(fmt::format("{} can't be used ({}): the one before it is", path,
                            snapshot.ok() ? "it belongs to another channel" : snapshot.status().message()));
      continue;
    }
    snapshot_ = std::move(*snapshot);
  }
  if (snapshot_) {
    for (const Range& range : snapshot_->gone) found_.gone.add(range);
    found_.next = snapshot_->next;
  } else if (!snapshots.empty()) {
    log_.error(fmt::format("no snapshot in {} can be used: what is in the channel's segments comes again",
                           folders_.checkpoint));
  }
  for (const std::uint64_t generation : logs) {
    found_.generation = std::max(found_.generation, generation);
    if (!snapshot_ || generation >= snapshot_->generation) TRY(read_consumed(generation));
  }
  return {};
}

Status Recovery::read_consumed(std::uint64_t generation) {
  const std::string path = folders_.checkpoint + "/" + consumed_name(generation);
  const auto bytes = read_file(files_, path, kSnapshotLimit);
  if (!bytes.ok()) {
    log_.warn(bytes.status().message() + ": what it says comes again");
    return {};
  }
  auto consumed = parse_consumed(*bytes, found_.channel_id, generation);
  if (!consumed.ok()) return consumed.status().with_context(path);
  if (consumed->damaged) log_.warn(path + " is damaged or ends in a torn record: some events may come again");
  for (const Range& range : consumed->ranges) found_.gone.add(range);
  return {};
}

/// The header; none: it is damaged, and the segment's first number was found in its records. False: there are none
/// either.
Result<bool> Recovery::read_header(Segment& segment, std::optional<SegmentHeader>& header) {
  TRY_ASSIGN(const auto file, files_.open(segment.path, FileSystem::Mode::read));
  TRY_ASSIGN(const FileInfo info, file->info());
  segment.end = info.size;
  std::string bytes(kSegmentHeader, '\0');
  const auto read = file->read_at(0, bytes.data(), bytes.size());
  const std::size_t there = read.ok() ? *read : 0;  // as damaged as one that does not check
  auto parsed = parse_segment_header(std::string_view(bytes).substr(0, there));
  if (parsed.status().code() == Code::invalid) return parsed.status().with_context(segment.path);
  if (parsed.ok()) {
    if (parsed->channel_id != found_.channel_id) {
      return Status(Code::invalid,
                    fmt::format("{} belongs to another channel: move it out of the folder", segment.path));
    }
    if (parsed->segment_id == segment.id) {
      segment.first = parsed->first;
      segment.made_ms = parsed->made_ms;
      if (parsed->encrypted()) encrypted_[segment.path] = *parsed;
      header = std::move(*parsed);
      return true;
    }
  }
  RecordOpener opener(keys_, found_.channel_id, segment.id);
  std::uint64_t at = kSegmentHeader;
  while (at < info.size) {
    const auto slab = Slab::make(std::min<std::uint64_t>(4 * kScanChunk, info.size - at));
    TRY_ASSIGN(const std::size_t size,
               read_what_is_left(*file, at, slab->data(), slab->capacity(), warn_unreadable(segment)));
    const Scan scan = scan_records(slab, {.bytes = {slab->data(), size},
                                          .offset = at,
                                          .seed = record_seed(found_.channel_id, segment.id),
                                          .last = true,
                                          .opener = &opener});
    if (scan.end > 0) {
      segment.first = scan.first;
      if (!scan.closed.empty() && !opener.fits()) encrypted_[segment.path] = std::nullopt;
      log_.warn(fmt::format("{}: the header is damaged; its records are read without", segment.path));
      return true;
    }
    at += slab->capacity();
  }
  return false;
}

/// A process that ended while it made the segment leaves one without header and records.
void Recovery::set_aside(const Segment& segment) {
  const std::string aside = segment.path + ".damaged";
  set_aside_in_.insert(segment.path.substr(0, segment.path.rfind('/')));
  log_.warn(fmt::format("{} has neither a header nor records: it is {} now", segment.path, aside));
  const Status renamed = files_.rename(segment.path, aside);
  if (!renamed.ok()) log_.warn(renamed.message());
}

/// Looks for the end of a segment that no later one tells, and cuts what stands behind it.
Status Recovery::find_end(Segment& segment) {
  TRY_ASSIGN(const auto file, files_.open(segment.path, FileSystem::Mode::read_write));
  const std::uint64_t size = segment.end;
  std::uint64_t end = std::min<std::uint64_t>(kSegmentHeader, size);
  std::uint64_t passed = segment.first;
  std::uint64_t synced = kSegmentHeader;
  std::vector<Damage> damages;
  const SegmentWalk walk{.begin = kSegmentHeader,
                         .end = size,
                         .seed = record_seed(found_.channel_id, segment.id),
                         .from = segment.first,
                         .events = false};
  TRY(walk_segment(*file, walk, warn_unreadable(segment), [&](const Scan& scan) {
    end = std::max(end, scan.end);
    synced = std::max(synced, scan.synced);
    passed = std::max(passed, scan.next);
    damages.insert(damages.end(), scan.damages.begin(), scan.damages.end());
  }));
  std::uint64_t torn = end;  // what stands before `end` the reader reports when it gets there
  for (const Damage& damage : damages) torn = std::max(torn, damage.offset + damage.bytes);
  if (torn > end) {
    log_.warn(
        fmt::format("{}: cut at {}: {} bytes behind the last whole record were never acknowledged, or are damaged",
                    segment.path, end, torn - end));
    const auto kept = keep_damaged_bytes(files_, segment.path, end, torn - end);
    if (!kept.ok()) log_.warn("what is cut can't be copied: " + kept.status().message());
  }
  found_.next = std::max({found_.next, passed, segment.first});
  TRY(drop_torn_events(*file, segment, synced, end));
  segment.end = end;
  if (end < size) TRY(file->truncate(end));
  // What is read from here on is on the device, also where the last life did not come to sync it.
  return file->sync();
}

/// Nobody knows whether the last group was ever synced: what is not whole in it is not called damage.
Status Recovery::drop_torn_events(File& file, const Segment& segment, std::uint64_t synced, std::uint64_t end) {
  if (synced >= end) return {};
  const auto slab = Slab::make(end - synced);
  TRY_ASSIGN(const std::size_t there,
             read_what_is_left(file, synced, slab->data(), slab->capacity(), warn_unreadable(segment)));
  const Scan scan = scan_records(slab, {.bytes = {slab->data(), there},
                                        .offset = synced,
                                        .seed = record_seed(found_.channel_id, segment.id),
                                        .last = true});
  for (const Damage& damage : scan.damages) {
    if (damage.numbers.size() == 0) continue;
    log_.warn(fmt::format("{}: {} bytes at {} are not whole, event {}: it was never acknowledged, or is damaged",
                          segment.path, damage.bytes, damage.offset, damage.numbers.first));
    found_.gone.add(damage.numbers);
  }
  return {};
}

Status Recovery::read_data_folder(const std::string& folder) {
  std::vector<Segment>& segments = found_.segments.emplace_back();
  TRY_ASSIGN(const auto names, files_.list(folder));
  for (const std::string& name : names) {
    if (name.ends_with(".tmp")) files_.remove(folder + "/" + name).ignore();  // the next start tries again
    if (const auto id = parse_segment_name(name)) segments.push_back({.id = *id, .path = folder + "/" + name});
  }
  std::sort(segments.begin(), segments.end(), [](const Segment& a, const Segment& b) { return a.id < b.id; });
  std::vector<bool> header_good;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    found_.next_segment = std::max(found_.next_segment, segments[i].id + 1);
    std::optional<SegmentHeader> header;
    TRY_ASSIGN(const bool useful, read_header(segments[i], header));
    if (!useful) {
      set_aside(segments[i]);
      segments.erase(segments.begin() + static_cast<std::ptrdiff_t>(i--));
      continue;
    }
    header_good.push_back(header.has_value());
    found_.next = std::max(found_.next, segments[i].first);
    if (i == 0) continue;
    segments[i].first = std::max(segments[i].first, segments[i - 1].first);
    if (header && header->previous_id == segments[i - 1].id) {
      segments[i - 1].end = std::min(segments[i - 1].end, header->previous_end);
    }
  }
  // The end of the last one is told by nobody. Without header and records it does not tell what numbers came before it.
  for (std::size_t i = segments.size(); i-- > 0;) {
    TRY(find_end(segments[i]));
    if (header_good[i] || segments[i].end > kSegmentHeader) break;
  }
  return {};
}

/// What waits in a segment that can't be opened must not be taken for damage: the start is refused.
Status Recovery::check_keys() const {
  for (const auto& segments : found_.segments) {
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const auto encrypted = encrypted_.find(segments[i].path);
      if (encrypted == encrypted_.end()) continue;
      const std::uint64_t end = i + 1 < segments.size() ? segments[i + 1].first : found_.next;
      if (found_.gone.covers({segments[i].first, end})) continue;
      TRY(check_key(segments[i].path, encrypted->second));
    }
  }
  return {};
}

Status Recovery::check_key(const std::string& path, const std::optional<SegmentHeader>& header) const {
  const std::string property =
      fmt::format("{}.channels.{}.encryption.keyProvider.keys", environment_.agent, environment_.component);
  if (!header) {
    return {Code::invalid,
            fmt::format("{} holds encrypted events, its header is damaged, and none of {} opens them: add "
                        "the key they were encrypted with",
                        path, property)};
  }
  const KeyRing::NamedKey* const known = keys_.find(header->key_name);
  if (known == nullptr) {
    return {Code::invalid, fmt::format("{} holds events encrypted with key {}, which is not at hand: keep it among {} "
                                       "until they are delivered",
                                       path, header->key_name, property)};
  }
  const RecordCipher cipher(known->key, {header->channel_id, header->segment_id, header->salt});
  if (cipher.check() == header->key_check) return {};
  return {Code::invalid,
          fmt::format("{} was encrypted with another key than the one that is called {} now: put the old "
                      "one back, and give new keys names of their own",
                      path, header->key_name)};
}

/// Starting without a folder that may hold events would give their numbers to others.
Status Recovery::check_known_folders() {
  if (!snapshot_) return {};
  for (const Snapshot::DirectoryState& known : snapshot_->directories) {
    if (known.segments.empty()) continue;
    const auto folder = find_known_folder(known);
    if (folder) {
      TRY(check_known_folder(known, *folder));
    } else if (is_drained(files_, known, found_.channel_id, keys_, found_.gone)) {
      log_.info(fmt::format("nothing waits in {}, which is not among dataDirs any more", known.path));
    } else {
      return {Code::invalid,
              fmt::format("events of the channel are in {}, which is not among dataDirs any more: add it until it is "
                          "empty. To give up what is in it, remove {}: what is in dataDirs then comes once more",
                          known.path, folders_.checkpoint)};
    }
  }
  return {};
}

std::optional<std::size_t> Recovery::find_known_folder(const Snapshot::DirectoryState& known) const {
  for (std::size_t i = 0; i < folders_.data.size(); ++i) {
    if (is_known_folder(files_, known, folders_.data[i], present_segments(i))) return i;
  }
  return std::nullopt;
}

std::vector<PresentSegment> Recovery::present_segments(std::size_t folder) const {
  std::vector<PresentSegment> present;
  for (const Segment& segment : found_.segments[folder]) present.push_back({segment.id, segment.first});
  return present;
}

Status Recovery::check_known_folder(const Snapshot::DirectoryState& known, std::size_t folder) {
  const std::string& path = folders_.data[folder];
  const std::vector<Segment>& there = found_.segments[folder];
  if (there.empty() && !set_aside_in_.contains(path)) {
    return {Code::invalid,
            fmt::format("{} is empty, but events of the channel should be in it: is it mounted? To give up what was in "
                        "it, remove {}: what is in dataDirs then comes once more",
                        path, folders_.checkpoint)};
  }
  for (const Snapshot::SegmentState& state : missing_segments(known, present_segments(folder), found_.gone)) {
    log_.error(fmt::format("{}/{} is missing: what still waited in it is lost", path, segment_name(state.id)));
  }
  for (const Snapshot::SegmentState& state : known.segments) {
    const auto same = [&state](const Segment& segment) { return segment.id == state.id; };
    const auto at = std::find_if(there.begin(), there.end(), same);
    if (at == there.end() || at->end >= state.end) continue;
    log_.error(fmt::format("{} ends at {}, but was synced up to {}: the events in between are lost", at->path, at->end,
                           state.end));
  }
  return {};
}

}  // namespace

Result<Recovered> recover(const Folders& folders, const KeyRing& keys, Environment& environment,
                          const FromFlume* from_flume) {
  return Recovery(folders, keys, environment, from_flume).run();
}

}  // namespace standpipe::file_channel

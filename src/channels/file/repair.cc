#include "channels/file/repair.h"

#include <unistd.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "channels/file/consumption_log.h"
#include "channels/file/damaged_bytes.h"

namespace standpipe::file_channel {

namespace {

constexpr std::size_t kAtOnce = 1u << 20;

class Repair {
 public:
  Repair(Environment& environment, const Folders& folders)
      : environment_(environment), files_(environment.files), folders_(folders) {}

  Result<Repaired> run() {
    TRY(lock());
    TRY_ASSIGN(result_.before, inspect(files_, folders_, {.read_records = true}));
    if (!result_.before.unreadable.empty()) {
      const DamagedPlace& line = result_.before.unreadable.front();
      return Status(Code::io, fmt::format("{} can't be read at {} ({}): copy the folder to a sound disk first",
                                          line.path, line.damage.offset, line.damage.what));
    }
    if (!result_.before.absent.empty()) {
      return Status(Code::invalid,
                    fmt::format("events of the channel may be in {}, which is not among the folders: name "
                                "it too, or what is in it would count as lost",
                                result_.before.absent.front()));
    }
    TRY(repair_headers());
    TRY(repair_stretches());
    TRY(note_what_is_gone());
    return std::move(result_);
  }

 private:
  Status lock();
  Status repair_headers();
  Status repair_header(const SegmentReport& segment, const SegmentReport* before);
  Status repair_stretches();
  Status blank(const std::string& path, const Damage& damage);
  Status cut(const SegmentReport& segment, const Damage& damage);
  Status keep(const std::string& path, std::uint64_t offset, std::uint64_t bytes);
  Status note_what_is_gone();
  void say(std::string line) { result_.done.push_back(std::move(line)); }

  Environment& environment_;
  FileSystem& files_;
  const Folders& folders_;
  Repaired result_;
  std::vector<DirectoryGuard> guards_;
};

Status Repair::lock() {
  const std::string holder = fmt::format("process {}, standpipe tool file-channel repair", ::getpid());
  std::vector<std::string> all = folders_.data;
  if (!folders_.checkpoint.empty()) all.insert(all.begin(), folders_.checkpoint);
  for (const std::string& folder : all) {
    auto guard = DirectoryGuard::lock(files_, folder, holder);
    if (!guard.ok()) return guard.status().with_context("stop the agent first");
    guards_.push_back(std::move(*guard));
  }
  return {};
}

/// The copy is whole, whatever its size: it stands for the bytes that are changed next.
Status Repair::keep(const std::string& path, std::uint64_t offset, std::uint64_t bytes) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash + 1) + std::string(kDamagedFolder);
  const std::string copy = fmt::format("{}/{}@{}", folder, path.substr(slash + 1), offset);
  TRY(files_.make_directories(folder));
  if (const auto info = files_.info(copy); info.ok() && info->size >= bytes) return {};
  TRY_ASSIGN(const auto from, files_.open(path, FileSystem::Mode::read));
  const std::string temporary = copy + ".tmp";
  TRY_ASSIGN(const auto to, files_.open(temporary, FileSystem::Mode::create));
  std::string piece(std::min<std::uint64_t>(bytes, kAtOnce), '\0');
  for (std::uint64_t at = 0; at < bytes;) {
    const std::size_t wanted = std::min<std::uint64_t>(piece.size(), bytes - at);
    TRY_ASSIGN(const std::size_t there, from->read_at(offset + at, piece.data(), wanted));
    if (there == 0) break;
    TRY(to->write(std::string_view(piece).substr(0, there)));
    at += there;
  }
  TRY(to->sync());
  TRY(files_.rename(temporary, copy));
  TRY(files_.sync_directory(folder));
  return files_.sync_directory(path.substr(0, slash));
}

Status Repair::repair_headers() {
  for (const DirectoryReport& directory : result_.before.directories) {
    for (std::size_t i = 0; i < directory.segments.size(); ++i) {
      const SegmentReport& segment = directory.segments[i];
      if (!segment.header) TRY(repair_header(segment, i == 0 ? nullptr : &directory.segments[i - 1]));
    }
  }
  return {};
}

Status Repair::repair_header(const SegmentReport& segment, const SegmentReport* before) {
  if (segment.records_end == 0) {
    TRY(files_.rename(segment.path, segment.path + ".damaged"));
    say(fmt::format("{} has neither a header nor a record: it is {}.damaged now", segment.path, segment.path));
    return {};
  }
  if (segment.encrypted) {
    say(fmt::format(
        "{}: its header stays damaged, as only who has the key could write it; its records are read without",
        segment.path));
    return {};
  }
  TRY(keep(segment.path, 0, kSegmentHeader));
  const SegmentHeader header{.channel_id = result_.before.owner.id,
                             .segment_id = segment.id,
                             .first = segment.first,
                             .made_ms = 0,
                             .size = segment.size,
                             .previous_id = before == nullptr ? 0 : before->id,
                             .previous_end = before == nullptr ? 0 : before->end};
  TRY_ASSIGN(const auto file, files_.open(segment.path, FileSystem::Mode::read_write));
  TRY(file->write_at(0, format_segment_header(header)));
  TRY(file->sync());
  say(fmt::format("{}: the header was damaged and is written again", segment.path));
  return {};
}

Status Repair::repair_stretches() {
  std::map<std::string, const SegmentReport*> segments;
  for (const DirectoryReport& directory : result_.before.directories) {
    for (const SegmentReport& segment : directory.segments) segments[segment.path] = &segment;
  }
  for (const auto* lines : {&result_.before.damages, &result_.before.torn}) {
    for (const DamagedPlace& line : *lines) {
      const SegmentReport& segment = *segments.at(line.path);
      const bool behind = line.damage.offset >= std::max<std::uint64_t>(segment.records_end, kSegmentHeader);
      const bool done = line.damage.numbers.size() > 0 && line.waiting == 0;
      if (done) continue;  // nobody waits for it, and it goes with its segment
      if (behind && lines == &result_.before.torn) {
        TRY(cut(segment, line.damage));
      } else {
        TRY(blank(line.path, line.damage));
      }
    }
  }
  return {};
}

/// Bytes that belong to no record are overwritten with zeros; those of a record stay, as its other events need its
/// table.
Status Repair::blank(const std::string& path, const Damage& damage) {
  TRY(keep(path, damage.offset, damage.bytes));
  if (damage.numbers.size() > 0) {
    say(fmt::format("{}: {} bytes at {} ({}) are copied to {}/; events {} to {} are given up", path, damage.bytes,
                    damage.offset, damage.what, kDamagedFolder, damage.numbers.first, damage.numbers.end - 1));
    return {};
  }
  TRY_ASSIGN(const auto file, files_.open(path, FileSystem::Mode::read_write));
  const std::string zeros(std::min<std::uint64_t>(damage.bytes, kAtOnce), '\0');
  for (std::uint64_t at = 0; at < damage.bytes;) {
    const std::size_t count = std::min<std::uint64_t>(zeros.size(), damage.bytes - at);
    TRY(file->write_at(damage.offset + at, std::string_view(zeros).substr(0, count)));
    at += count;
  }
  TRY(file->sync());
  say(fmt::format("{}: {} bytes at {} ({}) are copied to {}/ and blanked", path, damage.bytes, damage.offset,
                  damage.what, kDamagedFolder));
  return {};
}

Status Repair::cut(const SegmentReport& segment, const Damage& damage) {
  const std::uint64_t end = std::max<std::uint64_t>(segment.records_end, kSegmentHeader);
  TRY(keep(segment.path, end, damage.offset + damage.bytes - end));
  TRY_ASSIGN(const auto file, files_.open(segment.path, FileSystem::Mode::read_write));
  TRY(file->truncate(end));
  TRY(file->sync());
  say(fmt::format("{}: cut at {}; the {} bytes behind it, which were never acknowledged, are copied to {}/",
                  segment.path, end, damage.offset + damage.bytes - end, kDamagedFolder));
  return {};
}

/// A snapshot that knows the events nobody can read any more. What was written before stays until the next one.
Status Repair::note_what_is_gone() {
  const Inspection& before = result_.before;
  if (folders_.checkpoint.empty()) return {};
  IntervalSet gone = before.gone;
  std::uint64_t given_up = 0;
  for (const auto* lines : {&before.damages, &before.torn}) {
    for (const DamagedPlace& line : *lines) given_up += gone.add(line.damage.numbers);
  }
  for (const Range& range : before.missing) given_up += gone.add(range);
  std::vector<FileProblem> bad_files;
  for (const FileProblem& problem : before.problems) {
    const std::string name = problem.path.substr(problem.path.rfind('/') + 1);
    if (parse_snapshot_name(name) || parse_consumed_name(name)) bad_files.push_back(problem);
  }
  if (given_up == 0 && bad_files.empty()) return {};
  for (const FileProblem& problem : bad_files) {
    TRY_ASSIGN(const FileInfo info, files_.info(problem.path));
    TRY(keep(problem.path, 0, info.size));
    say(fmt::format("{}: {}; it is copied to {}/, and a new snapshot is taken", problem.path, problem.what,
                    kDamagedFolder));
  }
  ConsumptionLog log(files_, environment_.log, folders_.checkpoint, before.owner.id, before.newest_generation);
  // Twice: the generation before the newest is kept too, and must be as good.
  for (int i = 0; i < 2; ++i) {
    TRY(log.begin());
    Snapshot snapshot;
    snapshot.channel_id = before.owner.id;
    snapshot.generation = log.generation();
    snapshot.next = std::max(before.next, gone.end());
    snapshot.gone = gone.ranges();
    for (const DirectoryReport& directory : before.directories) {
      Snapshot::DirectoryState state{directory.path, {}};
      for (const SegmentReport& segment : directory.segments) {
        const std::uint64_t end = std::max<std::uint64_t>(segment.records_end, kSegmentHeader);
        if (segment.records_end > 0 || segment.header) state.segments.push_back({segment.id, segment.first, end});
      }
      snapshot.directories.push_back(std::move(state));
    }
    TRY(log.save(snapshot));
  }
  if (given_up > 0) say(fmt::format("{} events that can't be read any more are noted as gone", given_up));
  return {};
}

}  // namespace

Result<Repaired> repair(Environment& environment, const Folders& folders) { return Repair(environment, folders).run(); }

}  // namespace standpipe::file_channel

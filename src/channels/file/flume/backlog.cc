#include "channels/file/flume/backlog.h"

#include <algorithm>
#include <queue>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "channels/file/directory_guard.h"
#include "channels/file/flume/checkpoint.h"
#include "channels/file/flume/names.h"

namespace standpipe::file_channel::flume {

namespace {

constexpr std::uint64_t kMetaLimit = 1u << 20;
constexpr std::size_t kFewLogs = 32;
constexpr std::size_t kTakenAtOnce = 64 * 1024;  // takes that wait to be found among the puts, at least

class Replay {
 public:
  Replay(FileSystem& files, Log& log, const Directories& directories)
      : files_(files), log_(log), directories_(directories) {}

  Result<Backlog> run() {
    for (const std::string& folder : directories_.data) TRY(find_logs(folder));
    TRY(read_checkpoints());
    TRY(read_logs());
    TRY(finish());
    TRY(check_pointers());
    return std::move(backlog_);
  }

 private:
  Status find_logs(const std::string& folder);
  Status read_meta(LogFile& file, std::uint64_t size, bool& ignored);
  Status read_checkpoints();
  std::uint64_t start_of(const LogMeta& meta) const;
  Status read_logs();
  void apply(std::uint32_t log, const PlacedRecord& placed);
  void commit(const LogRecord& record);
  void remove_taken();
  Status finish();
  Status check_pointers() const;

  FileSystem& files_;
  Log& log_;
  const Directories& directories_;
  Backlog backlog_;
  Checkpoint checkpoint_;
  std::unordered_map<std::int64_t, std::vector<Pointer>> open_;  // transactions
  std::vector<Pointer> taken_;                                   // and not yet looked for among what waits
  std::size_t looked_for_ = 0;                                   // of these: no put of them has come yet
};

Status Replay::find_logs(const std::string& folder) {
  TRY_ASSIGN(const auto names, files_.list(folder));
  for (const std::string& name : names) {
    const auto id = parse_log_name(name);
    if (!id) continue;
    LogFile file{*id, folder + "/" + name, {}};
    TRY_ASSIGN(const FileInfo info, files_.info(file.path));
    TRY_ASSIGN(const bool guard, is_guard(files_, file.path));
    if (guard) continue;
    bool ignored = false;
    TRY(read_meta(file, info.size, ignored));
    if (ignored) continue;
    const auto [known, added] = backlog_.logs.emplace(*id, file);
    if (added) continue;
    return {Code::invalid, fmt::format("{} and {} have the same number: they belong to different channels; give "
                                       "dataDirs of one only",
                                       known->second.path, file.path)};
  }
  return {};
}

Status Replay::read_meta(LogFile& file, std::uint64_t size, bool& ignored) {
  const std::string path = file.path + ".meta";
  const auto bytes = read_file(files_, path, kMetaLimit);
  if (!bytes.ok() && bytes.status().code() != Code::not_found) return bytes.status();
  ignored = size == 0 && (!bytes.ok() || bytes->empty());  // made, and not yet used
  if (ignored) return {};
  if (!bytes.ok()) {
    return {Code::invalid,
            fmt::format("{} is missing, or {} is of a format before Flume 1.3: let a Flume that reads it drain the "
                        "channel",
                        path, file.path)};
  }
  const auto meta = parse_log_meta(*bytes);
  if (!meta || meta->log != file.id) {
    return {Code::corrupt,
            fmt::format("{} is damaged: {} can't be read without it. Restore it, or move both out of the "
                        "folder to do without their events",
                        path, file.path)};
  }
  if (!meta->encryption.empty()) {
    return {Code::invalid, fmt::format("{} is {}, which is not read here: drain the channel with Flume and its key "
                                       "store. Nothing was changed",
                                       file.path, meta->encryption)};
  }
  file.meta = *meta;
  return {};
}

Status Replay::read_checkpoints() {
  auto read = read_checkpoint(files_, directories_.checkpoint);
  backlog_.source = "the checkpoint";
  const Status why = read.status();
  if (why.code() == Code::corrupt && !directories_.backup_checkpoint.empty() &&
      files_.info(directories_.backup_checkpoint + "/backupComplete").ok()) {
    log_.warn(fmt::format("{}: the backup checkpoint is used", why.message()));
    read = read_checkpoint(files_, directories_.backup_checkpoint);
    backlog_.source = "the backup checkpoint";
  }
  if (read.ok()) {
    checkpoint_ = std::move(*read);
    if (checkpoint_.order == 0) backlog_.source = "all logs";
    backlog_.waiting = std::move(checkpoint_.queue);
    for (auto& [transaction, pointers] : checkpoint_.puts) open_[transaction] = std::move(pointers);
    return {};
  }
  const Status failure = read.status();
  if (failure.code() != Code::corrupt && failure.code() != Code::not_found) return failure;
  backlog_.source = "all logs";
  if (!backlog_.logs.empty()) {
    log_.warn(
        fmt::format("{}: all logs are read instead, as Flume does; what was delivered comes again where the log "
                    "that says so is gone",
                    failure.message()));
  }
  return {};
}

/// What stands before it is in the checkpoint.
std::uint64_t Replay::start_of(const LogMeta& meta) const {
  if (checkpoint_.order == 0) return 0;
  if (meta.order <= checkpoint_.order) return meta.position;
  return meta.backup_order <= checkpoint_.order ? meta.backup_position : 0;
}

/// All logs side by side, in the order in which their records were written.
Status Replay::read_logs() {
  struct Head {
    PlacedRecord placed;
    std::size_t reader;
    auto key() const {
      const LogRecord& record = placed.record;
      return std::tuple(record.order, record.transaction, record.type, reader);
    }
    bool operator>(const Head& other) const { return key() > other.key(); }
  };
  std::vector<LogReader> readers;
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  const auto advance = [&](std::size_t reader) -> Status {
    TRY_ASSIGN(const auto placed, readers[reader].next());
    if (placed) heads.push({*placed, reader});
    return {};
  };
  const std::size_t chunk = backlog_.logs.size() > kFewLogs ? 32 * 1024 : 256 * 1024;
  for (const auto& [id, file] : backlog_.logs) {
    TRY_ASSIGN(auto reader, LogReader::open(files_, log_, file, {start_of(file.meta), chunk}));
    readers.push_back(std::move(reader));
    TRY(advance(readers.size() - 1));
  }
  while (!heads.empty()) {
    const Head head = heads.top();
    heads.pop();
    if (head.placed.record.order > checkpoint_.order) apply(readers[head.reader].id(), head.placed);
    TRY(advance(head.reader));
  }
  return {};
}

void Replay::apply(std::uint32_t log, const PlacedRecord& placed) {
  const LogRecord& record = placed.record;
  switch (record.type) {
    case RecordType::put: open_[record.transaction].push_back(make_pointer(log, placed.offset)); break;
    case RecordType::take: open_[record.transaction].push_back(record.taken); break;
    case RecordType::rollback: open_.erase(record.transaction); break;
    case RecordType::commit: commit(record); break;
  }
}

void Replay::commit(const LogRecord& record) {
  std::vector<Pointer> pointers;
  if (const auto found = open_.find(record.transaction); found != open_.end()) {
    pointers = std::move(found->second);
    open_.erase(found);
  }
  if (record.committed == RecordType::put) {
    backlog_.waiting.insert(backlog_.waiting.end(), pointers.begin(), pointers.end());
    return;
  }
  if (const auto found = checkpoint_.takes.find(record.transaction); found != checkpoint_.takes.end()) {
    pointers.insert(pointers.end(), found->second.begin(), found->second.end());
    checkpoint_.takes.erase(found);
  }
  for (const Pointer pointer : pointers) {
    if (backlog_.logs.contains(log_of(pointer))) taken_.push_back(pointer);  // else its put can't come
  }
  // Now and then, so that neither side grows with all that ever went through.
  if (taken_.size() - looked_for_ > std::max(kTakenAtOnce, backlog_.waiting.size() / 2)) remove_taken();
}

/// What was taken does not wait. A take may come before its put, as they are in different logs.
void Replay::remove_taken() {
  if (taken_.empty()) return;
  std::sort(taken_.begin(), taken_.end());
  std::vector<bool> found(taken_.size());
  const auto is_taken = [&](Pointer pointer) {
    const auto at = std::lower_bound(taken_.begin(), taken_.end(), pointer);
    if (at == taken_.end() || *at != pointer) return false;
    found[static_cast<std::size_t>(at - taken_.begin())] = true;
    return true;
  };
  auto& waiting = backlog_.waiting;
  waiting.erase(std::remove_if(waiting.begin(), waiting.end(), is_taken), waiting.end());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    const bool repeated = i > 0 && taken_[i] == taken_[i - 1];
    if (!found[i] && !repeated) taken_[kept++] = taken_[i];
  }
  taken_.resize(kept);
  looked_for_ = kept;
}

Status Replay::finish() {
  // Taken, and neither committed nor given back: they come first, in the order in which they were put.
  std::vector<std::pair<std::int64_t, Pointer>> again;
  EventReader reader(files_, backlog_.logs);
  for (const auto& [transaction, pointers] : checkpoint_.takes) {
    for (const Pointer pointer : pointers) {
      TRY_ASSIGN(const std::int64_t order, reader.order_of(pointer));
      again.emplace_back(order, pointer);
    }
  }
  std::sort(again.begin(), again.end());
  again.erase(std::unique(again.begin(), again.end()), again.end());
  for (auto each = again.rbegin(); each != again.rend(); ++each) backlog_.waiting.push_front(each->second);
  remove_taken();
  return {};
}

Status Replay::check_pointers() const {
  for (const Pointer pointer : backlog_.waiting) {
    if (backlog_.logs.contains(log_of(pointer))) continue;
    return {Code::invalid,
            fmt::format("{} names events in log-{}, which is in none of dataDirs: add its folder. To do without them, "
                        "move the files of {} out of it: all logs are read then",
                        backlog_.source, log_of(pointer), directories_.checkpoint)};
  }
  return {};
}

}  // namespace

Result<Backlog> read_backlog(FileSystem& files, Log& log, const Directories& directories) {
  return Replay(files, log, directories).run();
}

}  // namespace standpipe::file_channel::flume

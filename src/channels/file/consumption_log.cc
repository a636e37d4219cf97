#include "channels/file/consumption_log.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"

namespace standpipe::file_channel {

ConsumptionLog::ConsumptionLog(FileSystem& files, Log& log, std::string folder, std::uint64_t channel_id,
                               std::uint64_t generation)
    : files_(files), log_(log), folder_(std::move(folder)), channel_id_(channel_id), generation_(generation) {}

Status ConsumptionLog::begin() {
  const std::uint64_t generation = this->generation() + 1;
  const std::string path = folder_ + "/" + consumed_name(generation);
  TRY_ASSIGN(auto file, files_.open(path, FileSystem::Mode::create));
  TRY(file->write_at(0, format_consumed_header(channel_id_, generation)));
  TRY(file->sync());
  TRY(files_.sync_directory(folder_));
  TRY_ASSIGN(std::shared_ptr<File> syncer, files_.open(path, FileSystem::Mode::read_write));
  // Where this fails the snapshot to come has everything; it is not needed for that.
  sync().ignore();
  std::lock_guard lock(mutex_);
  file_ = std::move(file);
  syncer_ = std::move(syncer);
  generation_ = generation;
  size_ = kConsumedHeader;
  dirty_ = false;
  unsaved_ = unsaved_ || behind_;
  behind_ = false;
  return {};
}

Status ConsumptionLog::save(const Snapshot& snapshot) {
  Status saved =
      write_file_atomically(files_, folder_ + "/" + snapshot_name(snapshot.generation), format_snapshot(snapshot));
  {
    std::lock_guard lock(mutex_);
    behind_ = behind_ || !saved.ok();
    unsaved_ = unsaved_ && !saved.ok();
  }
  if (!saved.ok()) return saved;
  remove_unneeded(snapshot.generation);
  return {};
}

/// Keeps the newest snapshot, the one before it and every file of ranges since: either of the two says all.
void ConsumptionLog::remove_unneeded(std::uint64_t newest) {
  const auto names = files_.list(folder_);
  if (!names.ok()) return names.status().ignore();  // what stays is removed the next time
  std::uint64_t before = 0;
  for (const std::string& name : *names) {
    const auto generation = parse_snapshot_name(name);
    if (generation && *generation < newest) before = std::max(before, *generation);
  }
  for (const std::string& name : *names) {
    auto generation = parse_snapshot_name(name);
    if (!generation) generation = parse_consumed_name(name);
    if (generation && *generation < before) files_.remove(folder_ + "/" + name).ignore();
  }
}

void ConsumptionLog::append(std::span<const Range> ranges) {
  if (ranges.empty() || FAILPOINT("file.drop_consumption")) return;
  std::lock_guard lock(mutex_);
  if (file_ == nullptr) {
    behind_ = true;
    return;
  }
  const std::string record = format_consumed_record(channel_id_, generation_, ranges);
  const Status written = file_->write_at(size_, record);
  if (!written.ok()) {
    if (!behind_)
      log_.error("what sinks have taken can't be written, a crash now would repeat it: " + written.message());
    behind_ = true;  // the next record goes over whatever of this one arrived
    return;
  }
  size_ += record.size();
  dirty_ = true;
}

Status ConsumptionLog::sync() {
  std::shared_ptr<File> file;
  {
    std::lock_guard lock(mutex_);
    if (behind_ || unsaved_) return {Code::io, "some of what sinks have taken is in memory only"};
    if (!dirty_) return {};
    dirty_ = false;
    file = syncer_;
  }
  Status synced = file->sync();
  if (synced.ok()) return {};
  // Never again through this file: what it says is not known any more.
  std::lock_guard lock(mutex_);
  file_.reset();
  behind_ = true;
  return synced;
}

std::uint64_t ConsumptionLog::generation() const {
  std::lock_guard lock(mutex_);
  return generation_;
}
std::uint64_t ConsumptionLog::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}
bool ConsumptionLog::dirty() const {
  std::lock_guard lock(mutex_);
  return dirty_;
}
bool ConsumptionLog::behind() const {
  std::lock_guard lock(mutex_);
  return behind_ || unsaved_;
}

}  // namespace standpipe::file_channel

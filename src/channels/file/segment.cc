#include "channels/file/segment.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/failpoint.h"

namespace standpipe::file_channel {

namespace {

constexpr std::uint64_t kMarkEvery = 1u << 20;
/// Groups below kSmallGroup only overwrite: zeros are written ahead of them, kZerosAhead at a time.
constexpr std::size_t kSmallGroup = 64 * 1024;
constexpr std::size_t kZerosAhead = 512 * 1024;
constexpr std::size_t kBlock = 4096;  // what a device loses at once
constexpr int kReadAttempts = 4;      // a bus that was reset or a path that failed over is no damage

}  // namespace

// -- SegmentList ------------------------------------------------------------------------------------------------------

void SegmentList::add(Segment segment) {
  std::lock_guard lock(mutex_);
  const std::uint64_t id = segment.id;
  entries_[id] = {std::move(segment), {}};
}

void SegmentList::extend(std::uint64_t id, std::uint64_t number, std::uint64_t offset, std::uint64_t end) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(id);
  entry.segment.end = end;
  const std::uint64_t marked = entry.marks.empty() ? kSegmentHeader : entry.marks.back().offset;
  if (offset >= marked + kMarkEvery) entry.marks.push_back({number, offset});
}

void SegmentList::remove(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  entries_.erase(id);
}

std::optional<SegmentList::Place> SegmentList::place_of(std::uint64_t number) const {
  std::lock_guard lock(mutex_);
  if (entries_.empty()) return std::nullopt;
  auto at = std::partition_point(entries_.begin(), entries_.end(),
                                 [number](const auto& entry) { return entry.second.segment.first <= number; });
  if (at != entries_.begin()) --at;
  const Entry& entry = at->second;
  const auto mark = std::partition_point(entry.marks.begin(), entry.marks.end(),
                                         [number](const Mark& known) { return known.number <= number; });
  return Place{entry.segment, mark == entry.marks.begin() ? kSegmentHeader : std::prev(mark)->offset};
}

std::optional<SegmentList::Place> SegmentList::after(std::uint64_t id) const {
  std::lock_guard lock(mutex_);
  const auto at = entries_.upper_bound(id);
  if (at == entries_.end()) return std::nullopt;
  return Place{at->second.segment, kSegmentHeader};
}

std::uint64_t SegmentList::end_of(std::uint64_t id) const {
  std::lock_guard lock(mutex_);
  const auto at = entries_.find(id);
  return at == entries_.end() ? 0 : at->second.segment.end;
}

std::vector<Segment> SegmentList::all() const {
  std::lock_guard lock(mutex_);
  std::vector<Segment> result;
  for (const auto& [id, entry] : entries_) result.push_back(entry.segment);
  return result;
}

std::vector<Segment> SegmentList::without_events(const IntervalSet& gone) const {
  std::lock_guard lock(mutex_);
  std::vector<Segment> result;
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    const auto next = std::next(at);
    if (next == entries_.end()) break;
    const Range numbers{at->second.segment.first, next->second.segment.first};
    if (gone.covers(numbers)) result.push_back(at->second.segment);
  }
  return result;
}

std::size_t SegmentList::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

Result<std::size_t> read_what_is_left(
    File& file, std::uint64_t offset, char* target, std::size_t size,
    const std::function<void(std::uint64_t offset, std::size_t bytes, const Status& why)>& unreadable) {
  auto whole = file.read_at(offset, target, size);
  if (whole.ok() || whole.status().code() != Code::io) return whole;
  bool any = false;
  std::vector<std::pair<std::uint64_t, Status>> bad;
  for (std::size_t at = 0; at < size; at += kBlock) {
    const std::size_t count = std::min(kBlock, size - at);
    std::memset(target + at, 0, count);
    auto part = file.read_at(offset + at, target + at, count);
    for (int tries = 1; !part.ok() && tries < kReadAttempts; ++tries) {
      part.status().ignore();  // only the last answer counts
      part = file.read_at(offset + at, target + at, count);
    }
    any = any || part.ok();
    if (!part.ok()) bad.emplace_back(offset + at, part.status());
  }
  // Nothing at all: the device is gone rather than damaged.
  if (!any) return whole.status();
  for (const auto& [at, why] : bad) unreadable(at, std::min<std::uint64_t>(kBlock, offset + size - at), why);
  return size;
}

Result<std::optional<RecordCipher>> choose_key(const KeyRing& keys, SegmentHeader& header) {
  std::optional<RecordCipher> cipher;
  const KeyRing::NamedKey* const active = keys.active();
  if (active == nullptr) return cipher;
  TRY_ASSIGN(header.salt, make_salt());
  cipher.emplace(active->key, SegmentKeyInput{header.channel_id, header.segment_id, header.salt});
  header.key_name = active->name;
  header.key_check = cipher->check();
  return cipher;
}

// -- SegmentWriter ----------------------------------------------------------------------------------------------------

SegmentWriter::SegmentWriter(FileSystem& files, std::unique_ptr<File> file, std::string path, const FileInfo& info,
                             const SegmentHeader& header)
    : files_(files),
      file_(std::move(file)),
      path_(std::move(path)),
      device_(info.device),
      inode_(info.inode),
      id_(header.segment_id),
      size_(header.size) {}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(FileSystem& files, const std::string& folder,
                                                             const SegmentHeader& header) {
  const std::string path = folder + "/" + segment_name(header.segment_id);
  TRY_ASSIGN(auto file, files.open(path, FileSystem::Mode::create_new));
  const auto info = file->info();
  const auto prepare = [&]() -> Status {
    TRY(info.status());
    TRY(file->reserve(header.size));
    TRY(file->write_at(0, format_segment_header(header)));
    TRY(file->sync());
    return files.sync_directory(folder);
  };
  if (Status status = prepare(); !status.ok()) {
    file.reset();
    files.remove(path).ignore();  // it has no events; what stays is seen as such at the next start
    return status;
  }
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(files, std::move(file), path, *info, header));
}

Status SegmentWriter::note(Status status) {
  if (!status.ok()) failed_ = true;
  return status;
}

Status SegmentWriter::write_zeros_ahead(std::size_t group) {
  static const std::string& zeros = *new std::string(kZerosAhead, '\0');
  zeroed_ = std::max(zeroed_, end_);
  if (group > kSmallGroup || zeroed_ - end_ >= group || zeroed_ >= size_) return {};
  const std::uint64_t count = std::min<std::uint64_t>(kZerosAhead, size_ - zeroed_);
  TRY(file_->write_at(zeroed_, std::string_view(zeros).substr(0, count)));
  zeroed_ += count;
  return {};
}

Status SegmentWriter::write(std::string_view bytes) {
  CHECK(!failed_ && bytes.size() <= room());
  TRY(note(file_->write_at(end_, bytes)));
  end_ += bytes.size();
  return note(write_zeros_ahead(bytes.size()));
}

Status SegmentWriter::sync() {
  CHECK(!failed_);
  if (!FAILPOINT("file.no_sync")) TRY(note(file_->sync()));
  TRY(note(check_name()));
  synced_ = end_;
  return {};
}

/// A file that somebody removed, or a folder that was moved away, takes writes and keeps nothing.
Status SegmentWriter::check_name() const {
  const auto info = files_.info(path_);
  if (info.ok() && info->device == device_ && info->inode == inode_) return {};
  if (!info.ok() && info.status().code() != Code::not_found) return info.status();
  return {Code::io, path_ + " was moved or removed while it was written"};
}

Status SegmentWriter::finish() {
  CHECK(!failed_);
  return note(file_->truncate(end_));
}

}  // namespace standpipe::file_channel

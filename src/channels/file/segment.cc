#include "channels/file/segment.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/failpoint.h"

namespace standpipe::file_channel {

namespace {

constexpr std::uint64_t kMarkEvery = 1u << 20;
/// Groups below kSmallGroup only overwrite: zeros are written ahead of them, kZerosAhead at a time.
constexpr std::size_t kSmallGroup = 64 * 1024;
constexpr std::size_t kZerosAhead = 256 * 1024;

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

// -- SegmentWriter ----------------------------------------------------------------------------------------------------

SegmentWriter::SegmentWriter(std::unique_ptr<File> file, std::string path, const SegmentHeader& header)
    : file_(std::move(file)), path_(std::move(path)), id_(header.segment_id), size_(header.size) {}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(FileSystem& files, const std::string& folder,
                                                             const SegmentHeader& header) {
  const std::string path = folder + "/" + segment_name(header.segment_id);
  TRY_ASSIGN(auto file, files.open(path, FileSystem::Mode::create_new));
  const auto prepare = [&]() -> Status {
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
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(std::move(file), path, header));
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
  synced_ = end_;
  return {};
}

Status SegmentWriter::finish() {
  CHECK(!failed_);
  return note(file_->truncate(end_));
}

}  // namespace standpipe::file_channel

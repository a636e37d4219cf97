#include "channels/file/flume/log_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>

namespace standpipe::file_channel::flume {

namespace {

constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kSearchChunk = 1u << 20;
constexpr std::size_t kOpenLogs = 16;

/// The length of the payload; beyond every file where Flume would take it for negative.
std::uint64_t length_of(std::string_view prefix) {
  std::uint64_t length = 0;
  for (std::size_t i = 1; i < kRecordPrefix; ++i) length = length << 8 | static_cast<std::uint8_t>(prefix[i]);
  return length > kMaxOffset ? std::numeric_limits<std::uint64_t>::max() / 2 : length;
}

}  // namespace

LogReader::LogReader(FileWindow window, Log& log, std::uint32_t id, Options options)
    : window_(std::move(window)), log_(&log), id_(id), position_(options.position) {}

Result<LogReader> LogReader::open(FileSystem& files, Log& log, const LogFile& file, Options options) {
  TRY_ASSIGN(auto window, FileWindow::open(files, file.path, options.chunk));
  if (options.position > window.size()) {
    log.warn(
        fmt::format("{}: its .meta says that {} bytes were in the checkpoint, but it has {}: it is read from the "
                    "start",
                    file.path, options.position, window.size()));
    options.position = 0;
  }
  return LogReader(std::move(window), log, file.id, options);
}

Result<std::optional<PlacedRecord>> LogReader::next() {
  while (position_ < window_.size()) {
    TRY_ASSIGN(const std::string_view prefix, window_.read(position_, kRecordPrefix));
    if (prefix.empty() || prefix[0] == kFillMark) break;
    if (prefix[0] == kNothingMark) {
      // Also what a power cut leaves: zeros, taken for records of no length.
      if (prefix.size() < kRecordPrefix) break;
      position_ += kRecordPrefix + length_of(prefix);
      continue;
    }
    TRY_ASSIGN(auto record, read_record());
    if (record) return record;
    TRY(pass_damage());
  }
  return std::optional<PlacedRecord>();
}

Result<std::optional<PlacedRecord>> LogReader::read_record() {
  TRY_ASSIGN(const std::string_view bytes, window_.read(position_, kRecordPrefix + kSmallPayload));
  if (bytes.size() < kRecordPrefix || bytes[0] != kRecordMark || position_ > kMaxOffset) {
    return std::optional<PlacedRecord>();
  }
  const std::uint64_t length = length_of(bytes);
  if (length > window_.size() - position_ - kRecordPrefix) return std::optional<PlacedRecord>();
  const auto record = parse_record(bytes.substr(kRecordPrefix, length));
  if (!record) return std::optional<PlacedRecord>();
  const auto offset = static_cast<std::uint32_t>(position_);
  position_ += kRecordPrefix + length;
  return std::optional<PlacedRecord>(PlacedRecord{offset, *record});
}

/// Nothing was acknowledged behind the last record that was ever written whole: a transaction ends with its commit.
Status LogReader::pass_damage() {
  const std::uint64_t offset = std::exchange(position_, window_.size());
  TRY_ASSIGN(const bool follows, record_follows(offset + 1));
  if (!follows) {
    log_->warn(
        fmt::format("{}: torn at offset {}, and no record follows: what was being written there was never "
                    "acknowledged",
                    window_.path(), offset));
    return {};
  }
  return {
      Code::corrupt,
      fmt::format("{}: damaged at offset {}, with records behind it. Nothing was changed. Let Flume's own integrity "
                  "tool repair it (flume-ng tool fcintegritytool -l FOLDER), or move it and its .meta out of the "
                  "folder to do without its events",
                  window_.path(), offset)};
}

Result<bool> LogReader::record_follows(std::uint64_t offset) {
  std::uint64_t at = offset;
  while (at < window_.size()) {
    TRY_ASSIGN(const std::string_view bytes, window_.read(at, kSearchChunk));
    if (bytes.empty()) break;
    const void* const mark = std::memchr(bytes.data(), kRecordMark, bytes.size());
    if (mark == nullptr) {
      at += bytes.size();
      continue;
    }
    at += static_cast<std::uint64_t>(static_cast<const char*>(mark) - bytes.data());
    const std::uint64_t before = std::exchange(position_, at);
    const auto record = read_record();
    position_ = before;
    if (!record.ok()) return record.status();
    if (*record) return true;
    ++at;
  }
  return false;
}

Result<FileWindow*> EventReader::window_of(std::uint32_t log) {
  const auto known = open_.find(log);
  if (known != open_.end()) {
    known->second.used = ++turn_;
    return &known->second.window;
  }
  if (open_.size() >= kOpenLogs) {
    const auto older = [](const auto& a, const auto& b) { return a.second.used < b.second.used; };
    open_.erase(std::min_element(open_.begin(), open_.end(), older));
  }
  TRY_ASSIGN(auto window, FileWindow::open(files_, logs_.at(log).path, 256 * 1024));
  return &open_.emplace(log, Open{std::move(window), ++turn_}).first->second.window;
}

Result<std::int64_t> EventReader::order_of(Pointer pointer) {
  if (!logs_.contains(log_of(pointer))) return 0;
  TRY_ASSIGN(FileWindow* const window, window_of(log_of(pointer)));
  TRY_ASSIGN(const std::string_view bytes, window->read(offset_of(pointer), kRecordPrefix + kSmallPayload));
  if (bytes.size() < kRecordPrefix) return 0;
  const auto record = parse_record(bytes.substr(kRecordPrefix));
  return record ? record->order : 0;
}

Result<EventReader::Found> EventReader::read(Pointer pointer) {
  if (!logs_.contains(log_of(pointer))) return Found{{}, "its log is not there"};
  TRY_ASSIGN(FileWindow* const window, window_of(log_of(pointer)));
  const std::uint64_t offset = offset_of(pointer);
  TRY_ASSIGN(const std::string_view prefix, window->read(offset, kRecordPrefix));
  if (prefix.size() < kRecordPrefix) return Found{{}, "the log ends before it"};
  if (prefix[0] == kNothingMark) return Found{};
  if (prefix[0] != kRecordMark) return Found{{}, "no record begins there"};
  const std::uint64_t length = length_of(prefix);
  if (length > window->size() - offset - kRecordPrefix) return Found{{}, "it is longer than the log"};
  TRY_ASSIGN(const std::string_view record, window->read(offset, kRecordPrefix + length));
  if (record.size() != kRecordPrefix + length) return Found{{}, "the log ends in it"};
  auto event = parse_event(record.substr(kRecordPrefix));
  if (!event) return Found{{}, "its checksum does not agree, or it is no event"};
  return Found{std::move(event), {}};
}

}  // namespace standpipe::file_channel::flume

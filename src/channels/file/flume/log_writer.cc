#include "channels/file/flume/log_writer.h"

#include <fmt/format.h>

#include "channels/file/flume/log_record.h"

namespace standpipe::file_channel::flume {

namespace {
constexpr std::size_t kTransactionEvents = 1000;
constexpr std::size_t kWriteSize = 1u << 20;
constexpr std::size_t kCommitSize = 64;  // more than a commit takes
}  // namespace

LogWriter::LogWriter(FileSystem& files, std::string folder, std::uint64_t log_size)
    : files_(files), folder_(std::move(folder)), log_size_(log_size) {}

Status LogWriter::add(const Headers& headers, std::string_view body) {
  const std::size_t size = put_size(headers, body);
  if (file_ == nullptr || position_ + size + kCommitSize > log_size_) {
    TRY(close_log());
    TRY(open_log());
  }
  append_put(bytes_, transaction_, ++order_, headers, body);
  position_ += size;
  if (++uncommitted_ == kTransactionEvents) commit();
  return bytes_.size() >= kWriteSize ? write() : Status();
}

void LogWriter::commit() {
  if (uncommitted_ == 0) return;
  const std::size_t before = bytes_.size();
  append_commit(bytes_, transaction_++, ++order_, RecordType::put);
  position_ += bytes_.size() - before;
  uncommitted_ = 0;
}

Status LogWriter::open_log() {
  const std::string path = fmt::format("{}/log-{}", folder_, ++log_);
  TRY(write_file_atomically(files_, path + ".meta", format_log_meta({.log = log_})));
  TRY_ASSIGN(file_, files_.open(path, FileSystem::Mode::create_new));
  position_ = 0;
  return {};
}

/// A transaction ends with its log.
Status LogWriter::close_log() {
  if (file_ == nullptr) return {};
  commit();
  TRY(write());
  TRY(file_->sync());
  TRY(file_->close());
  file_.reset();
  return {};
}

Status LogWriter::write() {
  TRY(file_->write(bytes_));
  bytes_.clear();
  return {};
}

Status LogWriter::finish() {
  TRY(close_log());
  return files_.sync_directory(folder_);
}

}  // namespace standpipe::file_channel::flume

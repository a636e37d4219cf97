#include "sinks/hdfs/bucket_file.h"
#include "base/failpoint.h"

namespace standpipe::hdfs {

namespace {
// Large enough that the system call is nothing beside the copy, small enough for thousands of open files.
constexpr std::size_t kWriteBytes = 256 * 1024;
}  // namespace

BucketFile::BucketFile(std::string stream, OpenFileJournal::Id id, std::string in_use, std::string final_name,
                       std::unique_ptr<StoreFile> file, std::unique_ptr<EventSerializer> format, Clock::Steady now)
    : stream_(std::move(stream)),
      id_(id),
      in_use_(std::move(in_use)),
      final_name_(std::move(final_name)),
      file_(std::move(file)),
      format_(std::move(format)),
      opened_at_(now),
      flushed_at_(now) {}

Status BucketFile::append(const EventRef& event) {
  TRY(format_->append(event, buffer_));
  ++events_;
  body_bytes_ += event.body.size();
  return buffer_.size() < kWriteBytes ? Status() : write_out();
}

void BucketFile::claim(LeasedRun run) {
  if (run.first == run.last) return;
  if (!claims_.empty() && claims_.back().lease == run.lease && claims_.back().last == run.first) {
    claims_.back().last = run.last;
    return;
  }
  claims_.push_back(std::move(run));
}

std::vector<LeasedRun> BucketFile::take_claims() { return std::exchange(claims_, {}); }

Status BucketFile::write_out() {
  if (!buffer_.empty()) TRY(file_->write(buffer_));
  buffer_.clear();
  return {};
}

Status BucketFile::flush(Clock::Steady now) {
  TRY(format_->flush(buffer_));
  TRY(write_out());
  if (!FAILPOINT("hdfs.commit_before_sync")) TRY(file_->flush());
  flushed_bytes_ = file_->size();
  flushed_at_ = now;
  return {};
}

Status BucketFile::finish() {
  TRY(format_->finish(buffer_));
  TRY(write_out());
  TRY(file_->flush());
  flushed_bytes_ = file_->size();
  return file_->close();
}

}  // namespace standpipe::hdfs

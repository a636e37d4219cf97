#include "sinks/hdfs/bucket_file.h"
#include "base/failpoint.h"

namespace standpipe::hdfs {

BucketFile::BucketFile(std::string stream, OpenFileJournal::Id id, std::string in_use, std::string final_name,
                       std::unique_ptr<StoreFile> file, std::unique_ptr<EventSerializer> format, Clock::Steady now)
    : stream_(std::move(stream)),
      id_(id),
      in_use_(std::move(in_use)),
      final_name_(std::move(final_name)),
      file_(std::move(file)),
      format_(std::move(format)),
      output_(*file_, *format_),
      opened_at_(now),
      flushed_at_(now) {}

Status BucketFile::append(const EventRef& event) {
  TRY(output_.append(event));
  ++events_;
  body_bytes_ += event.body.size();
  return {};
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

Status BucketFile::flush(Clock::Steady now) {
  TRY(output_.flush());
  if (!FAILPOINT("hdfs.commit_before_sync")) TRY(file_->flush());
  flushed_bytes_ = file_->size();
  flushed_at_ = now;
  return {};
}

Status BucketFile::finish() {
  TRY(output_.finish());
  TRY(file_->flush());
  flushed_bytes_ = file_->size();
  return file_->close();
}

}  // namespace standpipe::hdfs

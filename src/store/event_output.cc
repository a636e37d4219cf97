#include "store/event_output.h"

#include <cstring>
#include <utility>

namespace standpipe {

namespace {
// Large enough that the system call is nothing beside the copy, small enough for thousands of open files.
constexpr std::size_t kWriteBytes = 256 * 1024;
// A shorter run is copied: a write of its own costs more.
constexpr std::size_t kDirectBytes = 32 * 1024;
}  // namespace

EventOutput::EventOutput(StoreFile& file, EventSerializer& serializer)
    : file_(file), serializer_(serializer), ending_(serializer.plain_ending()) {}

Status EventOutput::append(const EventRef& event) {
  if (!ending_) {
    TRY(serializer_.append(event, copied_));
    return copied_.size() < kWriteBytes ? Status() : write_copied();
  }
  if (continues_run(event.body)) {
    run_ = {run_.data(), run_.size() + ending_->size() + event.body.size()};
    return {};
  }
  TRY(end_run());
  run_ = event.body;
  in_run_ = true;
  return {};
}

// Two bodies so near each other lie in one slab, so what is between them may be read.
bool EventOutput::continues_run(std::string_view body) const {
  if (!in_run_ || body.data() == nullptr) return false;
  const char* end = run_.data() + run_.size();
  return end + ending_->size() == body.data() && std::memcmp(end, ending_->data(), ending_->size()) == 0;
}

Status EventOutput::end_run() {
  if (!in_run_) return {};
  in_run_ = false;
  const std::string_view run = std::exchange(run_, {});
  if (run.size() < kDirectBytes) {
    copied_.append(run);
  } else {
    TRY(write_copied());
    TRY(file_.write(run));
  }
  copied_.append(*ending_);
  return copied_.size() < kWriteBytes ? Status() : write_copied();
}

Status EventOutput::write_copied() {
  if (!copied_.empty()) TRY(file_.write(copied_));
  copied_.clear();
  return {};
}

Status EventOutput::flush() {
  TRY(end_run());
  TRY(serializer_.flush(copied_));
  return write_copied();
}

Status EventOutput::finish() {
  TRY(end_run());
  TRY(serializer_.finish(copied_));
  return write_copied();
}

}  // namespace standpipe

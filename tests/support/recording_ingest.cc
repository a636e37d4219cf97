#include "support/recording_ingest.h"

#include "support/patience.h"

namespace standpipe::testing {

Receipt RecordingIngest::deliver(Batch batch) {
  std::lock_guard lock(mutex_);
  ++deliveries_;
  changed_.notify_all();
  if (holding_) {
    held_.push_back({std::move(batch), ReceiptPromise()});
    return held_.back().promise.receipt();
  }
  for (std::size_t i = 0; refused_ && i < batch.size(); ++i) {
    if (batch[i].body == *refused_) return Receipt::completed({Code::poison, "refused"});
  }
  if (code_ != Code::ok) return Receipt::completed({code_, message_});
  accept(batch);
  return Receipt::completed();
}

void RecordingIngest::accept(const Batch& batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    bodies_.emplace_back(batch[i].body);
    headers_.push_back(*batch[i].headers);
  }
  batch_sizes_.push_back(batch.size());
  changed_.notify_all();
}

void RecordingIngest::answer_with(Status status) {
  std::lock_guard lock(mutex_);
  code_ = status.code();
  message_ = status.message();
}

void RecordingIngest::refuse(std::string body) {
  std::lock_guard lock(mutex_);
  refused_ = std::move(body);
}

void RecordingIngest::hold() {
  std::lock_guard lock(mutex_);
  holding_ = true;
}

void RecordingIngest::release(Status status) {
  std::deque<Held> held;
  {
    std::lock_guard lock(mutex_);
    holding_ = false;
    held.swap(held_);
    for (const Held& one : held) {
      if (status.ok()) accept(one.batch);
    }
  }
  for (Held& one : held) one.promise.complete(status);
}

std::vector<std::string> RecordingIngest::bodies() const {
  std::lock_guard lock(mutex_);
  return bodies_;
}

std::vector<Headers> RecordingIngest::headers() const {
  std::lock_guard lock(mutex_);
  return headers_;
}

std::vector<std::size_t> RecordingIngest::batch_sizes() const {
  std::lock_guard lock(mutex_);
  return batch_sizes_;
}

std::size_t RecordingIngest::deliveries() const {
  std::lock_guard lock(mutex_);
  return deliveries_;
}

bool RecordingIngest::wait(const std::function<bool()>& ready) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, ready);
}

bool RecordingIngest::wait_for_events(std::size_t count) const {
  return wait([&] { return bodies_.size() >= count; });
}

bool RecordingIngest::wait_for_deliveries(std::size_t count) const {
  return wait([&] { return deliveries_ >= count; });
}

}  // namespace standpipe::testing

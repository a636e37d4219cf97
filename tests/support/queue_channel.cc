#include "support/queue_channel.h"

#include <vector>

namespace standpipe::testing {

class QueueChannel::QueuePut final : public Put {
 public:
  explicit QueuePut(QueueChannel& channel) : channel_(channel) {}
  Receipt store(BatchPtr batch) override {
    batch_ = std::move(batch);
    return Receipt::completed();
  }
  void publish() override {
    {
      std::lock_guard lock(channel_.mutex_);
      for (std::size_t i = 0; i < batch_->size(); ++i) channel_.ready_[channel_.next_++] = {batch_, i};
      channel_.size_ += static_cast<std::int64_t>(batch_->size());
    }
    channel_.events_.wake_all();
  }

 private:
  QueueChannel& channel_;
  BatchPtr batch_;
};

class QueueChannel::QueueLease final : public LeaseBackend {
 public:
  QueueLease(QueueChannel& channel, std::vector<std::pair<std::uint64_t, Entry>> taken)
      : channel_(channel), taken_(std::move(taken)) {}
  Status commit(std::size_t first, std::size_t last) override {
    {
      std::lock_guard lock(channel_.mutex_);
      channel_.size_ -= static_cast<std::int64_t>(last - first);
    }
    channel_.space_.wake_all();
    return {};
  }
  void give_back(std::size_t first, std::size_t last) override {
    {
      std::lock_guard lock(channel_.mutex_);
      for (std::size_t i = first; i < last; ++i) channel_.ready_[taken_[i].first] = taken_[i].second;
    }
    channel_.events_.wake_all();
  }

 private:
  QueueChannel& channel_;
  std::vector<std::pair<std::uint64_t, Entry>> taken_;
};

Status QueueChannel::start() {
  std::lock_guard lock(mutex_);
  return start_failure_;
}

void QueueChannel::stop() {}

void QueueChannel::fail_start(Status status) {
  std::lock_guard lock(mutex_);
  start_failure_ = std::move(status);
}

Result<std::unique_ptr<Put>> QueueChannel::reserve(const Batch& batch) {
  if (batch.bytes() > most_bytes) return Status(Code::poison, "can never fit into this channel");
  return std::unique_ptr<Put>(std::make_unique<QueuePut>(*this));
}

Result<Lease> QueueChannel::take(std::size_t max_events) {
  std::vector<std::pair<std::uint64_t, Entry>> taken;
  std::vector<BatchSpan> spans;
  std::lock_guard lock(mutex_);
  while (taken.size() < max_events && !ready_.empty()) {
    taken.emplace_back(*ready_.begin());
    spans.push_back({taken.back().second.batch, taken.back().second.index, 1});
    ready_.erase(ready_.begin());
  }
  if (taken.empty()) return Lease();
  return Lease(std::move(spans), std::make_unique<QueueLease>(*this, std::move(taken)));
}

std::int64_t QueueChannel::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace standpipe::testing

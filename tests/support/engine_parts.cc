#include "support/engine_parts.h"

#include <thread>

#include "support/patience.h"

namespace standpipe::testing {

bool eventually(const std::function<bool()>& ready) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!ready()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

Batch numbered(std::size_t first, std::size_t count) {
  Batch batch;
  for (std::size_t i = 0; i < count; ++i) batch.add_copy(std::to_string(first + i));
  return batch;
}

BatchPtr numbered_ptr(std::size_t first, std::size_t count) {
  return std::make_shared<const Batch>(numbered(first, count));
}

std::vector<std::string> bodies(const Lease& lease) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < lease.size(); ++i) result.emplace_back(lease[i].body);
  return result;
}

std::vector<std::string> numbers(std::size_t first, std::size_t count) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(std::to_string(first + i));
  return result;
}

Status put(Channel& channel, const BatchPtr& batch) {
  TRY_ASSIGN(auto put, channel.reserve(*batch));
  TRY(put->store(batch).wait());
  put->publish();
  return {};
}

std::vector<std::string> drain(Channel& channel) {
  std::vector<std::string> all;
  for (;;) {
    auto lease = channel.take(1'000'000);
    if (!lease.ok() || lease->empty()) return all;
    for (std::string& body : bodies(*lease)) all.push_back(std::move(body));
    if (!lease->commit().ok()) return all;
  }
}

// -- ScriptedChannel --------------------------------------------------------------------------------------------------

class ScriptedChannel::ScriptedPut final : public Put {
 public:
  explicit ScriptedPut(ScriptedChannel& channel) : channel_(channel) {
    std::lock_guard lock(channel_.mutex_);
    ++channel_.reserved_;
  }

  ~ScriptedPut() override {
    std::lock_guard lock(channel_.mutex_);
    --channel_.reserved_;
    if (batch_ != nullptr) channel_.revoked_ += batch_->size();
  }

  Receipt store(BatchPtr batch) override {
    std::lock_guard lock(channel_.mutex_);
    if (channel_.hold_) {
      batch_ = std::move(batch);
      return channel_.pending_.emplace_back().receipt();
    }
    if (!channel_.store_failure_.ok()) return Receipt::completed(channel_.store_failure_);
    batch_ = std::move(batch);
    return Receipt::completed();
  }

  void publish() override {
    {
      std::lock_guard lock(channel_.mutex_);
      for (std::size_t i = 0; i < batch_->size(); ++i) channel_.published_.emplace_back((*batch_)[i].body);
      batch_ = nullptr;
    }
    channel_.events_.wake_all();
  }

 private:
  ScriptedChannel& channel_;
  BatchPtr batch_;
};

void ScriptedChannel::set_full(bool full) {
  {
    std::lock_guard lock(mutex_);
    full_ = full;
  }
  space_.wake_all();
}

void ScriptedChannel::fail_reserve(Status status) {
  {
    std::lock_guard lock(mutex_);
    reserve_failure_ = std::move(status);
  }
  space_.wake_all();
}

void ScriptedChannel::hold_stores(bool hold) {
  std::lock_guard lock(mutex_);
  hold_ = hold;
}

void ScriptedChannel::fail_store(Status status) {
  std::lock_guard lock(mutex_);
  store_failure_ = std::move(status);
}

bool ScriptedChannel::complete_store(Status status) {
  std::optional<ReceiptPromise> promise;
  {
    std::lock_guard lock(mutex_);
    if (pending_.empty()) return false;
    promise.emplace(std::move(pending_.front()));
    pending_.pop_front();
  }
  promise->complete(std::move(status));
  return true;
}

std::vector<std::string> ScriptedChannel::published() const {
  std::lock_guard lock(mutex_);
  return published_;
}

std::size_t ScriptedChannel::pending() const {
  std::lock_guard lock(mutex_);
  return pending_.size();
}

std::size_t ScriptedChannel::reserved() const {
  std::lock_guard lock(mutex_);
  return reserved_;
}

std::size_t ScriptedChannel::revoked() const {
  std::lock_guard lock(mutex_);
  return revoked_;
}

std::size_t ScriptedChannel::attempts() const {
  std::lock_guard lock(mutex_);
  return attempts_;
}

std::int64_t ScriptedChannel::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(published_.size());
}

Result<std::unique_ptr<Put>> ScriptedChannel::reserve(const Batch& batch) {
  {
    std::lock_guard lock(mutex_);
    ++attempts_;
    if (!reserve_failure_.ok()) return reserve_failure_;
    if (static_cast<std::int64_t>(batch.size()) > capacity_) return Status(Code::poison, "larger than the channel");
    if (batch.bytes() > most_bytes) return Status(Code::poison, "more bytes than the channel");
    if (full_) return Status(Code::full, "");
  }
  return std::unique_ptr<Put>(std::make_unique<ScriptedPut>(*this));
}

}  // namespace standpipe::testing

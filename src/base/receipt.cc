#include "standpipe/receipt.h"

#include <condition_variable>
#include <mutex>

#include "base/check.h"

namespace standpipe {

struct Receipt::State {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::optional<Status> result;
  Callback callback;

  ~State() {
    if (result.has_value()) result->ignore();  // dropping a receipt is legal
  }

  void complete(Status status) {
    Callback run;
    {
      std::lock_guard lock(mutex);
      CHECK(!result.has_value());
      result = std::move(status);
      run = std::move(callback);
    }
    changed.notify_all();  // after the lock: who is woken would only wait for it
    if (run) run(*result);
  }
};

Receipt Receipt::completed(Status status) {
  if (status.ok()) return Receipt(nullptr);
  auto state = std::make_shared<State>();
  state->result = std::move(status);
  return Receipt(std::move(state));
}

bool Receipt::ready() const {
  if (state_ == nullptr) return true;
  std::lock_guard lock(state_->mutex);
  return state_->result.has_value();
}

Status Receipt::wait(std::stop_token stop) {
  if (state_ == nullptr) return {};
  std::unique_lock lock(state_->mutex);
  const bool complete = state_->changed.wait(lock, stop, [&] { return state_->result.has_value(); });
  if (!complete) return {Code::stopped, "stopped while waiting for a receipt"};
  return *state_->result;
}

void Receipt::then(Executor& executor, Callback callback) && {
  if (state_ == nullptr) {
    executor.post([callback = std::move(callback)] { callback(Status()); });
    return;
  }
  std::move(*this).then_inline([&executor, state = state_, callback = std::move(callback)](const Status&) {
    executor.post([state, callback] { callback(*state->result); });
  });
}

void Receipt::then_inline(Callback callback) && {
  if (state_ == nullptr) {
    callback(Status());
    return;
  }
  const std::shared_ptr<State> state = std::move(state_);
  {
    std::lock_guard lock(state->mutex);
    if (!state->result.has_value()) {
      state->callback = std::move(callback);
      return;
    }
  }
  callback(*state->result);
}

ReceiptPromise::ReceiptPromise() : state_(std::make_shared<Receipt::State>()) {}

ReceiptPromise& ReceiptPromise::operator=(ReceiptPromise&& other) noexcept {
  if (this != &other) {
    if (state_ != nullptr) state_->complete({Code::stopped, "the hand-over was abandoned"});
    state_ = std::move(other.state_);
  }
  return *this;
}

ReceiptPromise::~ReceiptPromise() {
  if (state_ != nullptr) state_->complete({Code::stopped, "the hand-over was abandoned"});
}

Receipt ReceiptPromise::receipt() { return Receipt(state_); }

void ReceiptPromise::complete(Status status) {
  const std::shared_ptr<Receipt::State> state = std::move(state_);
  CHECK(state != nullptr);
  state->complete(std::move(status));
}

}  // namespace standpipe

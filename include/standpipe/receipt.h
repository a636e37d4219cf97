#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "standpipe/status.h"

namespace standpipe {

/// Where completions run: a network loop, a runner's own queue. post() is thread-safe and never runs `task` inline.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::function<void()> task) = 0;
};

/// The promise of a hand-over: completes once, ok when every required channel has stored the batch as durably as it
/// promises, or with the failure. Only then may a source acknowledge its client, advance its position or commit its
/// offset. Several may be outstanding; order of completion is the order of delivery per source.
/// Move-only; dropping it is legal and changes nothing about the hand-over. One thread uses it at a time.
class [[nodiscard]] Receipt {
 public:
  using Callback = std::function<void(const Status&)>;

  /// One that is complete from the start; costs no allocation when `status` is ok.
  static Receipt completed(Status status = {});

  Receipt(Receipt&&) noexcept = default;
  Receipt& operator=(Receipt&&) noexcept = default;

  bool ready() const;
  /// Blocks until complete; Code::stopped when `stop` was requested first (the hand-over itself goes on).
  Status wait(std::stop_token stop = {});
  /// Runs `callback` once, on `executor`; also when already complete. Call at most once, and not beside wait().
  /// `executor` must outlive the completion.
  void then(Executor& executor, Callback callback) &&;
  /// Runs `callback` on whichever thread completes, or at once: for the engine, whose callback never blocks.
  void then_inline(Callback callback) &&;

 private:
  friend class ReceiptPromise;
  struct State;
  explicit Receipt(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;  // null: completed and ok
};

/// The writing end. complete() may be called from any thread, once; a promise dropped before that completes its receipt
/// with Code::stopped.
class ReceiptPromise {
 public:
  ReceiptPromise();
  ReceiptPromise(ReceiptPromise&&) noexcept = default;
  ReceiptPromise& operator=(ReceiptPromise&&) noexcept;
  ~ReceiptPromise();

  /// Call once.
  Receipt receipt();
  void complete(Status status);

 private:
  std::shared_ptr<Receipt::State> state_;
};

}  // namespace standpipe

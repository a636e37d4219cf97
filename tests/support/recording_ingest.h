#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "standpipe/source.h"

namespace standpipe::testing {

/// The engine's side of a source under test: keeps what was delivered and answers as the test says. Thread-safe.
class RecordingIngest final : public Ingest {
 public:
  Receipt deliver(Batch batch) override;

  /// From now on every delivery fails like that; an ok status: they are accepted again.
  void answer_with(Status status);
  /// From now on a batch that holds an event with this body is poison.
  void refuse(std::string body);
  /// From now on receipts stay open, until release() completes those that are open with `status`.
  void hold();
  void release(Status status = {});

  /// Bodies of the accepted batches (held ones count when released with ok), in order.
  std::vector<std::string> bodies() const;
  std::vector<Headers> headers() const;
  std::vector<std::size_t> batch_sizes() const;
  std::size_t deliveries() const;  ///< refused ones too

  /// Waits until as many events were accepted; false after kPatience.
  bool wait_for_events(std::size_t count) const;
  bool wait_for_deliveries(std::size_t count) const;

 private:
  struct Held {
    Batch batch;
    ReceiptPromise promise;
  };
  void accept(const Batch& batch);
  bool wait(const std::function<bool()>& ready) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Code code_ = Code::ok;
  std::string message_;
  std::optional<std::string> refused_;
  bool holding_ = false;
  std::deque<Held> held_;
  std::vector<std::string> bodies_;
  std::vector<Headers> headers_;
  std::vector<std::size_t> batch_sizes_;
  std::size_t deliveries_ = 0;
};

}  // namespace standpipe::testing

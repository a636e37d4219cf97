#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "base/log.h"
#include "core/ingest.h"
#include "standpipe/batch.h"
#include "standpipe/channel.h"

namespace standpipe {

/// What waits for one optional channel of one source: never longer nor more than its limits, then it is dropped,
/// counted and logged once a minute. Nobody waits for it. All calls come from one thread at a time.
class OptionalQueue {
 public:
  using Post = std::function<void(std::function<void()> task)>;

  OptionalQueue(NamedChannel channel, Environment& environment, OptionalLimits limits);

  /// `post` runs a task, later, where these calls come from; kept for as long as stores are under way.
  void offer(BatchPtr batch, const Post& post);
  /// Goes on as far as there is room; drops what waited too long.
  void advance(const Post& post);
  /// When the oldest that waits for room is dropped; empty when nothing does.
  std::optional<Clock::Steady> deadline() const;
  void drop_all();

 private:
  struct Item {
    BatchPtr batch;
    std::size_t bytes;
    Clock::Steady deadline;
    std::unique_ptr<Put> put;
    std::optional<Status> result;
  };

  bool store(const std::shared_ptr<Item>& item, const Post& post);
  void publish_stored();
  void drop(const Item& item, std::string_view why);

  NamedChannel channel_;
  Environment& environment_;
  OptionalLimits limits_;
  Counter& dropped_;
  LogLimiter log_limit_{60'000};
  std::deque<std::shared_ptr<Item>> storing_;  // oldest first
  std::deque<std::shared_ptr<Item>> waiting_;
  std::size_t bytes_ = 0;  // of all that wait
};

}  // namespace standpipe

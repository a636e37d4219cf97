#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>

namespace standpipe::file_channel {

/// When events were stored, about: a mark a second, and fewer when there are many. Thread-safe; costs a put the look at
/// an atomic.
class AgeMarks {
 public:
  /// Event `number` and those behind it were stored at `now_ms` or later.
  void note(std::uint64_t number, std::int64_t now_ms);
  /// When the event was stored at the earliest; forgets what is older. 0: not known.
  std::int64_t stored_at(std::uint64_t number);

 private:
  struct Mark {
    std::uint64_t number;
    std::int64_t time_ms;
  };
  void thin_out();

  std::atomic<std::int64_t> next_mark_ms_{0};
  std::mutex mutex_;
  std::deque<Mark> marks_;  // both ascend
};

}  // namespace standpipe::file_channel

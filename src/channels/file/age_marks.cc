#include "channels/file/age_marks.h"

#include <algorithm>

namespace standpipe::file_channel {

namespace {
constexpr std::int64_t kEveryMs = 1000;
constexpr std::size_t kMost = 1024;
}  // namespace

void AgeMarks::note(std::uint64_t number, std::int64_t now_ms) {
  if (now_ms < next_mark_ms_.load(std::memory_order_relaxed)) return;
  std::lock_guard lock(mutex_);
  next_mark_ms_.store(now_ms + kEveryMs, std::memory_order_relaxed);
  // Two threads may come in the other order, and the clock may have been set back.
  if (!marks_.empty() && (number <= marks_.back().number || now_ms < marks_.back().time_ms)) return;
  marks_.push_back({number, now_ms});
  if (marks_.size() > kMost) thin_out();
}

void AgeMarks::thin_out() {
  std::deque<Mark> half;
  for (std::size_t i = 0; i < marks_.size(); i += 2) half.push_back(marks_[i]);
  marks_.swap(half);
}

std::int64_t AgeMarks::stored_at(std::uint64_t number) {
  std::lock_guard lock(mutex_);
  while (marks_.size() > 1 && marks_[1].number <= number) marks_.pop_front();
  return marks_.empty() ? 0 : marks_.front().time_ms;
}

}  // namespace standpipe::file_channel

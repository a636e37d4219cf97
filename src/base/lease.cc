#include "standpipe/lease.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/failpoint.h"

namespace standpipe {

/// Which positions are settled, and the way to the channel. The mutex orders the holder's settling and a revocation.
struct Lease::Fence::State {
  std::mutex mutex;
  std::unique_ptr<LeaseBackend> backend;
  std::vector<bool> settled;  // empty until the first partial settlement
  std::size_t size = 0;
  std::size_t unsettled = 0;
  std::vector<bool> known;  // once revoked: positions settled before that, or refused since
  std::size_t refused = 0;
  bool revoked = false;

  bool is_settled(std::size_t index) const { return !settled.empty() && settled[index]; }

  /// Calls `settle(first, last)` for each unsettled run in [first, last).
  template <typename Settle>
  Status for_runs(std::size_t first, std::size_t last, Settle settle) {
    while (first < last) {
      if (is_settled(first)) {
        ++first;
        continue;
      }
      std::size_t end = first;
      while (end < last && !is_settled(end)) ++end;
      TRY(settle(first, end));
      mark(first, end);
      first = end;
    }
    return {};
  }

  void mark(std::size_t first, std::size_t last) {
    unsettled -= last - first;
    if (unsettled == 0 && settled.empty() && first == 0 && last == size) {
      settled.assign(size, true);
      return;
    }
    if (settled.empty()) settled.assign(size, false);
    std::fill(settled.begin() + static_cast<std::ptrdiff_t>(first), settled.begin() + static_cast<std::ptrdiff_t>(last),
              true);
  }

  void refuse(std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      if (!known[i]) ++refused;
      known[i] = true;
    }
  }

  std::size_t give_back(std::size_t first, std::size_t last) {
    const std::size_t before = unsettled;
    for_runs(first, last, [&](std::size_t from, std::size_t to) {
      backend->give_back(from, to);
      return Status();
    }).ignore();  // giving back can't fail
    return before - unsettled;
  }
};

std::size_t Lease::Fence::revoke() {
  if (state_ == nullptr) return 0;
  std::lock_guard lock(state_->mutex);
  if (state_->revoked) return 0;
  state_->revoked = true;
  state_->known = state_->settled;
  state_->known.resize(state_->size, false);
  return state_->give_back(0, state_->size);
}

bool Lease::Fence::settled() const {
  if (state_ == nullptr) return true;
  std::lock_guard lock(state_->mutex);
  return state_->unsettled == 0;
}

std::size_t Lease::Fence::refused() const {
  if (state_ == nullptr) return 0;
  std::lock_guard lock(state_->mutex);
  return state_->refused;
}

Lease::Lease(std::vector<BatchSpan> spans, std::unique_ptr<LeaseBackend> backend) : spans_(std::move(spans)) {
  for (const BatchSpan& span : spans_) size_ += span.count;
  state_ = std::make_shared<Fence::State>();
  state_->backend = std::move(backend);
  state_->size = size_;
  state_->unsettled = size_;
}

Lease::Lease(Lease&& other) noexcept
    : spans_(std::move(other.spans_)), size_(std::exchange(other.size_, 0)), state_(std::move(other.state_)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    give_back();
    spans_ = std::move(other.spans_);
    size_ = std::exchange(other.size_, 0);
    cursor_ = cursor_start_ = 0;
    state_ = std::move(other.state_);
  }
  return *this;
}

Lease::~Lease() { give_back(); }

EventRef Lease::operator[](std::size_t index) const {
  if (index < cursor_start_) cursor_ = cursor_start_ = 0;
  while (index >= cursor_start_ + spans_[cursor_].count) cursor_start_ += spans_[cursor_++].count;
  const BatchSpan& span = spans_[cursor_];
  return (*span.batch)[span.first + (index - cursor_start_)];
}

Status Lease::commit(std::size_t first, std::size_t last) {
  if (state_ == nullptr) return {};
  CHECK(first <= last && last <= size_);
  std::lock_guard lock(state_->mutex);
  if (state_->revoked && !FAILPOINT("lease.ignore_fence")) {
    state_->refuse(first, last);
    return {Code::fenced, "the lease was taken away"};
  }
  return state_->for_runs(first, last,
                          [&](std::size_t from, std::size_t to) { return state_->backend->commit(from, to); });
}

void Lease::give_back(std::size_t first, std::size_t last) {
  if (state_ == nullptr) return;
  CHECK(first <= last && last <= state_->size);
  std::lock_guard lock(state_->mutex);
  state_->give_back(first, last);
}

std::size_t Lease::unsettled() const {
  if (state_ == nullptr) return 0;
  std::lock_guard lock(state_->mutex);
  return state_->unsettled;
}

}  // namespace standpipe

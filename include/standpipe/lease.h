#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "standpipe/batch.h"
#include "standpipe/status.h"

namespace standpipe {

/// A run of events of one batch.
struct BatchSpan {
  BatchPtr batch;
  std::size_t first;
  std::size_t count;
};

/// What a channel implements behind a lease. Ranges are half-open positions in the lease; the Lease above it sees to it
/// that no position is settled twice. Calls come from one thread at a time.
class LeaseBackend {
 public:
  virtual ~LeaseBackend() = default;
  /// The events leave the channel for good.
  virtual Status commit(std::size_t first, std::size_t last) = 0;
  /// The events are takeable again, in their old order before everything younger.
  virtual void give_back(std::size_t first, std::size_t last) = 0;
};

/// Events taken from a channel, not yet gone from it. The holder commits or gives back any sub-range; whatever is
/// unsettled when the lease is dropped goes back. Several may be open at once.
/// Move-only. Reading and settling belong to the holder's thread; revoke() (through a Fence) may come from any thread.
class Lease {
 public:
  /// Takes a lease away from a holder that hangs: all that is unsettled goes back to the channel, and the holder's
  /// later commits are refused with Code::fenced. Any thread, any time, also after the lease has ended.
  class Fence {
   public:
    /// How many events went back.
    std::size_t revoke();

   private:
    friend class Lease;
    struct State;
    explicit Fence(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  Lease() = default;  ///< empty
  Lease(std::vector<BatchSpan> spans, std::unique_ptr<LeaseBackend> backend);
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// The events stay readable until the lease is dropped, settled or not.
  EventRef operator[](std::size_t index) const;
  const std::vector<BatchSpan>& spans() const { return spans_; }

  /// Commits [first, last): ok, Code::fenced when the lease was revoked, or the channel's failure (then the events stay
  /// in the channel and may come again). Positions settled before are skipped.
  Status commit(std::size_t first, std::size_t last);
  Status commit() { return commit(0, size_); }
  void give_back(std::size_t first, std::size_t last);
  void give_back() { give_back(0, size_); }
  /// Positions neither committed nor given back.
  std::size_t unsettled() const;

  Fence fence() const { return Fence(state_); }

 private:
  std::vector<BatchSpan> spans_;
  std::size_t size_ = 0;
  mutable std::size_t cursor_ = 0;  // span of the last lookup and the position it starts at: reading is sequential
  mutable std::size_t cursor_start_ = 0;
  std::shared_ptr<Fence::State> state_;
};

}  // namespace standpipe

#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/ingest.h"
#include "standpipe/environment.h"
#include "standpipe/sink.h"

namespace standpipe {

/// A sink's tap on its channel. Knows which leases are open, so that they can be taken from a sink that failed; caps a
/// take at the channel's transactionCapacity (one warning says so). Belongs to the runner's thread.
class ChannelOutlet final : public Outlet {
 public:
  /// `environment` is the sink's, and outlives it.
  ChannelOutlet(NamedChannel channel, Environment& environment);

  Result<Lease> take(std::size_t max_events) override;
  void wake() override {
    if (waker_ != nullptr) waker_->wake();
  }
  /// Who runs the sink's turns; before the first one.
  void set_waker(Waker& waker) { waker_ = &waker; }

  /// Gives all open leases back to the channel; what the sink acknowledges of them later is refused, and counted as
  /// duplicates (EventDuplicateCount). Returns how many events went back.
  std::size_t revoke_all();
  /// While paused, takes find nothing: a standby settles what it has open.
  void pause(bool paused) { paused_ = paused; }
  bool has_open_leases();

  const NamedChannel& channel() const { return channel_; }

 private:
  void forget_settled();
  void count_refused();

  NamedChannel channel_;
  Environment& environment_;
  Waker* waker_ = nullptr;
  Counter& duplicates_;
  Counter& read_fail_;
  static constexpr std::size_t kLookAtAll = 128;
  std::deque<Lease::Fence> open_;         // and some that are settled, behind one that is not
  std::size_t look_at_all_ = kLookAtAll;  // when there are so many
  struct Revoked {
    Lease::Fence fence;
    std::size_t counted;
  };
  std::vector<Revoked> revoked_;
  bool paused_ = false;
  bool warned_ = false;
};

}  // namespace standpipe

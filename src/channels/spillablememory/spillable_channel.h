#pragma once

#include <memory>

#include "core/wakers.h"
#include "standpipe/channel.h"
#include "standpipe/component.h"

namespace standpipe {

/// The spillable channel over these two, which outlive it: its table is its own options and those of `overflow`. One
/// pair a process.
const ChannelFactory& spillable_channel(const ChannelFactory& memory, const ChannelFactory& overflow);

/// Memory while the sinks keep up, disk while they don't ("store on failure"). A batch goes to the memory channel; when
/// that has no room it goes, whole, to the overflow channel, and so do all that follow until enough memory is free
/// again. Events leave in the order in which they came, whichever channel holds them. While sinks keep up the disk is
/// neither written nor read.
///
/// What stands in memory when the process dies is lost. A stop moves it to the overflow channel: it is delivered after
/// the next start, behind what the disk held already.
///
/// All calls are thread-safe. No event is copied here. Leases may outlive the channel object.
class SpillableChannel final : public Channel {
 public:
  struct Options {
    std::int64_t transaction_capacity;
    std::int64_t least_free;  ///< events of room in memory at which spilling ends
    std::chrono::milliseconds keep_alive;
  };
  /// Either part may be null, not both.
  SpillableChannel(const Options& options, std::unique_ptr<Channel> memory, std::unique_ptr<Channel> overflow,
                   Environment& environment);
  ~SpillableChannel() override;

  Status start() override;
  void stop() override;
  Result<std::unique_ptr<Put>> reserve(const Batch& batch) override;
  Result<Lease> take(std::size_t max_events) override;
  void add_space_waker(Waker& waker) override;
  void remove_space_waker(Waker& waker) override;
  void add_event_waker(Waker& waker) override;
  void remove_event_waker(Waker& waker) override;
  std::int64_t size() const override;
  std::int64_t capacity() const override;
  std::int64_t transaction_capacity() const override;
  std::chrono::milliseconds keep_alive() const override;
  bool is_volatile() const override;
  /// What the disk did not take at the stop.
  std::int64_t lost_at_end() const override;
  std::string kept_in() const override;
  Status trouble() const override;
  Status reconfigure(const Settings& settings) override;

 private:
  class State;
  class Move;
  class SpillPut;
  class SpillLease;
  std::shared_ptr<State> state_;
  Environment& environment_;
};

}  // namespace standpipe

#pragma once

#include <memory>

#include "core/wakers.h"
#include "standpipe/channel.h"
#include "standpipe/component.h"

namespace standpipe {

extern const ChannelFactory kMemoryChannel;

/// A queue in memory. "Stored" means in this process's memory: what is inside when the process ends is lost, so it is
/// drained first (is_volatile).
///
/// Holds spans of batches, not events: a put, a take and a commit cost one short lock each, whatever the batch size,
/// and no body is copied. Bounded by events (`capacity`) and by the bytes of bodies and headers (`byteCapacity`); the
/// memory that bodies pin is charged to the process budget by the slabs themselves, not here again.
///
/// With `onFull = drop` a put that finds no room succeeds and its events are gone, counted: no producer ever waits.
///
/// All calls are thread-safe. Leases may outlive the channel object. Contents survive stop() and start().
class MemoryChannel final : public Channel {
 public:
  MemoryChannel(const Settings& settings, Environment& environment);
  ~MemoryChannel() override;

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
  std::uint64_t byte_capacity() const override;
  std::chrono::milliseconds keep_alive() const override;
  bool is_volatile() const override { return true; }
  /// Sizes change in place; what is inside stays, also above a smaller capacity, until it is taken.
  Status reconfigure(const Settings& settings) override;

 private:
  class Queue;
  class MemoryPut;
  class MemoryLease;
  class DroppingPut;
  std::shared_ptr<Queue> queue_;
  Environment& environment_;
  Counter& dropped_;
};

}  // namespace standpipe

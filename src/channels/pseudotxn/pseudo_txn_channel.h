#pragma once

#include <memory>

#include "standpipe/channel.h"
#include "standpipe/component.h"

namespace standpipe {

extern const ChannelFactory kPseudoTxnChannel;

/// A bounded queue in memory without transactions, as Flume has one for tests: what is taken is gone at once, so that a
/// sink that fails loses its events. commit() and give_back() of its leases do nothing. Everything else is as in the
/// memory channel. All calls are thread-safe.
class PseudoTxnChannel final : public Channel {
 public:
  PseudoTxnChannel(const Settings& settings, Environment& environment);
  ~PseudoTxnChannel() override;

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
  std::int64_t transaction_capacity() const override { return capacity(); }
  std::chrono::milliseconds keep_alive() const override;
  bool is_volatile() const override { return true; }
  Status reconfigure(const Settings& settings) override;

 private:
  class Queue;
  class QueuePut;
  std::shared_ptr<Queue> queue_;
  Environment& environment_;
};

}  // namespace standpipe

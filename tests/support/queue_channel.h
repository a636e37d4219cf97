#pragma once

#include <atomic>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <string>

#include "core/wakers.h"
#include "standpipe/channel.h"

namespace standpipe::testing {

/// The simplest channel that keeps the contract: one event an entry, ordered by number. For tests of what stands above
/// channels; a channel's own tests use that channel. Thread-safe; leases must not outlive it.
class QueueChannel : public Channel {
 public:
  std::int64_t take_limit = 1'000'000;                                   ///< transaction_capacity()
  std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max();  ///< byte_capacity()
  std::atomic<bool> disk_full{false};                                    ///< trouble()
  bool loses_on_stop = true;                                             ///< is_volatile()

  Status start() override;
  void stop() override;
  Result<std::unique_ptr<Put>> reserve(const Batch& batch) override;
  Result<Lease> take(std::size_t max_events) override;
  void add_space_waker(Waker& waker) override { space_.add(waker); }
  void remove_space_waker(Waker& waker) override { space_.remove(waker); }
  void add_event_waker(Waker& waker) override { events_.add(waker); }
  void remove_event_waker(Waker& waker) override { events_.remove(waker); }
  std::int64_t size() const override;
  std::int64_t capacity() const override { return 1'000'000; }
  std::int64_t transaction_capacity() const override { return take_limit; }
  std::uint64_t byte_capacity() const override { return most_bytes; }
  std::chrono::milliseconds keep_alive() const override { return std::chrono::seconds(3); }
  bool is_volatile() const override { return loses_on_stop; }
  Status trouble() const override { return disk_full ? Status(Code::full, "the disk is full") : Status(); }
  Status reconfigure(const Settings&) override { return {}; }

  /// The next starts fail; ok: no more.
  void fail_start(Status status);

 private:
  class QueuePut;
  class QueueLease;
  struct Entry {
    BatchPtr batch;
    std::size_t index;
  };

  mutable std::mutex mutex_;
  Status start_failure_;
  std::map<std::uint64_t, Entry> ready_;
  std::uint64_t next_ = 0;
  std::int64_t size_ = 0;
  WakerList space_;
  WakerList events_;
};

}  // namespace standpipe::testing

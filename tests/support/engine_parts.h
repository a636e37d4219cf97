#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/ingest.h"
#include "core/wakers.h"
#include "standpipe/channel.h"
#include "standpipe/sink.h"

namespace standpipe::testing {

/// Looks again until `ready` holds or kPatience has passed; returns ready().
bool eventually(const std::function<bool()>& ready);

/// Events "first", "first+1", … as decimal texts.
Batch numbered(std::size_t first, std::size_t count);
BatchPtr numbered_ptr(std::size_t first, std::size_t count);
/// Bodies of a lease, in order.
std::vector<std::string> bodies(const Lease& lease);
std::vector<std::string> numbers(std::size_t first, std::size_t count);

/// reserve, store, publish; the first failure.
Status put(Channel& channel, const BatchPtr& batch);
/// Takes and commits everything.
std::vector<std::string> drain(Channel& channel);

/// A channel whose every step a test decides: it refuses to reserve, completes its stores when told to, fails them.
/// Thread-safe. Takes whole batches.
class ScriptedChannel final : public Channel {
 public:
  explicit ScriptedChannel(std::int64_t capacity = 1'000'000) : capacity_(capacity) {}

  // -- what the test decides
  bool can_reserve = true;                                               ///< what reserves() says
  std::chrono::milliseconds wait_for{3000};                              ///< what keep_alive() says
  std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max();  ///< what byte_capacity() says
  void set_full(bool full);                                              ///< emptying wakes
  void fail_reserve(Status status);                                      ///< ok: no more
  void hold_stores(bool hold);                                           ///< stores stay pending until complete_store()
  void fail_store(Status status);           ///< the next stores that complete at once fail; ok: no more
  bool complete_store(Status status = {});  ///< the oldest pending one; false: there is none

  // -- what the test asks
  std::vector<std::string> published() const;  ///< bodies, in order of publication
  std::size_t pending() const;
  std::size_t reserved() const;  ///< puts alive and not published
  std::size_t revoked() const;   ///< events stored and taken back
  std::size_t attempts() const;  ///< calls of reserve()

  Status start() override { return {}; }
  void stop() override {}
  Result<std::unique_ptr<Put>> reserve(const Batch& batch) override;
  bool reserves() const override { return can_reserve; }
  Result<Lease> take(std::size_t) override { return Lease(); }
  void add_space_waker(Waker& waker) override { space_.add(waker); }
  void remove_space_waker(Waker& waker) override { space_.remove(waker); }
  void add_event_waker(Waker& waker) override { events_.add(waker); }
  void remove_event_waker(Waker& waker) override { events_.remove(waker); }
  std::int64_t size() const override;
  std::int64_t capacity() const override { return capacity_; }
  std::int64_t transaction_capacity() const override { return capacity_; }
  std::chrono::milliseconds keep_alive() const override { return wait_for; }
  std::uint64_t byte_capacity() const override { return most_bytes; }
  Status reconfigure(const Settings&) override { return {}; }

 private:
  class ScriptedPut;
  const std::int64_t capacity_;
  WakerList space_;
  WakerList events_;
  mutable std::mutex mutex_;
  bool full_ = false;
  bool hold_ = false;
  Status reserve_failure_;
  Status store_failure_;
  std::deque<ReceiptPromise> pending_;
  std::vector<std::string> published_;
  std::size_t reserved_ = 0;
  std::size_t revoked_ = 0;
  std::size_t attempts_ = 0;
};

}  // namespace standpipe::testing

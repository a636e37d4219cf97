#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "standpipe/batch.h"
#include "standpipe/environment.h"
#include "standpipe/lease.h"
#include "standpipe/receipt.h"
#include "standpipe/settings.h"
#include "standpipe/status.h"

namespace standpipe {

/// Somebody who waits for a channel: woken after a change, never under the channel's lock. wake() is thread-safe, cheap
/// when nobody waits, must not block and must not call back into the channel.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void wake() = 0;
};

/// One put of one batch into one channel, in the engine's three steps: reserved (by Channel::reserve), stored,
/// published. Dropping it before publish() gives everything back: reserved room, and what was stored is revoked.
class Put {
 public:
  virtual ~Put() = default;
  /// Stores the batch: the receipt completes when it is as durable as this channel promises. Not yet takeable. Once.
  virtual Receipt store(BatchPtr batch) = 0;
  /// Makes the stored batch takeable, in the order of the store() calls of one source. Can't fail. Once, after the
  /// receipt of store() completed ok.
  virtual void publish() = 0;
};

/// A queue of events between sources and sinks. All calls are thread-safe and never block, except start() and stop().
/// Order is first in, first out; what a lease gives back comes again before everything younger.
class Channel {
 public:
  virtual ~Channel() = default;

  virtual Status start() = 0;
  /// Legal in any state, also twice. After it puts are refused with Code::stopped; open leases stay readable.
  virtual void stop() = 0;

  /// Room for `batch`: Code::full when there is none now (wait for a space waker, then try again), Code::poison when it
  /// could never fit, Code::stopped, or an I/O failure. A batch larger than transactionCapacity is taken whole, up to
  /// the capacity.
  virtual Result<std::unique_ptr<Put>> reserve(const Batch& batch) = 0;
  /// False for a channel that can't reserve (Kafka): it is stored first, before the others.
  virtual bool reserves() const { return true; }

  /// Up to `max_events` of the oldest events; an empty lease when there are none now.
  virtual Result<Lease> take(std::size_t max_events) = 0;

  // Wakers stay until removed; remove_… returns when no call to wake() is under way any more.
  virtual void add_space_waker(Waker& waker) = 0;
  virtual void remove_space_waker(Waker& waker) = 0;
  virtual void add_event_waker(Waker& waker) = 0;
  virtual void remove_event_waker(Waker& waker) = 0;

  /// Events stored and not yet committed, leased ones included.
  virtual std::int64_t size() const = 0;
  virtual std::int64_t capacity() const = 0;
  virtual std::int64_t transaction_capacity() const = 0;
  /// The most that Batch::bytes() of all events inside may come to. One event above it is poison.
  virtual std::uint64_t byte_capacity() const { return std::numeric_limits<std::uint64_t>::max(); }
  /// How long a put may wait for room before it fails as on a full channel.
  virtual std::chrono::milliseconds keep_alive() const = 0;
  /// True where stop() loses what is still inside: such a channel is drained first.
  virtual bool is_volatile() const { return false; }

  /// After stop(), or while one hangs: the events inside that end with the process.
  virtual std::int64_t lost_at_end() const { return is_volatile() ? size() : 0; }
  /// Where what is inside outlives the channel, as a message names it: "checkpointDir = /a, dataDirs = /b". Empty:
  /// nowhere.
  virtual std::string kept_in() const { return {}; }

  /// Why it takes no events now, or can't keep them as it promises, although it runs: a full or broken disk. Ok: it is
  /// well. /healthz shows it.
  virtual Status trouble() const { return {}; }

  /// Takes over new settings while running (capacities resize in place). Code::invalid: it must be made anew.
  virtual Status reconfigure(const Settings& settings) = 0;
};

}  // namespace standpipe

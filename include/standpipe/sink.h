#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>

#include "standpipe/drain_counters.h"
#include "standpipe/environment.h"
#include "standpipe/lease.h"
#include "standpipe/settings.h"
#include "standpipe/status.h"

namespace standpipe {

/// Where a sink takes its events from: its channel, through the engine, which remembers open leases so that a failed
/// sink's events can be given to another. Belongs to the sink's runner thread.
class Outlet {
 public:
  virtual ~Outlet() = default;
  /// Up to `max_events` events, at most the channel's transactionCapacity; an empty lease when there are none now.
  virtual Result<Lease> take(std::size_t max_events) = 0;
  /// Has the sink's next turn come now: what it waits for elsewhere (an answer) is there. Unlike take(), from any
  /// thread, from the first turn until the sink's stop() has returned.
  virtual void wake() {}
};

/// What one turn of a sink came to.
struct Turn {
  bool worked = false;  ///< there may be more: call again at once
  /// When idle: call again by then even if no event arrives (a roll or an idle close is due). Steady-clock time of the
  /// environment's clock. Empty: only events wake it.
  std::optional<std::chrono::steady_clock::time_point> wake_by = std::nullopt;
  /// Idle, and not because all is well: its destination has been asked and has not answered yet. A sink that failed
  /// before still counts as failing.
  bool undecided = false;
};

/// Takes events out. All calls come from one runner thread (a sink group calls its members from one thread too).
class Sink {
 public:
  virtual ~Sink() = default;

  virtual Status start() = 0;
  /// One turn: take a lease, write it, settle it; or settle what earlier turns left open. May keep several leases open
  /// between turns. A failure makes the runner back off (1 s more each time, up to 5 s) and a group fail over; before
  /// it is returned, every lease that can't be completed was given back or is dropped. Returns soon after `stop` was
  /// requested.
  virtual Result<Turn> process(Outlet& outlet, std::stop_token stop) = 0;
  /// Why some events wait although turns succeed (a stream that can't be written, poison): /healthz shows it. Null:
  /// none do. Asked after each turn that succeeded; valid until the next.
  virtual const Status* held_up() const { return nullptr; }
  /// Completes or gives back what is open and releases everything. Legal in any state, also twice; may be followed by
  /// start().
  virtual void stop() = 0;
};

/// Where events end that their destination refuses for good (Code::poison), when the user wants them out of the way
/// (`onPoison = quarantine`). A sink finds it in its Environment; null there: such events stay and block. Thread-safe.
class Quarantine {
 public:
  virtual ~Quarantine() = default;
  /// Keeps `event` with its headers and the reason, durably: only after ok may the event be committed.
  virtual Status put(const EventRef& event, const Status& reason) = 0;
};

/// A sink that writes one lease at a time: most sinks. take, commit and give back live here; the sink writes.
class BatchSink : public Sink {
 public:
  /// `batch_size` events a lease.
  BatchSink(Environment& environment, std::size_t batch_size);

  Status start() override { return {}; }
  void stop() override {}
  Result<Turn> process(Outlet& outlet, std::stop_token stop) final;

 protected:
  /// Writes all events of the lease so that they are acknowledged by the destination, and returns ok; the lease is then
  /// committed. Any failure gives the whole lease back. Code::poison (nothing of the lease was written, and some of its
  /// events never can be) has it bisected down to the events at fault: they go to the quarantine, or stay and are tried
  /// alone, with the runner's back-off, until they pass. `lease` may be a part of what was taken; don't settle it.
  virtual Status write(const Lease& lease, std::stop_token stop) = 0;

  Environment& environment() { return environment_; }

 private:
  Environment& environment_;
  std::size_t batch_size_;
  struct Bisection;
  Status write_range(Lease& lease, std::size_t first, std::size_t last, std::stop_token stop, Bisection& found);
  Status settle(Lease& lease, std::size_t first, std::size_t last);
  Status blame(Lease& lease, std::size_t index, const Status& reason, Bisection& found);
  void warn_of_poison(const Status& reason);

  std::size_t blocked_ = 0;  // refused events at the head of the channel: tried alone, nothing passes them
  std::int64_t next_warning_ms_ = 0;
  DrainCounters drain_;
  Counter& poison_;
  Counter& quarantined_;
};

}  // namespace standpipe

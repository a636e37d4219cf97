#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "standpipe/environment.h"
#include "standpipe/lease.h"
#include "standpipe/status.h"

namespace standpipe {

/// For a sink with many destination streams (buckets, partitions): what could not be written to one stream waits here,
/// in its lease, with a back-off of its own, and holds back later events of that stream only; the others go on.
/// A bounded allowance: when it is used up the sink takes nothing more (has_room() is false).
///
///   auto lease = std::make_shared<Lease>(…take…);
///   for (each stream's positions in the lease)
///     if (parked.is_parked(stream)) parked.hold(stream, lease, ranges);          // behind what waits there: order
///     else if (Status status = write(…); !status.ok()) parked.fail(stream, lease, ranges, status);
///     else lease->commit(…);
///   parked.retry_due(write_again);                                               // each turn, before taking more
///   turn.wake_by = parked.next_due();
///
/// Belongs to the sink's runner thread. Dropping it gives everything back to the channel.
class ParkedStreams {
 public:
  struct Range {
    std::size_t first;
    std::size_t last;
  };
  struct Limits {
    std::size_t events = 100'000;
    std::size_t bytes = 32u << 20;
    std::chrono::milliseconds first_delay{1000};
    std::chrono::milliseconds max_delay{60'000};
  };
  using SharedLease = std::shared_ptr<Lease>;
  /// Writes [range.first, range.last) of the lease to the stream, acknowledged.
  using Write = std::function<Status(std::string_view stream, const Lease& lease, Range range)>;

  explicit ParkedStreams(Clock& clock);
  ParkedStreams(Clock& clock, Limits limits);

  bool is_parked(std::string_view stream) const { return streams_.find(stream) != streams_.end(); }
  /// Ascending ranges that wait behind what is parked already.
  void hold(std::string_view stream, const SharedLease& lease, const std::vector<Range>& ranges);
  /// Ascending ranges that failed: the stream's back-off begins.
  void fail(std::string_view stream, const SharedLease& lease, const std::vector<Range>& ranges, const Status& why);

  /// Tries every stream whose time has come, oldest first, and commits what was written; a stream that fails again
  /// waits twice as long. Returns how many events were committed.
  std::size_t retry_due(const Write& write);
  /// When the next stream is due; empty when none waits.
  std::optional<Clock::Steady> next_due() const;

  bool has_room() const { return events_ < limits_.events && bytes_ < limits_.bytes; }
  std::size_t events() const { return events_; }
  std::size_t streams() const { return streams_.size(); }
  /// The last failure of a stream, for a message; ok when it is not parked.
  Status why(std::string_view stream) const;
  /// Why the first of the streams waits; null: none does.
  const Status* why_first() const { return streams_.empty() ? nullptr : &streams_.begin()->second.why; }

  /// Gives one stream's events back to the channel, or all.
  void give_back(std::string_view stream);
  void give_back_all();

 private:
  struct Item {
    SharedLease lease;
    Range range;
    std::size_t bytes;
  };
  struct Stream {
    std::deque<Item> items;
    Clock::Steady due;
    std::chrono::milliseconds delay;
    Status why;
  };
  using Streams = std::map<std::string, Stream, std::less<>>;

  void append(Stream& stream, const SharedLease& lease, const std::vector<Range>& ranges);
  std::size_t retry(const std::string& name, Stream& stream, const Write& write);
  void back_off(Stream& stream, Status why);
  void forget(const Item& item);

  Clock& clock_;
  Limits limits_;
  Streams streams_;
  std::size_t events_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace standpipe

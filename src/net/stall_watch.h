#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "base/clock.h"
#include "standpipe/status.h"

namespace standpipe {

/// Tells peers that keep a session waiting from those that are merely silent: between requests a peer may say nothing
/// for ever. Kept by a session, which says what came; looked at now and then. One thread.
class StallWatch {
 public:
  /// A request that is half-way grows at least so fast, measured over the whole patience.
  static constexpr std::size_t kSlowest = 1024;  // bytes a second

  /// The session at the moment.
  struct View {
    bool agreed;            ///< Connection::agreed()
    bool half_way;          ///< a part of a request is there
    bool reads;             ///< it would take more of it now
    bool waits_for_memory;  ///< it would, but there is none
    std::size_t unsent;     ///< Connection::unsent()
  };
  struct Patience {
    Clock::Steady now;
    std::chrono::milliseconds limit;
    /// Some session finds no memory: requests must be complete within the limit.
    bool memory_is_short;
  };

  explicit StallWatch(Clock::Steady opened)
      : opened_(opened), request_began_(opened), counted_from_(opened), unsent_changed_(opened) {}

  /// `begins`: what is half-way now has begun with these bytes.
  void received(std::size_t bytes, bool begins, Clock::Steady now);
  /// Ok, or why the peer is to be left: Code::timeout, Code::full.
  Status look(const View& view, const Patience& patience);

 private:
  Status look_at_request(const View& view, const Patience& patience);
  void count_from(Clock::Steady now) { counted_from_ = now, counted_ = 0; }

  const Clock::Steady opened_;
  Clock::Steady request_began_;
  Clock::Steady counted_from_;
  std::size_t counted_ = 0;  // bytes since then
  Clock::Steady unsent_changed_;
  std::size_t unsent_ = 0;
  std::optional<Clock::Steady> short_since_;
};

}  // namespace standpipe

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "base/check.h"

namespace standpipe {

/// How far a source has got with one stream (a file) of which several hand-overs are outstanding: the position moves
/// only over the contiguous prefix of those that are stored, whatever the order in which receipts complete. A hand-over
/// that failed is remembered until it was done again; those behind it need not be repeated. `Mark` is a position: an
/// offset, or more. Not thread-safe: the source's runner owns it.
template <typename Mark>
class DeliveryProgress {
 public:
  using Ticket = std::uint64_t;
  struct Range {
    Ticket ticket;
    Mark begin;
    Mark end;
  };

  explicit DeliveryProgress(Mark start = {}) : committed_(std::move(start)) {}

  /// [begin, end) is about to be handed over; begin is where the last one ended.
  Ticket add(Mark begin, Mark end) {
    entries_.push_back({std::move(begin), std::move(end), State::in_flight});
    return first_ + entries_.size() - 1;
  }

  /// The receipt of `ticket` came. Returns whether the committed position moved.
  bool complete(Ticket ticket, bool stored) {
    Entry& entry = at(ticket);
    CHECK(entry.state == State::in_flight);
    entry.state = stored ? State::stored : State::failed;
    if (!stored) ++failed_;
    bool moved = false;
    for (; !entries_.empty() && entries_.front().state == State::stored; ++first_, moved = true) {
      committed_ = std::move(entries_.front().end);
      entries_.pop_front();
    }
    return moved;
  }

  /// The oldest range that failed; it counts as in flight again under the same ticket.
  std::optional<Range> retry() {
    if (failed_ == 0) return std::nullopt;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      Entry& entry = entries_[i];
      if (entry.state != State::failed) continue;
      entry.state = State::in_flight;
      --failed_;
      return Range{first_ + i, entry.begin, entry.end};
    }
    return std::nullopt;
  }

  const Mark& committed() const { return committed_; }
  bool has_failed() const { return failed_ > 0; }
  /// Everything handed over is stored.
  bool idle() const { return entries_.empty(); }

 private:
  enum class State : unsigned char { in_flight, stored, failed };
  struct Entry {
    Mark begin;
    Mark end;
    State state;
  };
  Entry& at(Ticket ticket) {
    CHECK(ticket >= first_ && ticket - first_ < entries_.size());
    return entries_[ticket - first_];
  }

  Mark committed_;
  Ticket first_ = 0;
  std::size_t failed_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace standpipe

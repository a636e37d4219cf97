#pragma once

#include <cstddef>
#include <cstdint>

#include "standpipe/counters.h"

namespace standpipe {

/// What every sink counts about the events that it takes. Thread-safe.
class DrainCounters {
 public:
  explicit DrainCounters(CounterGroup& group);

  /// A batch has `events` events where `wanted` were the most: it is empty, too small or complete.
  void batch(std::size_t events, std::size_t wanted) {
    (events == 0 ? empty_ : events < wanted ? underflow_ : complete_).add();
  }
  void attempted(std::size_t events) { attempt_.add(static_cast<std::int64_t>(events)); }
  /// Acknowledged, and out of the channel.
  void succeeded(std::size_t events) { success_.add(static_cast<std::int64_t>(events)); }
  void write_failed() { write_fail_.add(); }

 private:
  Counter& empty_;
  Counter& underflow_;
  Counter& complete_;
  Counter& attempt_;
  Counter& success_;
  Counter& write_fail_;
};

}  // namespace standpipe

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace standpipe::crash {

inline std::int64_t steady_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

/// When an agent process ran, told by itself in memory that it shares with the driver: the heartbeat of a thread that
/// wants to run every millisecond and looks at the source's thread. A gap means that the machine did not let one of
/// them run; SIGKILL simply ends the beats.
struct AgentLife {
  static constexpr std::int64_t kGapUs = 25'000;
  static constexpr std::size_t kMaxGaps = 4096;
  struct Gap {
    std::int64_t from;
    std::int64_t to;
  };
  std::atomic<std::int64_t> started_us{0};  // 0: start() has not returned yet
  std::atomic<std::int64_t> last_us{0};
  std::atomic<std::size_t> gap_count{0};
  Gap gaps[kMaxGaps];

  void beat() {
    const std::int64_t now = steady_us();
    const std::int64_t before = last_us.load();
    if (before != 0) held_up(before, now);
    last_us.store(now);
  }

  /// Short ones don't count.
  void held_up(std::int64_t from, std::int64_t to) {
    if (to - from <= kGapUs || gap_count.load() == kMaxGaps) return;
    gaps[gap_count.load()] = {from, to};
    gap_count.fetch_add(1);
  }
};

}  // namespace standpipe::crash

#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace standpipe::file_channel {

/// Event numbers [first, end).
struct Range {
  std::uint64_t first;
  std::uint64_t end;
  std::uint64_t size() const { return end - first; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// A set of event numbers, kept as ranges that neither overlap nor touch. Costs what there are ranges, not numbers:
/// a queue that is worked off in order has one. Not thread-safe.
class IntervalSet {
 public:
  /// Adds a range; what is there already stays. Returns how many numbers are new.
  std::uint64_t add(Range range);
  void remove(Range range);

  bool contains(std::uint64_t number) const { return end_of(number) != number; }
  bool covers(Range range) const { return range.first >= range.end || end_of(range.first) >= range.end; }
  /// The end of the range that `number` is in; `number` itself when it is in none.
  std::uint64_t end_of(std::uint64_t number) const;
  /// The first number of the set at or after `number`; UINT64_MAX: there is none.
  std::uint64_t next_at(std::uint64_t number) const;

  /// How many numbers it holds.
  std::uint64_t count() const { return count_; }
  /// Behind the highest number; 0 when it is empty.
  std::uint64_t end() const { return ranges_.empty() ? 0 : ranges_.rbegin()->second; }
  std::vector<Range> ranges() const;

 private:
  using Map = std::map<std::uint64_t, std::uint64_t>;
  /// The range that holds `number`, or end().
  Map::const_iterator holding(std::uint64_t number) const;

  Map ranges_;  // first -> end
  std::uint64_t count_ = 0;
};

}  // namespace standpipe::file_channel

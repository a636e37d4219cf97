#include "channels/file/interval_set.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace standpipe::file_channel {

std::uint64_t IntervalSet::add(Range range) {
  if (range.first >= range.end) return 0;
  // The last range that begins at or before it: mostly the one that just grows.
  auto at = ranges_.upper_bound(range.first);
  std::uint64_t known = 0;
  if (at != ranges_.begin() && std::prev(at)->second >= range.first) {
    --at;
    if (at->second >= range.end) return 0;
    known = at->second - range.first;
  } else {
    at = ranges_.emplace_hint(at, range.first, range.first);
  }
  auto after = std::next(at);
  std::uint64_t end = range.end;
  while (after != ranges_.end() && after->first <= range.end) {
    known += std::min(after->second, range.end) - after->first;
    end = std::max(end, after->second);
    after = ranges_.erase(after);
  }
  at->second = end;
  const std::uint64_t added = range.size() - known;
  count_ += added;
  return added;
}

void IntervalSet::remove(Range range) {
  if (range.first >= range.end) return;
  auto at = ranges_.upper_bound(range.first);
  if (at != ranges_.begin()) --at;
  while (at != ranges_.end() && at->first < range.end) {
    const Range found{at->first, at->second};
    if (found.end <= range.first) {
      ++at;
      continue;
    }
    const Range cut{std::max(found.first, range.first), std::min(found.end, range.end)};
    count_ -= cut.size();
    if (found.first < cut.first) {
      at->second = cut.first;
      ++at;
    } else {
      at = ranges_.erase(at);
    }
    if (cut.end < found.end) at = std::next(ranges_.emplace_hint(at, cut.end, found.end));
  }
}

IntervalSet::Map::const_iterator IntervalSet::holding(std::uint64_t number) const {
  auto at = ranges_.upper_bound(number);
  if (at == ranges_.begin()) return ranges_.end();
  --at;
  return at->second > number ? at : ranges_.end();
}

std::uint64_t IntervalSet::end_of(std::uint64_t number) const {
  const auto at = holding(number);
  return at == ranges_.end() ? number : at->second;
}

std::uint64_t IntervalSet::next_at(std::uint64_t number) const {
  if (contains(number)) return number;
  const auto at = ranges_.lower_bound(number);
  return at == ranges_.end() ? std::numeric_limits<std::uint64_t>::max() : at->first;
}

std::vector<Range> IntervalSet::ranges() const {
  std::vector<Range> all;
  all.reserve(ranges_.size());
  for (const auto& [first, end] : ranges_) all.push_back({first, end});
  return all;
}

}  // namespace standpipe::file_channel

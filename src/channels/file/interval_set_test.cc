#include "channels/file/interval_set.h"

#include <cstddef>
#include <limits>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe::file_channel {
namespace {

using ::testing::ElementsAre;

TEST(IntervalSet, RangesThatTouchBecomeOne) {
  IntervalSet set;
  EXPECT_EQ(set.add({10, 20}), 10u);
  EXPECT_EQ(set.add({30, 40}), 10u);
  EXPECT_EQ(set.add({20, 30}), 10u);
  EXPECT_THAT(set.ranges(), ElementsAre(Range{10, 40}));
  EXPECT_EQ(set.add({5, 50}), 15u);
  EXPECT_EQ(set.count(), 45u);
}

TEST(IntervalSet, RemovingFromTheMiddleLeavesTwo) {
  IntervalSet set;
  set.add({0, 10});
  set.remove({3, 5});
  EXPECT_THAT(set.ranges(), ElementsAre(Range{0, 3}, Range{5, 10}));
  EXPECT_EQ(set.next_at(3), 5u);
  EXPECT_EQ(set.end_of(5), 10u);
  EXPECT_EQ(set.end_of(3), 3u);
  EXPECT_EQ(set.next_at(10), std::numeric_limits<std::uint64_t>::max());
}

/// Random operations against a plain set of numbers.
TEST(IntervalSet, BehavesAsASetOfNumbers) {
  constexpr std::uint64_t kNumbers = 60;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    IntervalSet set;
    std::set<std::uint64_t> model;
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t first = random() % kNumbers;
      const Range range{first, first + random() % 12};
      if (random() % 3 != 0) {
        const std::size_t before = model.size();
        for (std::uint64_t n = range.first; n < range.end; ++n) model.insert(n);
        ASSERT_EQ(set.add(range), model.size() - before) << "seed " << seed;
      } else {
        for (std::uint64_t n = range.first; n < range.end; ++n) model.erase(n);
        set.remove(range);
      }
      ASSERT_EQ(set.count(), model.size()) << "seed " << seed;
      std::uint64_t last_end = 0;
      for (const Range& found : set.ranges()) {
        ASSERT_LT(found.first, found.end);
        ASSERT_TRUE(last_end == 0 || found.first > last_end) << "ranges touch, seed " << seed;
        last_end = found.end;
      }
      for (std::uint64_t n = 0; n < kNumbers + 12; ++n)
        ASSERT_EQ(set.contains(n), model.contains(n)) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace standpipe::file_channel

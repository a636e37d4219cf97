#include "net/stall_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class StallWatchTest : public ::testing::Test {
 protected:
  Status look() { return watch.look(view, {now, seconds(60), memory_is_short}); }
  /// Looks every ten seconds, and receives in between; the seconds until it is left, or `most`.
  int seconds_until_left(int most, std::size_t bytes_a_second) {
    for (int at = 0; at < most; ++at) {
      now += seconds(1);
      if (bytes_a_second > 0) watch.received(bytes_a_second, false, now);
      if (at % 10 == 9 && !look().ok()) return at + 1;
    }
    return most;
  }

  Clock::Steady now = Clock::Steady() + seconds(1000);
  StallWatch watch{now};
  StallWatch::View view{.agreed = true, .half_way = false, .reads = true, .waits_for_memory = false, .unsent = 0};
  bool memory_is_short = false;
};

TEST_F(StallWatchTest, BetweenRequestsAPeerMayBeSilentForEver) { EXPECT_EQ(seconds_until_left(100'000, 0), 100'000); }

TEST_F(StallWatchTest, ARequestThatStandsStillOrTricklesIsGivenUp) {
  view.half_way = true;
  for (const std::size_t slow : {0, 1, 1023}) {
    watch.received(10, true, now);
    EXPECT_EQ(seconds_until_left(1000, slow), 60) << slow;
  }
  watch.received(10, true, now);
  EXPECT_EQ(seconds_until_left(100'000, 1024), 100'000) << "slow, but it gets there";
}

TEST_F(StallWatchTest, OnlyTheTimeThatItIsReadCounts) {
  view.half_way = true;
  watch.received(10, true, now);
  now += seconds(50);
  view.reads = false;
  EXPECT_TRUE(look().ok());
  now += seconds(500);
  EXPECT_TRUE(look().ok());
  view.reads = true;
  now += seconds(59);
  EXPECT_TRUE(look().ok());
  now += seconds(1);
  EXPECT_EQ(look().code(), Code::timeout);
}

TEST_F(StallWatchTest, WhereMemoryIsShortARequestMustBeDoneInTime) {
  view.half_way = true;
  watch.received(10, true, now);
  EXPECT_EQ(seconds_until_left(600, 1 << 20), 600);
  memory_is_short = true;
  EXPECT_THAT(look().message(), HasSubstr("memory is short"));
  watch.received(10, true, now);
  EXPECT_EQ(seconds_until_left(600, 1 << 20), 60);
}

TEST_F(StallWatchTest, WaitsForMemorySoLong) {
  view.waits_for_memory = true;
  view.reads = false;
  EXPECT_TRUE(look().ok());
  now += seconds(59);
  EXPECT_TRUE(look().ok());
  view.waits_for_memory = false;
  EXPECT_TRUE(look().ok());
  view.waits_for_memory = true;
  now += seconds(1);
  EXPECT_TRUE(look().ok()) << "in between there was some";
  now += seconds(60);
  EXPECT_EQ(look().code(), Code::full);
}

TEST_F(StallWatchTest, TlsMustBeAgreedUponInTime) {
  view.agreed = false;
  now += milliseconds(59'999);
  EXPECT_TRUE(look().ok());
  now += milliseconds(1);
  EXPECT_THAT(look().message(), HasSubstr("TLS was not agreed upon within 60000 ms"));
  view.agreed = true;
  EXPECT_TRUE(look().ok());
}

TEST_F(StallWatchTest, AnswersMustBeTaken) {
  view.unsent = 70'000;
  EXPECT_TRUE(look().ok());
  now += seconds(59);
  view.unsent = 69'999;
  EXPECT_TRUE(look().ok()) << "it takes them";
  now += seconds(60);
  EXPECT_THAT(look().message(), HasSubstr("none of its answers"));
  view.unsent = 0;
  EXPECT_TRUE(look().ok());
}

}  // namespace
}  // namespace standpipe

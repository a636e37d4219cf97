#include "core/parked_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_parts.h"
#include "support/queue_channel.h"

namespace standpipe {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::numbered_ptr;
using testing::QueueChannel;

class ParkedStreamsTest : public ::testing::Test {
 protected:
  ParkedStreams::SharedLease lease(std::size_t first, std::size_t count) {
    EXPECT_TRUE(testing::put(channel_, numbered_ptr(first, count)).ok());
    return std::make_shared<Lease>(channel_.take(count).value());
  }

  ParkedStreams::Write write() {
    return [this](std::string_view stream, const Lease& from, ParkedStreams::Range range) {
      ++tries_;
      if (stream == failing_) return Status(Code::unavailable, "down");
      for (std::size_t i = range.first; i < range.last; ++i) {
        written_.push_back(std::string(stream) + ":" + std::string(from[i].body));
      }
      return Status();
    };
  }

  QueueChannel channel_;
  VirtualClock clock_;
  std::string failing_;
  std::vector<std::string> written_;
  int tries_ = 0;
};

TEST_F(ParkedStreamsTest, RetriesAStreamInOrderAndCommits) {
  ParkedStreams parked(clock_);
  {
    auto first = lease(0, 6);
    parked.fail("a", first, {{0, 2}, {4, 5}}, {Code::unavailable, "down"});
    EXPECT_TRUE(first->commit(2, 4).ok());
    EXPECT_TRUE(first->commit(5, 6).ok());
    EXPECT_TRUE(parked.is_parked("a"));
    EXPECT_FALSE(parked.is_parked("b"));
    parked.hold("a", lease(6, 2), {{0, 2}});
  }
  EXPECT_EQ(parked.events(), 5u);
  EXPECT_EQ(parked.retry_due(write()), 0u) << "not yet";
  EXPECT_EQ(parked.next_due(), clock_.steady_now() + milliseconds(1000));
  clock_.advance(milliseconds(1000));
  EXPECT_EQ(parked.retry_due(write()), 5u);
  EXPECT_THAT(written_, ElementsAre("a:0", "a:1", "a:4", "a:6", "a:7"));
  EXPECT_FALSE(parked.is_parked("a"));
  EXPECT_EQ(channel_.size(), 0);
  EXPECT_FALSE(parked.next_due().has_value());
}

TEST_F(ParkedStreamsTest, AStreamThatFailsAgainWaitsLongerAndDelaysNoOther) {
  ParkedStreams parked(clock_, {.max_delay = milliseconds(3000)});
  parked.fail("a", lease(0, 1), {{0, 1}}, {Code::unavailable, "down"});
  parked.fail("b", lease(1, 1), {{0, 1}}, {Code::unavailable, "down"});
  failing_ = "a";
  clock_.advance(milliseconds(1000));
  EXPECT_EQ(parked.retry_due(write()), 1u);
  EXPECT_THAT(written_, ElementsAre("b:1"));
  EXPECT_EQ(parked.why("a").code(), Code::unavailable);
  for (const int delay : {2000, 3000, 3000}) {
    EXPECT_EQ(parked.next_due(), clock_.steady_now() + milliseconds(delay));
    clock_.advance(milliseconds(delay));
    EXPECT_EQ(parked.retry_due(write()), 0u);
  }
  failing_.clear();
  clock_.advance(milliseconds(3000));
  EXPECT_EQ(parked.retry_due(write()), 1u);
}

TEST_F(ParkedStreamsTest, TheAllowanceIsBounded) {
  ParkedStreams by_events(clock_, {.events = 3});
  by_events.fail("a", lease(0, 2), {{0, 2}}, {Code::io, "x"});
  EXPECT_TRUE(by_events.has_room());
  by_events.fail("b", lease(2, 2), {{0, 2}}, {Code::io, "x"});
  EXPECT_FALSE(by_events.has_room());
  ParkedStreams by_bytes(clock_, {.bytes = 2});
  by_bytes.fail("a", lease(4, 2), {{0, 2}}, {Code::io, "x"});
  EXPECT_FALSE(by_bytes.has_room());
  by_bytes.give_back_all();
  EXPECT_TRUE(by_bytes.has_room());
}

TEST_F(ParkedStreamsTest, WhatIsGivenBackOrDroppedIsInTheChannelAgain) {
  {
    ParkedStreams parked(clock_);
    parked.fail("a", lease(0, 2), {{0, 2}}, {Code::io, "x"});
    parked.fail("b", lease(2, 2), {{0, 2}}, {Code::io, "x"});
    parked.give_back("a");
    EXPECT_EQ(parked.events(), 2u);
    EXPECT_EQ(testing::bodies(channel_.take(10).value()), testing::numbers(0, 2));
  }
  EXPECT_EQ(testing::drain(channel_), testing::numbers(0, 4));
}

}  // namespace
}  // namespace standpipe

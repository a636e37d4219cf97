#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/wakers.h"
#include "standpipe/channel.h"
#include "support/engine_parts.h"
#include "support/patience.h"
#include "support/test_environment.h"

namespace standpipe::testing {

/// A channel as the suite needs it: made and started with room for `capacity` events, in an environment of its own.
struct ChannelUnderTest {
  std::function<std::unique_ptr<Channel>(std::int64_t capacity, Environment& environment)> make;
  /// False where what is taken is gone at once.
  bool transactional = true;
};

/// What every channel must do. A channel's test file instantiates it:
///
///   INSTANTIATE_TEST_SUITE_P(Memory, ChannelContract, ::testing::Values(ChannelUnderTest{make_memory}));
class ChannelContract : public ::testing::TestWithParam<ChannelUnderTest> {
 protected:
  static constexpr std::int64_t kCapacity = 100;

  ChannelContract() : channel_(GetParam().make(kCapacity, world_.environment)) {
    const Status started = channel_->start();
    EXPECT_TRUE(started.ok()) << started.to_string();
  }

  Lease take(std::size_t events) { return channel_->take(events).value(); }
  bool transactional() const { return GetParam().transactional; }

  TestEnvironment world_{"c1"};
  std::unique_ptr<Channel> channel_;
};

TEST_P(ChannelContract, GivesEventsInTheOrderTheyWerePut) {
  for (std::size_t i = 0; i < 90; i += 30) ASSERT_TRUE(put(*channel_, numbered_ptr(i, 30)).ok());
  EXPECT_EQ(channel_->size(), 90);
  EXPECT_EQ(drain(*channel_), numbers(0, 90));
  EXPECT_EQ(channel_->size(), 0);
}

TEST_P(ChannelContract, KeepsBodiesAndHeaders) {
  auto batch = std::make_shared<Batch>();
  const auto block = batch->add_headers({{"host", "h1"}, {"k", ""}});
  batch->add_copy(std::string("\0\n\xff", 3), block);
  batch->add_copy("");
  ASSERT_TRUE(put(*channel_, batch).ok());
  Lease lease = take(10);
  ASSERT_EQ(lease.size(), 2u);
  EXPECT_EQ(lease[0].body, std::string_view("\0\n\xff", 3));
  EXPECT_EQ(lease[0].headers->get("host"), "h1");
  EXPECT_EQ(lease[0].headers->get("k"), "");
  EXPECT_TRUE(lease[1].headers->empty());
  EXPECT_TRUE(lease.commit().ok());
}

TEST_P(ChannelContract, AnEmptyChannelGivesAnEmptyLease) {
  Lease lease = take(10);
  EXPECT_TRUE(lease.empty());
  EXPECT_TRUE(lease.commit().ok());
}

TEST_P(ChannelContract, WhatIsStoredButNotPublishedCantBeTaken) {
  const BatchPtr batch = numbered_ptr(0, 5);
  auto handed = channel_->reserve(*batch);
  ASSERT_TRUE(handed.ok());
  ASSERT_TRUE((*handed)->store(batch).wait().ok());
  EXPECT_TRUE(take(10).empty());
  (*handed)->publish();
  EXPECT_EQ(bodies(take(10)), numbers(0, 5));
}

TEST_P(ChannelContract, APutThatIsDroppedLeavesNothing) {
  const BatchPtr batch = numbered_ptr(0, kCapacity);
  {
    auto reserved = channel_->reserve(*batch);
    ASSERT_TRUE(reserved.ok());
  }
  {
    auto stored = channel_->reserve(*batch);
    ASSERT_TRUE(stored.ok()) << "the reservation was not given back";
    ASSERT_TRUE((*stored)->store(batch).wait().ok());
  }
  EXPECT_EQ(channel_->size(), 0);
  EXPECT_TRUE(take(10).empty());
  EXPECT_TRUE(put(*channel_, batch).ok()) << "what was stored was not taken back";
}

TEST_P(ChannelContract, RefusesWhatHasNoRoomAndTakesItLater) {
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, kCapacity)).ok());
  EXPECT_EQ(put(*channel_, numbered_ptr(100, 1)).code(), Code::full);
  {
    Lease lease = take(10);
    const Code expected = transactional() ? Code::full : Code::ok;  // leased events are inside
    EXPECT_EQ(put(*channel_, numbered_ptr(100, 1)).code(), expected);
    ASSERT_TRUE(lease.commit().ok());
  }
  const std::size_t next = transactional() ? 100 : 101;
  EXPECT_TRUE(put(*channel_, numbered_ptr(next, 110 - next)).ok());
  EXPECT_EQ(put(*channel_, numbered_ptr(110, 1)).code(), Code::full);
  EXPECT_EQ(drain(*channel_), numbers(10, 100));
}

TEST_P(ChannelContract, ABatchAboveTheCapacityIsPoisonAndOneOfItsSizeIsNot) {
  EXPECT_EQ(put(*channel_, numbered_ptr(0, kCapacity + 1)).code(), Code::poison);
  EXPECT_TRUE(put(*channel_, numbered_ptr(0, kCapacity)).ok());
}

TEST_P(ChannelContract, CommitsAPartAndGivesBackTheRestInOrder) {
  if (!transactional()) GTEST_SKIP() << "this channel has no transactions";
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 10)).ok());
  {
    Lease lease = take(10);
    ASSERT_TRUE(lease.commit(2, 5).ok());
    EXPECT_EQ(channel_->size(), 7);
  }
  const std::vector<std::string> left = {"0", "1", "5", "6", "7", "8", "9"};
  EXPECT_EQ(drain(*channel_), left);
}

TEST_P(ChannelContract, WhatIsGivenBackComesBeforeEverythingYounger) {
  if (!transactional()) GTEST_SKIP() << "this channel has no transactions";
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 20)).ok());
  Lease first = take(5);
  Lease second = take(5);
  ASSERT_TRUE(put(*channel_, numbered_ptr(20, 5)).ok());
  second.give_back();
  first.give_back(1, 3);
  EXPECT_EQ(bodies(take(3)), (std::vector<std::string>{"1", "2", "5"}));
  first.give_back();
  EXPECT_EQ(drain(*channel_), numbers(0, 25));
}

TEST_P(ChannelContract, SeveralLeasesShareNoEvent) {
  if (!transactional()) GTEST_SKIP() << "this channel has no transactions";
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 30)).ok());
  Lease a = take(10);
  Lease b = take(10);
  Lease c = take(10);
  EXPECT_EQ(bodies(b), numbers(10, 10));
  ASSERT_TRUE(c.commit().ok());
  ASSERT_TRUE(a.commit().ok());
  EXPECT_EQ(channel_->size(), 10);
  ASSERT_TRUE(b.commit().ok());
  EXPECT_EQ(channel_->size(), 0);
}

TEST_P(ChannelContract, ARevokedLeaseIsRefusedAndItsEventsGoToAnother) {
  if (!transactional()) GTEST_SKIP() << "this channel has no transactions";
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 10)).ok());
  Lease slow = take(10);
  auto fence = slow.fence();
  ASSERT_TRUE(slow.commit(0, 2).ok());
  EXPECT_EQ(fence.revoke(), 8u);
  Lease standby = take(10);
  EXPECT_EQ(bodies(standby), numbers(2, 8));
  EXPECT_EQ(slow.commit().code(), Code::fenced);
  EXPECT_EQ(slow[9].body, "9") << "still readable";
  ASSERT_TRUE(standby.commit().ok());
  EXPECT_EQ(channel_->size(), 0);
}

TEST_P(ChannelContract, WakesWhoWaitsForEventsAndForRoom) {
  SystemClock clock;
  Signal events;
  Signal space;
  channel_->add_event_waker(events);
  channel_->add_space_waker(space);
  const auto soon = [&] { return clock.steady_now() + kPatience; };

  events.arm();
  std::jthread putter([&] { EXPECT_TRUE(put(*channel_, numbered_ptr(0, kCapacity)).ok()); });
  EXPECT_TRUE(events.wait(clock, {}, soon()));
  putter.join();
  Lease lease = take(kCapacity);
  ASSERT_FALSE(lease.empty());

  space.arm();
  std::jthread committer([&] { EXPECT_TRUE(lease.commit().ok()); });
  EXPECT_TRUE(!transactional() || space.wait(clock, {}, soon()));
  committer.join();
  EXPECT_TRUE(put(*channel_, numbered_ptr(0, 1)).ok());
  channel_->remove_event_waker(events);
  channel_->remove_space_waker(space);
  EXPECT_TRUE(put(*channel_, numbered_ptr(1, 1)).ok()) << "a removed waker is not called";
}

TEST_P(ChannelContract, WakesForWhatIsGivenBack) {
  if (!transactional()) GTEST_SKIP() << "this channel has no transactions";
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 1)).ok());
  SystemClock clock;
  Signal events;
  channel_->add_event_waker(events);
  Lease lease = take(1);
  events.arm();
  std::jthread other([&] { lease.give_back(); });
  EXPECT_TRUE(events.wait(clock, {}, clock.steady_now() + kPatience));
  EXPECT_EQ(bodies(take(1)), numbers(0, 1));
  channel_->remove_event_waker(events);
}

TEST_P(ChannelContract, AfterStopPutsAreRefusedAndOpenLeasesStayReadable) {
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 10)).ok());
  Lease lease = take(5);
  channel_->stop();
  channel_->stop();
  EXPECT_EQ(put(*channel_, numbered_ptr(10, 1)).code(), Code::stopped);
  EXPECT_EQ(bodies(lease), numbers(0, 5));
  lease.give_back();
}

TEST_P(ChannelContract, StopBeforeStartIsLegal) {
  TestEnvironment world("c2");
  auto fresh = GetParam().make(kCapacity, world.environment);
  fresh->stop();
  ASSERT_TRUE(fresh->start().ok());
  EXPECT_TRUE(put(*fresh, numbered_ptr(0, 1)).ok());
}

TEST_P(ChannelContract, ALeaseMayOutliveTheChannel) {
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 3)).ok());
  Lease lease = take(3);
  auto fence = lease.fence();
  channel_->stop();
  channel_.reset();
  EXPECT_EQ(bodies(lease), numbers(0, 3));
  lease.give_back();
  fence.revoke();
}

TEST_P(ChannelContract, CountsAndShowsItsSize) {
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 25)).ok());
  Lease lease = take(10);
  ASSERT_TRUE(lease.commit().ok());
  EXPECT_EQ(world_.count(counter_names::kPutAttempt), 25);
  EXPECT_EQ(world_.count(counter_names::kPutSuccess), 25);
  EXPECT_EQ(world_.count(counter_names::kTakeAttempt), 10);
  EXPECT_EQ(world_.count(counter_names::kTakeSuccess), 10);
  std::map<std::string, double> gauges;
  for (const auto& value : world_.counters.read()) {
    if (value.is_gauge) gauges[value.name] = value.number;
  }
  EXPECT_EQ(gauges[std::string(counter_names::kChannelSize)], 15.0);
  EXPECT_EQ(gauges[std::string(counter_names::kChannelCapacity)], 100.0);
  EXPECT_EQ(gauges[std::string(counter_names::kChannelFill)], 15.0);
}

/// Several producers and consumers at once; a consumer commits some, gives some back, loses some leases to a fence.
/// Every event must arrive exactly once, and each producer's in order (checked per consumer lease).
TEST_P(ChannelContract, LosesAndRepeatsNothingUnderConcurrency) {
  constexpr std::size_t kProducers = 3;
  constexpr std::size_t kEvents = 3000;
  std::mutex mutex;
  std::map<std::string, int> seen;
  std::atomic<std::size_t> committed{0};
  std::vector<std::jthread> threads;
  for (std::size_t p = 0; p < kProducers; ++p) {
    threads.emplace_back([&, p] {
      for (std::size_t next = 0; next < kEvents;) {
        const std::size_t count = std::min<std::size_t>(1 + next % 40, kEvents - next);
        if (put(*channel_, numbered_ptr(p * kEvents + next, count)).ok())
          next += count;
        else
          std::this_thread::yield();
      }
    });
  }
  for (std::size_t c = 0; c < 2; ++c) {
    threads.emplace_back([&, c] {
      std::size_t turn = c;
      while (committed.load() < kProducers * kEvents) {
        Lease lease = take(1 + turn++ % 30);
        if (lease.empty()) {
          std::this_thread::yield();
          continue;
        }
        // pseudotxn: what is not committed is lost, so all is
        const bool all = !transactional() || turn % 3 != 0;
        const std::size_t end = all ? lease.size() : lease.size() / 2;
        const std::vector<std::string> texts = bodies(lease);
        ASSERT_TRUE(lease.commit(0, end).ok());
        if (turn % 2 == 0) lease.fence().revoke();
        std::lock_guard lock(mutex);
        for (std::size_t i = 0; i < end; ++i) ++seen[texts[i]];
        committed += end;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(channel_->size(), 0);
  ASSERT_EQ(seen.size(), kProducers * kEvents);
  for (const auto& [body, times] : seen) ASSERT_EQ(times, 1) << body;
}

}  // namespace standpipe::testing

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/sink_runner.h"
#include "support/engine_parts.h"
#include "support/queue_channel.h"
#include "support/test_environment.h"

namespace standpipe::testing {

/// One sink with its destination, made anew for each test. Its thread-safe hooks are all the suite knows about it.
class SinkSubject {
 public:
  virtual ~SinkSubject() = default;
  /// The sink, for `environment`; called again for a restart.
  virtual std::unique_ptr<Sink> make(Environment& environment) = 0;
  /// Bodies that the destination has acknowledged, in its order.
  virtual std::vector<std::string> delivered() = 0;
  /// Makes the destination refuse (temporarily) or accept; false: this destination can't fail.
  virtual bool set_failing(bool) { return false; }
};

struct SinkUnderTest {
  std::function<std::unique_ptr<SinkSubject>()> make;
  bool ordered = true;  ///< the destination keeps the order
};

/// What every sink must do; instantiated by the sink's test file as the channel suite is.
class SinkContract : public ::testing::TestWithParam<SinkUnderTest> {
 protected:
  std::unique_ptr<SinkRunner> runner() {
    return SinkRunner::for_sink("k1", subject_->make(world_.environment), {"c1", channel_}, world_.environment, {},
                                {.start_retry = std::chrono::milliseconds(5),
                                 .backoff_step = std::chrono::milliseconds(1),
                                 .max_backoff = std::chrono::milliseconds(5)});
  }
  void fill(std::size_t first, std::size_t count) { ASSERT_TRUE(put(*channel_, numbered_ptr(first, count)).ok()); }
  bool drained() {
    return eventually([&] { return channel_->size() == 0; });
  }

  /// Every body at least once; how many came more than once.
  void expect_nothing_lost(std::size_t events) {
    std::map<std::string, int> times;
    for (const std::string& body : subject_->delivered()) ++times[body];
    std::size_t repeated = 0;
    for (const std::string& body : numbers(0, events)) {
      EXPECT_GE(times[body], 1) << body << " is lost";
      if (times[body] > 1) ++repeated;
    }
    RecordProperty("duplicates", static_cast<int>(repeated));
  }

  TestEnvironment world_{"k1"};
  std::shared_ptr<QueueChannel> channel_ = std::make_shared<QueueChannel>();
  std::unique_ptr<SinkSubject> subject_ = GetParam().make();
};

TEST_P(SinkContract, DeliversEverything) {
  auto sink = runner();
  sink->start();
  for (std::size_t i = 0; i < 1000; i += 50) fill(i, 50);
  EXPECT_TRUE(drained());
  EXPECT_TRUE(sink->stop());
  std::vector<std::string> delivered = subject_->delivered();
  std::vector<std::string> expected = numbers(0, 1000);
  if (GetParam().ordered)
    EXPECT_EQ(delivered, expected);
  else
    EXPECT_THAT(delivered, ::testing::UnorderedElementsAreArray(expected));
}

TEST_P(SinkContract, AnEventThatLeftTheChannelWasAcknowledged) {
  auto sink = runner();
  sink->start();
  for (std::size_t i = 0; i < 20; ++i) {
    fill(i, 1);
    ASSERT_TRUE(drained());
    ASSERT_THAT(subject_->delivered(), ::testing::Contains(std::to_string(i)));
  }
  EXPECT_TRUE(sink->stop());
}

TEST_P(SinkContract, LosesNothingWhileTheDestinationFails) {
  if (!subject_->set_failing(false)) GTEST_SKIP() << "this destination can't fail";
  auto sink = runner();
  sink->start();
  for (std::size_t round = 0; round < 10; ++round) {
    subject_->set_failing(round % 2 == 0);
    fill(round * 100, 100);
    if (round % 2 == 0)
      EXPECT_TRUE(eventually([&] { return sink->health().state == LifeState::error; }));
    else
      EXPECT_TRUE(drained());
  }
  EXPECT_TRUE(drained());
  EXPECT_TRUE(sink->stop());
  expect_nothing_lost(1000);
}

TEST_P(SinkContract, StopsInBoundedTimeInAnyState) {
  auto sink = runner();
  EXPECT_TRUE(sink->stop()) << "before start";
  sink->start();
  EXPECT_TRUE(sink->stop()) << "at once";
  sink->start();
  fill(0, 500);
  EXPECT_TRUE(sink->stop()) << "at work";
  EXPECT_TRUE(sink->stop()) << "twice";
  if (subject_->set_failing(true)) {
    fill(500, 10);
    sink->start();
    EXPECT_TRUE(eventually([&] { return sink->health().state == LifeState::error; }));
    EXPECT_TRUE(sink->stop()) << "while it fails";
    subject_->set_failing(false);
  } else {
    fill(500, 10);
  }
  sink->start();
  EXPECT_TRUE(drained());
  EXPECT_TRUE(sink->stop());
  expect_nothing_lost(510);
}

TEST_P(SinkContract, StopWithoutStartAndTwiceIsLegal) {
  auto sink = subject_->make(world_.environment);
  sink->stop();
  ASSERT_TRUE(sink->start().ok());
  sink->stop();
  sink->stop();
  ASSERT_TRUE(sink->start().ok());
  sink->stop();
}

TEST_P(SinkContract, CountsWhatItDrained) {
  auto sink = runner();
  sink->start();
  fill(0, 30);
  EXPECT_TRUE(drained());
  EXPECT_TRUE(sink->stop());
  EXPECT_EQ(world_.count(counter_names::kDrainSuccess), 30);
  EXPECT_GE(world_.count(counter_names::kDrainAttempt), 30);
}

}  // namespace standpipe::testing

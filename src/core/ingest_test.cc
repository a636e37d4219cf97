#include "core/ingest.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::HasSubstr;
using testing::numbered;
using testing::numbers;
using testing::ScriptedChannel;

/// Marks every body with a '!' and counts its runs; drops bodies that end in 7 when told to.
class MarkingInterceptor final : public Interceptor {
 public:
  explicit MarkingInterceptor(std::atomic<int>& runs) : runs_(runs) {}
  Status intercept(Batch& batch) override {
    ++runs_;
    for (std::size_t i = 0; i < batch.size(); ++i) batch.set_body(i, std::string(batch[i].body) + "!");
    return {};
  }

 private:
  std::atomic<int>& runs_;
};

class FunctionInterceptor final : public Interceptor {
 public:
  explicit FunctionInterceptor(std::function<Status(Batch&)> work) : work_(std::move(work)) {}
  Status intercept(Batch& batch) override { return work_(batch); }

 private:
  std::function<Status(Batch&)> work_;
};

class IngestTest : public ::testing::Test {
 protected:
  std::shared_ptr<ScriptedChannel> channel(std::int64_t capacity = 1'000'000) {
    channels_.push_back(std::make_shared<ScriptedChannel>(capacity));
    return channels_.back();
  }

  IngestPlan plan(const Settings::Map& selector = {}, std::string_view type = "replicating") {
    IngestPlan result;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      names.push_back("c" + std::to_string(i + 1));
      result.channels.push_back({names.back(), channels_[i]});
    }
    const ComponentInfo& info = *find_component(selector_infos(), ComponentKind::selector, type);
    const Settings settings = Settings::parse(info, selector).value();
    result.selector = make_selector(settings, names, world_.environment).value();
    return result;
  }

  SourceIngest& ingest(IngestPlan given) {
    ingest_.emplace(world_.environment, engine_, std::move(given));
    return *ingest_;
  }

  VirtualClock clock_;
  testing::TestEnvironment world_{"r1", clock_, real_file_system()};
  EngineThread engine_{clock_};
  std::vector<std::shared_ptr<ScriptedChannel>> channels_;
  std::optional<SourceIngest> ingest_;
};

TEST_F(IngestTest, StoresInEveryChannelBeforeTheReceiptCompletes) {
  auto a = channel();
  auto b = channel();
  SourceIngest& to = ingest(plan());
  Receipt receipt = to.deliver(numbered(0, 3));
  EXPECT_TRUE(receipt.ready());
  EXPECT_TRUE(receipt.wait().ok());
  EXPECT_EQ(a->published(), numbers(0, 3));
  EXPECT_EQ(b->published(), numbers(0, 3));
}

TEST_F(IngestTest, TheReceiptWaitsForAStoreThatTakesTime) {
  auto a = channel();
  a->hold_stores(true);
  SourceIngest& to = ingest(plan());
  Receipt receipt = to.deliver(numbered(0, 3));
  EXPECT_FALSE(receipt.ready());
  EXPECT_TRUE(a->published().empty()) << "published before it was durable";
  ASSERT_TRUE(a->complete_store());
  EXPECT_TRUE(receipt.ready());
  EXPECT_EQ(a->published(), numbers(0, 3));
}

TEST_F(IngestTest, SeveralStoresAreUnderWayAtOnceAndCompleteInOrder) {
  auto a = channel();
  auto b = channel();
  a->hold_stores(true);
  SourceIngest& to = ingest(plan({{"policy", "round_robin"}}, "load_balancing"));
  // Event 0 goes to c1 (slow), 1 to c2 (at once), 2 to c1, 3 to c2.
  std::vector<int> order;
  for (std::size_t i = 0; i < 4; ++i) {
    to.deliver(numbered(i, 1)).then_inline([&order, i](const Status& status) {
      EXPECT_TRUE(status.ok());
      order.push_back(static_cast<int>(i));
    });
  }
  EXPECT_EQ(a->pending(), 2u) << "the second store waited for the first";
  EXPECT_TRUE(order.empty());
  EXPECT_TRUE(b->published().empty());
  ASSERT_TRUE(a->complete_store());
  EXPECT_THAT(order, ElementsAre(0, 1));
  ASSERT_TRUE(a->complete_store());
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

TEST_F(IngestTest, AFullChannelMakesTheDeliveryWaitAndTheOtherChannelKeepsNothing) {
  auto a = channel();
  auto b = channel();
  b->set_full(true);
  SourceIngest& to = ingest(plan());
  Receipt receipt = to.deliver(numbered(0, 3));
  EXPECT_FALSE(receipt.ready());
  EXPECT_EQ(a->reserved(), 0u) << "room was kept in one channel while waiting for another";
  EXPECT_TRUE(a->published().empty());
  b->set_full(false);
  EXPECT_TRUE(receipt.wait().ok());
  EXPECT_EQ(a->published(), numbers(0, 3));
  EXPECT_EQ(b->published(), numbers(0, 3));
}

TEST_F(IngestTest, TheWaitEndsWithTheLongestKeepAlive) {
  auto a = channel();
  auto b = channel();
  a->wait_for = milliseconds(1000);
  b->wait_for = milliseconds(3000);
  a->set_full(true);
  SourceIngest& to = ingest(plan());
  Receipt receipt = to.deliver(numbered(0, 1));
  clock_.advance(milliseconds(2999));
  const std::size_t attempts = a->attempts();
  EXPECT_FALSE(receipt.ready());
  clock_.advance(milliseconds(1));
  const Status status = receipt.wait();
  EXPECT_EQ(status.code(), Code::full);
  EXPECT_THAT(status.message(), HasSubstr("channel c1 is full"));
  EXPECT_GT(a->attempts(), attempts) << "tried once more at the end";
  EXPECT_EQ(world_.count(counter_names::kChannelWriteFail), 1);
  EXPECT_TRUE(b->published().empty());
}

TEST_F(IngestTest, LaterDeliveriesWaitBehindAFullOneInOrder) {
  auto a = channel();
  auto b = channel();
  a->set_full(true);
  SourceIngest& to = ingest(plan({{"policy", "round_robin"}}, "load_balancing"));
  Receipt first = to.deliver(numbered(0, 1));   // c1, full
  Receipt second = to.deliver(numbered(1, 1));  // c2, has room
  EXPECT_FALSE(second.ready()) << "overtook the first delivery";
  EXPECT_TRUE(b->published().empty());
  a->set_full(false);
  EXPECT_TRUE(first.wait().ok());
  EXPECT_TRUE(second.wait().ok());
}

TEST_F(IngestTest, AFailedDeliveryCompletesInItsTurn) {
  auto a = channel();
  a->hold_stores(true);
  IngestPlan given = plan();
  given.interceptors.push_back(std::make_unique<FunctionInterceptor>(
      [](Batch& batch) { return batch[0].body == "1" ? Status(Code::poison, "bad") : Status(); }));
  SourceIngest& to = ingest(std::move(given));
  std::vector<std::string> order;
  for (std::size_t i = 0; i < 3; ++i) {
    to.deliver(numbered(i, 1)).then_inline([&order, i](const Status& status) {
      order.push_back(std::to_string(i) + " " + std::string(to_string(status.code())));
    });
  }
  EXPECT_TRUE(order.empty());
  ASSERT_TRUE(a->complete_store());
  ASSERT_TRUE(a->complete_store());
  EXPECT_THAT(order, ElementsAre("0 ok", "1 poison", "2 ok"));
  EXPECT_EQ(world_.count(counter_names::kGenericProcessingFail), 1);
}

TEST_F(IngestTest, AStoreThatCompletesWhileTheIngestLooksIsNotMissed) {
  auto a = channel();
  a->hold_stores(true);
  SourceIngest& to = ingest(plan());
  std::jthread disk([&](std::stop_token stop) {
    while (!stop.stop_requested()) a->complete_store();
  });
  for (std::size_t i = 0; i < 30'000; ++i) {
    Receipt receipt = to.deliver(numbered(i, 1));
    ASSERT_TRUE(receipt.ready() || eventually([&] { return receipt.ready(); })) << "delivery " << i;
    receipt.wait().ignore();
  }
}

TEST_F(IngestTest, ABatchWithAnEventThatNeverFitsStoresNoPartOfItself) {
  for (const std::int64_t capacity : {4, 1000}) {
    auto a = channel(capacity);
    a->most_bytes = 8;
    Batch batch = numbered(0, 9);
    batch.add_copy("too large");
    EXPECT_EQ(ingest(plan()).deliver(std::move(batch)).wait().code(), Code::poison);
    EXPECT_TRUE(a->published().empty()) << "capacity " << capacity;
    EXPECT_EQ(a->reserved(), 0u);
    channels_.clear();
  }
}

TEST_F(IngestTest, WhatIsLeftOfABatchWaitsForRoomAndIsNotDeliveredAnew) {
  auto a = channel(4);
  a->wait_for = milliseconds(3000);
  a->hold_stores(true);
  Receipt receipt = ingest(plan()).deliver(numbered(0, 6));
  a->set_full(true);
  ASSERT_TRUE(a->complete_store());
  for (int i = 0; i < 3; ++i) {
    const std::size_t before = a->attempts();
    ASSERT_TRUE(eventually([&] {
      clock_.advance(milliseconds(3000));  // again: the next wait may begin only after the attempt was seen
      return a->attempts() > before;
    })) << "it gave up";
  }
  EXPECT_FALSE(receipt.ready());
  a->hold_stores(false);
  a->set_full(false);
  EXPECT_TRUE(receipt.wait().ok());
  EXPECT_EQ(a->published(), numbers(0, 6));
}

TEST_F(IngestTest, AnOptionalChannelTakesALargeBatchInPartsToo) {
  auto a = channel();
  auto b = channel(4);
  ASSERT_TRUE(ingest(plan({{"optional", "c2"}})).deliver(numbered(0, 9)).wait().ok());
  EXPECT_TRUE(eventually([&] { return b->published().size() == 9; }));
  EXPECT_EQ(b->published(), numbers(0, 9));
  EXPECT_EQ(world_.count(counter_names::kOptionalDropped), 0);
}

TEST_F(IngestTest, ABatchOfTooManyBytesGoesInParts) {
  auto a = channel();
  a->most_bytes = 3;
  EXPECT_TRUE(ingest(plan()).deliver(numbered(0, 9)).wait().ok());
  EXPECT_EQ(a->published(), numbers(0, 9));
}

TEST_F(IngestTest, InterceptorsRunOnceAlsoWhenTheDeliveryWaits) {
  auto a = channel();
  a->set_full(true);
  std::atomic<int> runs{0};
  IngestPlan given = plan();
  given.interceptors.push_back(std::make_unique<MarkingInterceptor>(runs));
  SourceIngest& to = ingest(std::move(given));
  Receipt receipt = to.deliver(numbered(5, 1));
  a->fail_reserve({Code::full, ""});  // wakes, and is still full
  EXPECT_TRUE(eventually([&] { return a->attempts() >= 4; }));
  a->fail_reserve({});
  a->set_full(false);
  EXPECT_TRUE(receipt.wait().ok());
  EXPECT_EQ(runs, 1);
  EXPECT_THAT(a->published(), ElementsAre("5!"));
}

TEST_F(IngestTest, WhatInterceptorsDropIsCountedAndAnEmptiedBatchIsDone) {
  auto a = channel();
  IngestPlan given = plan();
  given.interceptors.push_back(std::make_unique<FunctionInterceptor>([](Batch& batch) {
    const Batch& events = batch;
    std::vector<bool> keep;
    for (std::size_t i = 0; i < events.size(); ++i) keep.push_back(events[i].body != "7");
    batch.keep_if([&](std::size_t i) { return keep[i]; });
    return Status();
  }));
  SourceIngest& to = ingest(std::move(given));
  EXPECT_TRUE(to.deliver(numbered(6, 3)).wait().ok());
  EXPECT_TRUE(to.deliver(numbered(7, 1)).wait().ok());
  EXPECT_TRUE(to.deliver(Batch()).wait().ok());
  EXPECT_THAT(a->published(), ElementsAre("6", "8"));
  EXPECT_EQ(world_.count(counter_names::kEventsFiltered), 2);
  EXPECT_EQ(a->attempts(), 1u);
}

TEST_F(IngestTest, ABatchLargerThanTheSmallestChannelGoesInParts) {
  auto a = channel(10);
  auto b = channel(4);
  SourceIngest& to = ingest(plan());
  EXPECT_TRUE(to.deliver(numbered(0, 11)).wait().ok());
  EXPECT_EQ(a->published(), numbers(0, 11));
  EXPECT_EQ(b->published(), numbers(0, 11));
  EXPECT_TRUE(world_.log.contains("parts of 4 events"));
}

TEST_F(IngestTest, OnlyMissingPartsAreTriedAgain) {
  auto a = channel(4);
  a->hold_stores(true);
  SourceIngest& to = ingest(plan());
  Receipt receipt = to.deliver(numbered(0, 8));
  Receipt next = to.deliver(numbered(8, 1));
  a->set_full(true);
  ASSERT_TRUE(a->complete_store());
  EXPECT_EQ(a->published(), numbers(0, 4));
  EXPECT_FALSE(receipt.ready());
  a->hold_stores(false);
  a->set_full(false);
  EXPECT_TRUE(receipt.wait().ok());
  EXPECT_TRUE(next.wait().ok());
  EXPECT_EQ(a->published(), numbers(0, 9));
}

TEST_F(IngestTest, AFailedStoreTakesBackWhatTheOthersStored) {
  auto a = channel();
  auto b = channel();
  b->fail_store({Code::io, "disk gone"});
  SourceIngest& to = ingest(plan());
  const Status status = to.deliver(numbered(0, 3)).wait();
  EXPECT_EQ(status.code(), Code::io);
  EXPECT_THAT(status.message(), HasSubstr("channel c2"));
  EXPECT_TRUE(a->published().empty());
  EXPECT_EQ(a->revoked(), 3u);
  EXPECT_EQ(a->reserved(), 0u);
}

TEST_F(IngestTest, ChannelsThatCantReserveStoreFirstAndOnlyTheMissingOnesAreTriedAgain) {
  auto a = channel();
  auto kafka = channel();
  kafka->can_reserve = false;
  kafka->hold_stores(true);
  a->fail_store({Code::io, "disk gone"});
  SourceIngest& to = ingest(plan());
  Receipt receipt = to.deliver(numbered(0, 3));
  EXPECT_EQ(a->reserved(), 1u);
  ASSERT_TRUE(kafka->complete_store());
  EXPECT_EQ(kafka->published(), numbers(0, 3)) << "can't be taken back, so it is in";
  EXPECT_FALSE(receipt.ready());
  a->fail_store({});
  clock_.advance(milliseconds(200));
  EXPECT_TRUE(receipt.wait().ok());
  EXPECT_EQ(a->published(), numbers(0, 3));
  EXPECT_EQ(kafka->published(), numbers(0, 3)) << "stored twice";
}

TEST_F(IngestTest, OptionalChannelsNeverHoldUpAReceipt) {
  auto a = channel();
  auto optional = channel();
  optional->set_full(true);
  SourceIngest& to = ingest(plan({{"optional", "c2"}}));
  EXPECT_TRUE(to.deliver(numbered(0, 2)).ready());
  EXPECT_TRUE(to.deliver(numbered(2, 2)).ready());
  EXPECT_TRUE(optional->published().empty());
  optional->set_full(false);
  EXPECT_TRUE(eventually([&] { return optional->published() == numbers(0, 4); }));
  EXPECT_EQ(world_.count(counter_names::kOptionalDropped), 0);
}

TEST_F(IngestTest, WhatAnOptionalChannelHasNoRoomForIsDroppedAndCountedAfterAWhile) {
  auto a = channel();
  auto optional = channel();
  optional->set_full(true);
  SourceIngest& to = ingest(plan({{"optional", "c2"}}));
  EXPECT_TRUE(to.deliver(numbered(0, 2)).ready());
  clock_.advance(milliseconds(3000));
  EXPECT_TRUE(eventually([&] { return world_.log.contains("dropped 2 events for optional channel c2"); }));
  EXPECT_EQ(world_.count(counter_names::kOptionalDropped), 2);
  optional->set_full(false);
  EXPECT_TRUE(to.deliver(numbered(2, 1)).wait().ok());  // the engine's thread may still be at work on the queue
  EXPECT_THAT(optional->published(), ElementsAre("2"));
}

TEST_F(IngestTest, TheQueueForAnOptionalChannelIsBounded) {
  auto a = channel();
  auto optional = channel();
  optional->set_full(true);
  ingest_.emplace(world_.environment, engine_, plan({{"optional", "c2"}}), OptionalLimits{.bytes = 10});
  for (std::size_t i = 0; i < 12; ++i) EXPECT_TRUE(ingest_->deliver(numbered(1, 1)).ready());
  EXPECT_EQ(world_.count(counter_names::kOptionalDropped), 2);
}

TEST_F(IngestTest, AFailedDeliveryOffersNothingToOptionalChannels) {
  auto a = channel();
  auto optional = channel();
  a->fail_reserve({Code::io, "disk gone"});
  SourceIngest& to = ingest(plan({{"optional", "c2"}}));
  EXPECT_EQ(to.deliver(numbered(0, 2)).wait().code(), Code::io);
  EXPECT_TRUE(optional->published().empty()) << "the source's retry would repeat it";
}

TEST_F(IngestTest, AReplacedPlanServesTheNextBatchAndTheOldOneFinishesWhatWaits) {
  auto a = channel();
  a->set_full(true);
  std::atomic<int> old_runs{0};
  IngestPlan before = plan();
  before.interceptors.push_back(std::make_unique<MarkingInterceptor>(old_runs));
  SourceIngest& to = ingest(std::move(before));
  Receipt waiting = to.deliver(numbered(0, 1));
  to.replace(plan());
  Receipt fresh = to.deliver(numbered(1, 1));
  a->set_full(false);
  EXPECT_TRUE(waiting.wait().ok());
  EXPECT_TRUE(fresh.wait().ok());
  EXPECT_THAT(a->published(), ElementsAre("0!", "1"));
}

TEST_F(IngestTest, WhileItIsHeldNothingBeginsAndAfterwardsAllGoesByTheNewPlan) {
  auto old = channel();
  SourceIngest& to = ingest(plan());
  EXPECT_TRUE(to.hold().ready()) << "nothing was under way";
  Receipt first = to.deliver(numbered(0, 2));
  clock_.advance(std::chrono::hours(1));
  Receipt second = to.deliver(numbered(2, 2));
  EXPECT_FALSE(first.ready()) << "waits as long as it takes";
  channels_.clear();
  auto fresh = channel();
  to.replace(plan());
  EXPECT_FALSE(first.ready());
  to.resume();
  EXPECT_TRUE(first.wait().ok());
  EXPECT_TRUE(second.wait().ok());
  EXPECT_TRUE(old->published().empty());
  EXPECT_EQ(fresh->published(), numbers(0, 4));
}

TEST_F(IngestTest, AHoldIsQuietWhenWhatHadBegunIsSettled) {
  auto a = channel();
  a->hold_stores(true);
  SourceIngest& to = ingest(plan());
  Receipt begun = to.deliver(numbered(0, 1));
  Receipt quiet = to.hold();
  Receipt waits = to.deliver(numbered(1, 1));
  EXPECT_FALSE(quiet.ready());
  EXPECT_EQ(a->pending(), 1u);
  ASSERT_TRUE(a->complete_store());
  EXPECT_TRUE(begun.ready());
  EXPECT_TRUE(quiet.ready());
  EXPECT_FALSE(waits.ready());
  to.resume();
  EXPECT_EQ(a->pending(), 1u);
  ASSERT_TRUE(a->complete_store());
  EXPECT_TRUE(waits.wait().ok());
}

TEST_F(IngestTest, WhatWaitedDuringAHoldHasItsKeepAliveAfterwards) {
  auto a = channel();
  SourceIngest& to = ingest(plan());
  EXPECT_TRUE(to.hold().ready());
  Receipt receipt = to.deliver(numbered(0, 1));
  clock_.advance(std::chrono::hours(1));
  a->set_full(true);
  to.resume();
  EXPECT_FALSE(receipt.ready());
  a->set_full(false);
  EXPECT_TRUE(eventually([&] { return receipt.ready(); }));
  EXPECT_TRUE(receipt.wait().ok());
}

TEST_F(IngestTest, StopEndsAHold) {
  auto a = channel();
  SourceIngest& to = ingest(plan());
  EXPECT_TRUE(to.hold().ready());
  Receipt receipt = to.deliver(numbered(0, 1));
  to.stop();
  EXPECT_EQ(receipt.wait().code(), Code::stopped);
}

TEST_F(IngestTest, StopFailsWhatWaitsAndWhatComesAfter) {
  auto a = channel();
  a->set_full(true);
  SourceIngest& to = ingest(plan());
  Receipt waiting = to.deliver(numbered(0, 1));
  to.stop();
  EXPECT_EQ(waiting.wait().code(), Code::stopped);
  EXPECT_EQ(to.deliver(numbered(1, 1)).wait().code(), Code::stopped);
  a->set_full(false);
  to.restart();
  EXPECT_TRUE(to.deliver(numbered(2, 1)).wait().ok());
  EXPECT_THAT(a->published(), ElementsAre("2"));
}

TEST_F(IngestTest, AStoreThatOutlivesTheIngestCompletesItsReceipt) {
  auto a = channel();
  a->hold_stores(true);
  SourceIngest& to = ingest(plan());
  Receipt receipt = to.deliver(numbered(0, 1));
  ingest_.reset();
  EXPECT_FALSE(receipt.ready());
  ASSERT_TRUE(a->complete_store());
  EXPECT_TRUE(receipt.wait().ok());
}

TEST_F(IngestTest, ACallbackMayDeliverAgain) {
  auto a = channel();
  a->hold_stores(true);
  SourceIngest& to = ingest(plan());
  std::optional<Receipt> second;
  to.deliver(numbered(0, 1)).then_inline([&](const Status&) { second.emplace(to.deliver(numbered(1, 1))); });
  ASSERT_TRUE(a->complete_store());
  ASSERT_TRUE(second.has_value());
  ASSERT_TRUE(a->complete_store());
  EXPECT_TRUE(second->wait().ok());
  EXPECT_EQ(a->published(), numbers(0, 2));
}

TEST_F(IngestTest, ManyThreadsDeliverWhileAChannelFillsAndEmpties) {
  auto a = channel();
  SourceIngest& to = ingest(plan());
  std::atomic<int> failed{0};
  std::atomic<bool> done{false};
  std::jthread switcher([&] {
    while (!done) {
      a->set_full(true);
      std::this_thread::yield();
      a->set_full(false);
    }
  });
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 300; ++i) {
          if (!to.deliver(numbered(t * 1000 + i, 1)).wait().ok()) ++failed;
        }
      });
    }
  }
  done = true;
  switcher.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(a->published().size(), 900u);
}

}  // namespace
}  // namespace standpipe

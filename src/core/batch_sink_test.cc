#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/outlet.h"
#include "core/quarantine.h"
#include "standpipe/sink.h"
#include "support/engine_parts.h"
#include "support/queue_channel.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::numbered_ptr;
using testing::numbers;
using testing::put;
using testing::QueueChannel;

/// Refuses, as a whole, every lease that holds one of `poison`.
class PickySink final : public BatchSink {
 public:
  using BatchSink::BatchSink;
  Status write(const Lease& lease, std::stop_token) override {
    ++writes;
    if (!failure.ok()) return failure;
    for (std::size_t i = 0; i < lease.size(); ++i) {
      if (poison.contains(std::string(lease[i].body))) return {Code::poison, "refused " + std::string(lease[i].body)};
    }
    for (std::string& body : testing::bodies(lease)) written.push_back(std::move(body));
    return {};
  }

  std::set<std::string> poison;
  Status failure;
  std::vector<std::string> written;
  int writes = 0;
};

class BatchSinkTest : public ::testing::Test {
 protected:
  Result<Turn> turn() { return sink_.process(outlet_, {}); }

  VirtualClock clock_;
  testing::TestEnvironment world_{"k1", clock_, real_file_system()};
  std::shared_ptr<QueueChannel> channel_ = std::make_shared<QueueChannel>();
  ChannelOutlet outlet_{{"c1", channel_}, world_.environment};
  PickySink sink_{world_.environment, 10};
};

TEST_F(BatchSinkTest, CountsAsFlumeDoes) {
  EXPECT_FALSE(turn()->worked);
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 15)).ok());
  EXPECT_TRUE(turn()->worked);
  EXPECT_TRUE(turn()->worked);
  EXPECT_EQ(sink_.written, numbers(0, 15));
  EXPECT_EQ(world_.count(counter_names::kBatchEmpty), 1);
  EXPECT_EQ(world_.count(counter_names::kBatchComplete), 1);
  EXPECT_EQ(world_.count(counter_names::kBatchUnderflow), 1);
  EXPECT_EQ(world_.count(counter_names::kDrainAttempt), 15);
  EXPECT_EQ(world_.count(counter_names::kDrainSuccess), 15);
}

TEST_F(BatchSinkTest, AFailedWriteGivesEverythingBack) {
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 5)).ok());
  sink_.failure = {Code::unavailable, "down"};
  EXPECT_EQ(turn().status().code(), Code::unavailable);
  EXPECT_EQ(channel_->size(), 5);
  EXPECT_EQ(world_.count(counter_names::kEventWriteFail), 1);
  sink_.failure = {};
  EXPECT_TRUE(turn()->worked);
  EXPECT_EQ(sink_.written, numbers(0, 5));
}

TEST_F(BatchSinkTest, PoisonStaysAndBlocksWhileTheGoodOnesOfItsLeaseCommit) {
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 20)).ok());
  sink_.poison = {"3", "7"};
  EXPECT_EQ(turn().status().code(), Code::poison);
  EXPECT_THAT(sink_.written, ElementsAre("0", "1", "2", "4", "5", "6", "8", "9"));
  EXPECT_EQ(channel_->size(), 12);
  EXPECT_EQ(world_.count(counter_names::kPoison), 2);
  // Only the two are tried again: nothing behind them passes.
  const int before = sink_.writes;
  EXPECT_EQ(turn().status().code(), Code::poison);
  EXPECT_EQ(sink_.written.size(), 8u);
  EXPECT_LE(sink_.writes - before, 3);
  EXPECT_EQ(world_.count(counter_names::kPoison), 2) << "counted once";
  sink_.poison.clear();
  while (turn()->worked) {
  }
  EXPECT_EQ(channel_->size(), 0);
  EXPECT_EQ(sink_.written.size(), 20u);
  EXPECT_EQ(world_.count(counter_names::kDrainSuccess), 20);
}

TEST_F(BatchSinkTest, AnOutageDoesNotLetOthersPassWhatIsBlocked) {
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 20)).ok());
  sink_.poison = {"3"};
  EXPECT_EQ(turn().status().code(), Code::poison);
  sink_.failure = {Code::unavailable, "down"};
  EXPECT_EQ(turn().status().code(), Code::unavailable);
  sink_.failure = {};
  EXPECT_EQ(turn().status().code(), Code::poison);
  EXPECT_EQ(sink_.written.size(), 9u) << "something passed the event that blocks";
}

TEST_F(BatchSinkTest, PoisonIsLoggedOnceAMinute) {
  ASSERT_TRUE(put(*channel_, numbered_ptr(3, 1)).ok());
  sink_.poison = {"3"};
  EXPECT_FALSE(turn().ok());
  EXPECT_FALSE(turn().ok());
  EXPECT_EQ(world_.log.lines().size(), 1u);
  EXPECT_THAT(world_.log.lines()[0], HasSubstr("refused 3"));
  EXPECT_THAT(world_.log.lines()[0], HasSubstr("onPoison = quarantine"));
  clock_.advance(std::chrono::minutes(1));
  EXPECT_FALSE(turn().ok());
  EXPECT_EQ(world_.log.lines().size(), 2u);
}

TEST_F(BatchSinkTest, PoisonGoesToTheQuarantineWhenThereIsOne) {
  DeadLetterFile quarantine(world_.environment);
  world_.environment.quarantine = &quarantine;
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 10)).ok());
  sink_.poison = {"0", "9"};
  EXPECT_TRUE(turn()->worked);
  EXPECT_EQ(sink_.written, numbers(1, 8));
  EXPECT_EQ(channel_->size(), 0);
  EXPECT_EQ(world_.count(counter_names::kQuarantined), 2);
  const auto content = read_file(world_.environment.files, quarantine.path());
  ASSERT_TRUE(content.ok());
  EXPECT_THAT(*content, HasSubstr("\"reason\":\"refused 0\",\"headers\":{},\"body\":\"MA==\"}\n"));
  EXPECT_THAT(*content, HasSubstr("\"body\":\"OQ==\"}\n"));
}

TEST_F(BatchSinkTest, WhatCantBeQuarantinedStays) {
  class Full final : public Quarantine {
    Status put(const EventRef&, const Status&) override { return {Code::io, "disk gone"}; }
  } quarantine;
  world_.environment.quarantine = &quarantine;
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 4)).ok());
  sink_.poison = {"1"};
  EXPECT_EQ(turn().status().code(), Code::io);
  EXPECT_EQ(channel_->size(), 3) << "only what was written before may be gone";
}

TEST_F(BatchSinkTest, ATakeIsCappedAtTheTransactionCapacityWithOneWarning) {
  channel_->take_limit = 4;
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 10)).ok());
  EXPECT_TRUE(turn()->worked);
  EXPECT_EQ(sink_.written, numbers(0, 4));
  EXPECT_TRUE(turn()->worked);
  EXPECT_EQ(world_.log.lines().size(), 1u);
  EXPECT_THAT(world_.log.lines()[0], HasSubstr("takes 4 events at a time, not 10: that is channel c1's"));
}

TEST_F(BatchSinkTest, WhatIsAcknowledgedAfterARevocationIsCountedAsADuplicate) {
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 6)).ok());
  Lease lease = outlet_.take(6).value();
  ASSERT_TRUE(lease.commit(0, 2).ok());
  EXPECT_EQ(outlet_.revoke_all(), 4u);
  EXPECT_EQ(channel_->size(), 4);
  EXPECT_EQ(lease.commit().code(), Code::fenced);
  EXPECT_EQ(outlet_.take(1)->size(), 1u);
  EXPECT_EQ(world_.count(counter_names::kDuplicate), 4);
}

// -- the dead-letter file ---------------------------------------------------------------------------------------------

TEST(DeadLetterFile, EscapesAndKeepsBytesThatAreNotText) {
  testing::TestEnvironment world("../k1");
  DeadLetterFile file(world.environment);
  const Headers text{{"na\"me", "line\nbreak"}};
  const Headers bytes{{"k", "\xff"}};
  ASSERT_TRUE(file.put({std::string_view("\0\1", 2), &text}, {Code::poison, "bad \xff \x1b"}).ok());
  ASSERT_TRUE(file.put({"", &bytes}, {Code::poison, "why"}).ok());
  EXPECT_THAT(file.path(), HasSubstr("/dead-letter/_.._k1.jsonl"));
  const std::string content = read_file(world.environment.files, file.path()).value();
  EXPECT_THAT(content, HasSubstr(R"("headers":{"na\"me":"line\u000abreak"},"body":"AAE="})"));
  EXPECT_THAT(content, HasSubstr("bad \xef\xbf\xbd \\u001b"));
  EXPECT_THAT(content, HasSubstr(R"("headersBase64":{"aw==":"/w=="},"body":""})"));
}

TEST(DeadLetterFile, ATornLineStaysAlone) {
  testing::TestEnvironment world("k1");
  const Headers none;
  std::string path;
  {
    DeadLetterFile file(world.environment);
    path = file.path();
    ASSERT_TRUE(file.put({"a", &none}, {Code::poison, "x"}).ok());
  }
  {
    auto torn = world.environment.files.open(path, FileSystem::Mode::append);
    ASSERT_TRUE(torn.ok());
    ASSERT_TRUE((*torn)->write("{\"time\":1").ok());
  }
  DeadLetterFile file(world.environment);
  ASSERT_TRUE(file.put({"b", &none}, {Code::poison, "x"}).ok());
  const std::string content = read_file(world.environment.files, path).value();
  EXPECT_THAT(content, HasSubstr("\n{\"time\":1\n{"));
  EXPECT_EQ(content.back(), '\n');
}

}  // namespace
}  // namespace standpipe

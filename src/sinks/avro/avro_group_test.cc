// Avro sinks in a group: their answers come later, and the group's promises hold all the same.

#include <gmock/gmock.h>

#include "core/sink_group.h"
#include "net/network.h"
#include "sinks/avro/avro_sink.h"
#include "support/avro_server.h"
#include "support/engine_parts.h"
#include "support/queue_channel.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AnyOf;
using testing::AvroTestServer;
using ::testing::ElementsAre;
using testing::numbers;
using ::testing::SizeIs;
using Says = AvroTestServer::Says;

/// Two receivers of our own kind; turns by hand, with a clock that a test moves.
class AvroGroupTest : public ::testing::Test {
 protected:
  void start(std::string_view type, Settings::Map settings) {
    env_.environment.network = network_.get();
    first_.grant(8);
    second_.grant(8);
    GroupMembers members;
    members.push_back(member("k1", first_));
    members.push_back(member("k2", second_));
    const ComponentInfo& info = *find_component(sink_processor_infos(), ComponentKind::sink_processor, type);
    group_ =
        make_sink_processor(Settings::parse(info, std::move(settings)).value(), std::move(members), env_.log, clock_)
            .value();
    ASSERT_TRUE(group_->start().ok());
  }

  std::unique_ptr<GroupMember> member(std::string name, const AvroTestServer& server) {
    const auto settings = Settings::parse(*kAvroSink.info, {{"hostname", "127.0.0.1"},
                                                            {"port", std::to_string(server.port())},
                                                            {"batch-size", "1"},
                                                            {"request-timeout", "5000"}});
    return std::make_unique<GroupMember>(std::move(name), kAvroSink.create(*settings, env_.environment).value(),
                                         NamedChannel{"c1", channel_}, env_.environment);
  }

  void TearDown() override {
    first_.drop_connections();  // or stop() waits for an answer, by a clock that stands still
    second_.drop_connections();
    group_ = nullptr;
  }

  void fill(std::size_t events) {
    ASSERT_TRUE(put(*channel_, testing::numbered_ptr(next_, events)).ok());
    next_ += events;
  }

  bool turn_until(const std::function<bool()>& ready) {
    return testing::eventually([&] {
      if (ready()) return true;
      group_->process({}).status().ignore();
      return ready();
    });
  }
  bool turn_until_empty() {
    return turn_until([&] { return channel_->size() == 0; });
  }

  VirtualClock clock_;
  testing::TestEnvironment env_{"k1", clock_, real_file_system()};
  std::unique_ptr<Network> network_ = make_network();
  AvroTestServer first_;
  AvroTestServer second_;
  std::shared_ptr<testing::QueueChannel> channel_ = std::make_shared<testing::QueueChannel>();
  std::unique_ptr<SinkProcessor> group_;
  std::size_t next_ = 0;
};

TEST_F(AvroGroupTest, WhatTheFirstRefusesTheSecondGetsInOrder) {
  start("failover", {{"priority.k1", "10"}, {"priority.k2", "5"}});
  fill(5);
  ASSERT_TRUE(turn_until_empty());
  EXPECT_EQ(first_.bodies(), numbers(0, 5));
  first_.say(Says::failed);
  fill(50);
  ASSERT_TRUE(turn_until_empty());
  EXPECT_EQ(second_.bodies(), numbers(5, 50)) << "from the first refused one on, none twice, none overtaken";
  EXPECT_THAT(first_.bodies(), SizeIs(5));
}

TEST_F(AvroGroupTest, WhatADeadReceiverDidNotAnswerTheSecondGetsInOrder) {
  start("failover", {{"priority.k1", "10"}, {"priority.k2", "5"}});
  fill(1);
  ASSERT_TRUE(turn_until_empty());
  first_.say(Says::hangs_up);
  fill(50);
  ASSERT_TRUE(turn_until_empty());
  EXPECT_EQ(second_.bodies(), numbers(1, 50));
}

TEST_F(AvroGroupTest, AHangingReceiverOnTrialDelaysOneBatchOnly) {
  start("failover", {{"priority.k1", "10"}, {"priority.k2", "5"}});
  fill(1);
  ASSERT_TRUE(turn_until_empty());
  first_.say(Says::failed);
  fill(1);
  ASSERT_TRUE(turn_until_empty());
  EXPECT_THAT(second_.bodies(), ElementsAre("1"));
  first_.say(Says::nothing);
  clock_.advance(seconds(2));
  const std::size_t before = first_.requests();
  fill(1);
  ASSERT_TRUE(turn_until([&] { return first_.requests() > before || channel_->size() == 0; }));
  fill(20);
  ASSERT_TRUE(turn_until([&] { return channel_->size() <= 1; })) << "all but the one on trial";
  EXPECT_THAT(second_.bodies(), SizeIs(AnyOf(21u, 22u)));
  clock_.advance(milliseconds(5000));
  ASSERT_TRUE(turn_until_empty());
  EXPECT_THAT(second_.bodies(), SizeIs(22));
}

TEST_F(AvroGroupTest, TheFirstHasTheWorkAgainWhenItIsWell) {
  start("failover", {{"priority.k1", "10"}, {"priority.k2", "5"}});
  fill(1);
  ASSERT_TRUE(turn_until_empty());
  first_.say(Says::hangs_up);
  fill(10);
  ASSERT_TRUE(turn_until_empty());
  first_.say(Says::ok);
  clock_.advance(seconds(2));
  // While the first is on trial, the second goes on.
  ASSERT_TRUE(turn_until([&] {
    if (channel_->size() == 0) fill(1);
    return first_.bodies().size() > 1;
  }));
  ASSERT_TRUE(turn_until_empty());
  const std::size_t at_second = second_.bodies().size();
  fill(100);
  ASSERT_TRUE(turn_until_empty());
  EXPECT_THAT(second_.bodies(), SizeIs(at_second));
}

TEST_F(AvroGroupTest, BothReceiversWorkUnderLoadBalancing) {
  start("load_balance", {});
  fill(2000);
  ASSERT_TRUE(turn_until_empty());
  EXPECT_GT(first_.bodies().size(), 400u);
  EXPECT_GT(second_.bodies().size(), 400u);
  EXPECT_EQ(first_.bodies().size() + second_.bodies().size(), 2000u);
}

TEST_F(AvroGroupTest, AHangingReceiverHoldsUpNobodyUnderLoadBalancing) {
  start("load_balance", {{"backoff", "true"}});
  fill(20);
  ASSERT_TRUE(turn_until_empty());
  first_.say(Says::nothing);
  fill(200);
  ASSERT_TRUE(turn_until([&] { return channel_->size() <= 8; })) << "all but its window";
  clock_.advance(milliseconds(5000));
  ASSERT_TRUE(turn_until_empty());
  EXPECT_GE(second_.bodies().size(), 200u);
}

}  // namespace
}  // namespace standpipe

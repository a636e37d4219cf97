#include "sinks/avro/avro_sink.h"

#include <gmock/gmock.h>

#include "net/network.h"
#include "support/avro_server.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"
#include "support/test_outlet.h"

namespace standpipe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AvroTestServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Says = AvroTestServer::Says;

/// Turns the sink by hand, with a clock that stands still.
class AvroSinkTest : public ::testing::Test {
 protected:
  void start(Settings::Map values = {}) {
    env.environment.network = network.get();
    values.emplace("hostname", "127.0.0.1");
    values.emplace("port", std::to_string(server.port()));
    const auto settings = Settings::parse(*kAvroSink.info, std::move(values));
    ASSERT_TRUE(settings.ok()) << settings.status().message();
    auto made = kAvroSink.create(*settings, env.environment);
    ASSERT_TRUE(made.ok()) << made.status().message();
    sink = std::move(made).value();
    ASSERT_TRUE(sink->start().ok());
  }

  void TearDown() override {
    server.drop_connections();  // or stop() waits for an answer, by a clock that stands still
    sink = nullptr;
  }

  /// Turns until it holds, or until a turn fails.
  Status turn_until(const std::function<bool()>& ready) {
    Status failure;
    EXPECT_TRUE(testing::eventually([&] {
      if (ready()) return true;
      const Result<Turn> turn = sink->process(outlet, {});
      last_turn = turn.ok() ? *turn : Turn{};
      failure = turn.status();
      return !failure.ok() || ready();
    }));
    return failure;
  }
  Status turn_until_committed(std::size_t events) {
    return turn_until([&] { return outlet.committed().size() >= events; });
  }
  Status turn_until_failure() {
    return turn_until([] { return false; });
  }
  Status turn_until_requests(std::size_t requests) {
    return turn_until([&] { return server.requests() >= requests; });
  }

  VirtualClock clock;
  testing::TestEnvironment env{"k1", clock, real_file_system()};
  std::unique_ptr<Network> network = make_network();
  AvroTestServer server;
  testing::TestOutlet outlet;
  std::unique_ptr<Sink> sink;
  Turn last_turn;
};

TEST_F(AvroSinkTest, SendsBatchesAndCommitsThem) {
  start({{"batch-size", "2"}});
  outlet.put("one", {{"k", "v"}, {"größe", "日本"}});
  outlet.put_all({"", "three"});
  ASSERT_TRUE(turn_until_committed(3).ok());
  EXPECT_THAT(outlet.committed(), ElementsAre("one", "", "three"));
  EXPECT_THAT(server.bodies(), ElementsAre("one", "", "three"));
  EXPECT_EQ(server.events()[0].headers, (Headers{{"k", "v"}, {"größe", "日本"}}));
  EXPECT_THAT(server.batches(), ElementsAre(2, 1));
  EXPECT_EQ(server.connections(), 1u);
  EXPECT_EQ(env.count(counter_names::kDrainAttempt), 3);
  EXPECT_EQ(env.count(counter_names::kDrainSuccess), 3);
  EXPECT_EQ(env.count(counter_names::kBatchComplete), 1);
  EXPECT_EQ(env.count(counter_names::kBatchUnderflow), 1);
  EXPECT_EQ(env.count(counter_names::kConnectionCreated), 1);
  sink->stop();
  EXPECT_EQ(env.count(counter_names::kConnectionClosed), 1);
  EXPECT_EQ(env.budget.used(), 0u);
}

TEST_F(AvroSinkTest, CommitsNothingBeforeTheAnswer) {
  server.say(Says::nothing);
  start();
  outlet.put("a");
  ASSERT_TRUE(turn_until_requests(1).ok());
  EXPECT_EQ(outlet.leased(), 1u);
  EXPECT_THAT(outlet.committed(), IsEmpty());
  EXPECT_TRUE(last_turn.wake_by.has_value() || !sink->process(outlet, {})->worked);
}

TEST_F(AvroSinkTest, HasOneRequestOpenTowardsFlume) {
  server.answer_together(2);
  start({{"batch-size", "1"}});
  outlet.put_all({"a", "b", "c"});
  ASSERT_TRUE(turn_until_committed(1).ok());  // the handshake is answered at once
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_EQ(outlet.leased(), 1u);
  EXPECT_EQ(outlet.waiting(), 1u);
}

TEST_F(AvroSinkTest, FillsTheWindowThatAPeerGrants) {
  server.grant(3);
  start({{"batch-size", "1"}});
  outlet.put("first");
  ASSERT_TRUE(turn_until_committed(1).ok());
  EXPECT_EQ(server.asked_window(), 64u);
  server.answer_together(3);
  outlet.put_all({"a", "b", "c", "d"});
  ASSERT_TRUE(turn_until_committed(4).ok());  // it takes three open ones to be answered, and in any order
  EXPECT_THAT(outlet.committed(), ::testing::UnorderedElementsAre("first", "a", "b", "c"));
}

TEST_F(AvroSinkTest, HasSoManyBytesOpen) {
  server.grant(64);
  start({{"batch-size", "1"}});
  outlet.put("first");
  ASSERT_TRUE(turn_until_committed(1).ok());
  server.say(Says::nothing);
  outlet.put_all(std::vector<std::string>(6, std::string(1 << 20, 'x')));
  ASSERT_TRUE(turn_until_requests(1 + 4).ok());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_EQ(outlet.leased(), 4u) << "four of them are four mebibytes";
  EXPECT_EQ(outlet.waiting(), 2u);
}

TEST_F(AvroSinkTest, HasTwoRequestsOpenWhateverTheirSize) {
  server.grant(64);
  start({{"batch-size", "1"}});
  outlet.put("first");
  ASSERT_TRUE(turn_until_committed(1).ok());
  server.say(Says::nothing);
  outlet.put_all(std::vector<std::string>(3, std::string(5 << 20, 'x')));
  ASSERT_TRUE(turn_until_requests(1 + 2).ok());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_EQ(outlet.leased(), 2u);
  EXPECT_EQ(outlet.waiting(), 1u);
}

TEST_F(AvroSinkTest, ARefusedLeaseGoesBackAndTheOthersKeepTheirAnswers) {
  server.grant(8);
  start({{"batch-size", "1"}});
  outlet.put("first");
  ASSERT_TRUE(turn_until_committed(1).ok());
  server.say(Says::failed);
  outlet.put_all({"a", "b"});
  const Status status = turn_until_failure();
  EXPECT_THAT(status.message(), HasSubstr("answered FAILED"));
  EXPECT_EQ(outlet.leased(), 0u);
  EXPECT_EQ(outlet.waiting(), 2u);
  EXPECT_EQ(env.count(counter_names::kEventWriteFail), 1);
  EXPECT_FALSE(sink->process(outlet, {}).ok()) << "not at once again";
  EXPECT_EQ(server.connections(), 1u);
  server.say(Says::ok);
  clock.advance(milliseconds(200));
  ASSERT_TRUE(turn_until_committed(3).ok());
  EXPECT_EQ(server.connections(), 2u);
  EXPECT_THAT(server.bodies(), ElementsAre("first", "a", "b"));
}

TEST_F(AvroSinkTest, GivesUpAPeerThatDoesNotAnswer) {
  server.say(Says::nothing);
  start({{"request-timeout", "5000"}});
  outlet.put("a");
  ASSERT_TRUE(turn_until_requests(1).ok());
  EXPECT_TRUE(sink->process(outlet, {})->undecided) << "after a failure this would be no success";
  clock.advance(milliseconds(4999));
  EXPECT_TRUE(sink->process(outlet, {}).ok());
  clock.advance(milliseconds(1));
  EXPECT_THAT(turn_until_failure().message(), HasSubstr("did not answer in 5000 ms"));
  EXPECT_EQ(outlet.waiting(), 1u);
}

TEST_F(AvroSinkTest, ADeadPeerIsAFailureOnlyWhileSomethingIsOpen) {
  start();
  outlet.put("a");
  ASSERT_TRUE(turn_until_committed(1).ok());
  server.drop_connections();
  outlet.put("b");  // may be sent on the dead connection, or wait for the new one
  for (int failures = 0; outlet.committed().size() < 2; ++failures) {
    ASSERT_LE(failures, 1);
    if (turn_until_committed(2).ok()) break;
    clock.advance(milliseconds(200));
  }
  EXPECT_THAT(server.bodies(), ElementsAre("a", "b"));

  server.drop_connections();
  ASSERT_TRUE(turn_until([&] { return server.connections() == 3; }).ok()) << "nothing was open: no failure";
  server.say(Says::hangs_up);
  outlet.put("c");
  EXPECT_THAT(turn_until_failure().message(), HasSubstr("closed the connection"));
  EXPECT_EQ(outlet.waiting(), 1u);
}

TEST_F(AvroSinkTest, SaysThatNobodyIsThere) {
  {
    const AvroTestServer gone;
    start({{"port", std::to_string(gone.port())}});
  }
  sink->stop();
  ASSERT_TRUE(sink->start().ok());
  outlet.put("a");
  EXPECT_THAT(turn_until_failure().message(), HasSubstr("can't connect to 127.0.0.1:"));
  EXPECT_EQ(env.count(counter_names::kConnectionFailed), 1);
  EXPECT_EQ(outlet.waiting(), 1u);
}

TEST_F(AvroSinkTest, ConnectsAnewAfterTheIntervalAndRepeatsNothing) {
  start({{"reset-connection-interval", "10"}, {"batch-size", "1"}});
  outlet.put("a");
  ASSERT_TRUE(turn_until_committed(1).ok());
  server.answer_together(2);
  outlet.put("b");
  ASSERT_TRUE(turn_until([&] { return outlet.leased() == 1; }).ok());
  clock.advance(seconds(10));
  outlet.put("c");
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_EQ(server.connections(), 1u) << "b is still open";
  EXPECT_EQ(outlet.waiting(), 1u) << "nothing more is sent over the old connection";
  server.drop_connections();  // the answer to b never comes
  EXPECT_FALSE(turn_until_failure().ok());
  server.answer_together(1);
  clock.advance(milliseconds(200));
  ASSERT_TRUE(turn_until_committed(3).ok());
  clock.advance(seconds(10));
  ASSERT_TRUE(turn_until([&] { return server.connections() == 3; }).ok());
  outlet.put("d");
  ASSERT_TRUE(turn_until_committed(4).ok());
  EXPECT_THAT(server.bodies(), ElementsAre("a", "b", "c", "d"));
}

TEST_F(AvroSinkTest, SendsLargeEventsInSeveralRequests) {
  start();
  const std::string large(9 << 20, 'x');
  outlet.put_all({large, large, "small"});
  ASSERT_TRUE(turn_until_committed(3).ok());
  EXPECT_THAT(server.batches(), ElementsAre(1, 2));
  EXPECT_TRUE(server.bodies()[1] == large);
}

TEST_F(AvroSinkTest, SendsOneRequestHoweverFullTheMemoryIs) {
  server.grant(8);
  start({{"batch-size", "1"}});
  outlet.put("first");
  ASSERT_TRUE(turn_until_committed(1).ok());
  env.budget.force_charge(env.budget.limit());
  server.say(Says::nothing);
  outlet.put_all({"a", "b"});
  ASSERT_TRUE(turn_until_requests(2).ok());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_EQ(outlet.leased(), 1u);
  EXPECT_EQ(outlet.waiting(), 1u);
  env.budget.release(env.budget.limit());
}

TEST_F(AvroSinkTest, WaitsForOpenAnswersWhenItStops) {
  start();
  outlet.put("a");
  ASSERT_TRUE(turn_until([&] { return outlet.leased() == 1 || !outlet.committed().empty(); }).ok());
  sink->stop();
  EXPECT_THAT(outlet.committed(), ElementsAre("a"));
  sink->stop();
}

}  // namespace
}  // namespace standpipe

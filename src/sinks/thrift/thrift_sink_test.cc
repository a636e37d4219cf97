#include "sinks/thrift/thrift_sink.h"

#include <gmock/gmock.h>

#include "net/network.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"
#include "support/test_outlet.h"
#include "support/thrift_server.h"

namespace standpipe {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ThriftTestServer;
using Says = ThriftTestServer::Says;

/// Turns the sink by hand, with a clock that stands still. What all sinks that send requests do is tested with the avro
/// sink.
class ThriftSinkTest : public ::testing::TestWithParam<bool> {
 protected:
  void start(Settings::Map values = {}) {
    auto made = make(std::move(values));
    ASSERT_TRUE(made.ok()) << made.status().message();
    sink = std::move(made).value();
    ASSERT_TRUE(sink->start().ok());
  }
  Result<std::unique_ptr<Sink>> make(Settings::Map values) {
    env.environment.network = network.get();
    values.emplace("hostname", "127.0.0.1");
    values.emplace("port", std::to_string(server.port()));
    values.emplace("protocol", GetParam() ? "compact" : "binary");
    TRY_ASSIGN(const Settings settings, Settings::parse(*kThriftSink.info, std::move(values)));
    return kThriftSink.create(settings, env.environment);
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
      failure = sink->process(outlet, {}).status();
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

  VirtualClock clock;
  testing::TestEnvironment env{"k1", clock, real_file_system()};
  std::unique_ptr<Network> network = make_network();
  ThriftTestServer server{GetParam()};
  testing::TestOutlet outlet;
  std::unique_ptr<Sink> sink;
};

TEST_P(ThriftSinkTest, SendsBatchesAndCommitsThem) {
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

TEST_P(ThriftSinkTest, CommitsNothingBeforeTheAnswer) {
  server.say(Says::nothing);
  start({{"request-timeout", "5000"}});
  outlet.put("a");
  ASSERT_TRUE(turn_until([&] { return server.requests() == 1; }).ok());
  EXPECT_EQ(outlet.leased(), 1u);
  EXPECT_THAT(outlet.committed(), IsEmpty());
  clock.advance(milliseconds(5000));
  EXPECT_THAT(turn_until_failure().message(), HasSubstr("did not answer in 5000 ms"));
  EXPECT_EQ(outlet.waiting(), 1u);
}

TEST_P(ThriftSinkTest, HasOneRequestOpenTowardsFlume) {
  start({{"batch-size", "1"}});
  outlet.put("first");
  ASSERT_TRUE(turn_until_committed(1).ok());
  EXPECT_EQ(server.asked_window(), 64u);
  server.answer_together(2);
  outlet.put_all({"a", "b", "c"});
  ASSERT_TRUE(turn_until([&] { return outlet.leased() == 1; }).ok());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_EQ(outlet.leased(), 1u);
  EXPECT_EQ(outlet.waiting(), 2u);
}

TEST_P(ThriftSinkTest, FillsTheWindowThatAPeerGrants) {
  server.grant(3);
  start({{"batch-size", "1"}});
  outlet.put("first");
  ASSERT_TRUE(turn_until_committed(1).ok());
  server.answer_together(3);
  outlet.put_all({"a", "b", "c", "d"});
  ASSERT_TRUE(turn_until_committed(4).ok());  // it takes three open ones to be answered, and in any order
  EXPECT_THAT(outlet.committed(), ::testing::UnorderedElementsAre("first", "a", "b", "c"));
}

TEST_P(ThriftSinkTest, WhatIsRefusedGoesBack) {
  server.say(Says::failed);
  start();
  outlet.put("a");
  EXPECT_THAT(turn_until_failure().message(), HasSubstr("answered FAILED"));
  EXPECT_EQ(outlet.waiting(), 1u);
  EXPECT_EQ(env.count(counter_names::kEventWriteFail), 1);
  server.say(Says::error);
  clock.advance(milliseconds(200));
  EXPECT_THAT(turn_until_failure().message(), HasSubstr("answered with an error: no such luck"));
  server.say(Says::hangs_up);
  clock.advance(milliseconds(200));
  EXPECT_THAT(turn_until_failure().message(), HasSubstr("closed the connection"));
  server.say(Says::ok);
  clock.advance(milliseconds(200));
  ASSERT_TRUE(turn_until_committed(1).ok());
  EXPECT_THAT(server.bodies(), ElementsAre("a"));
}

TEST_P(ThriftSinkTest, SendsNoLargerRequestsThanFlumeReads) {
  start();
  const std::string large(10'000'000, 'x');
  outlet.put_all({large, large, "small"});
  ASSERT_TRUE(turn_until_committed(3).ok());
  EXPECT_THAT(server.batches(), ElementsAre(1, 2));
  EXPECT_TRUE(server.bodies()[1] == large);
}

TEST_P(ThriftSinkTest, RefusesKerberos) {
  EXPECT_THAT(make({{"kerberos", "true"}, {"client-principal", "flume/h@R"}}).status().message(),
              HasSubstr("kerberos = true"));
}

TEST_P(ThriftSinkTest, TakesBinaryInLowerCaseOnlyAsFlume) {
  ASSERT_TRUE(make({{"protocol", "BINARY"}}).ok());
  EXPECT_TRUE(env.log.contains("protocol = BINARY means compact"));
}

INSTANTIATE_TEST_SUITE_P(Protocols, ThriftSinkTest, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Compact" : "Binary"; });

}  // namespace
}  // namespace standpipe

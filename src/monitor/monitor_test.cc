#include "monitor/monitor.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "support/tcp_client.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class MonitorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(monitor.start({"127.0.0.1", 0}).ok());
    source_entry = registry.add({"a1", ComponentKind::source, "r1", &source_counters, [this] { return health; }});
    channel_entry = registry.add({"a1", ComponentKind::channel, "c1", &channel_counters, {}});
  }

  std::string get(const std::string& path) {
    testing::TcpClient client(monitor.port());
    client.send("GET " + path + " HTTP/1.1\r\n\r\n");
    return client.rest();
  }
  nlohmann::json json(const std::string& path) {
    const std::string answer = get(path);
    return nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")));
  }

  testing::TestEnvironment env;
  VirtualClock clock;
  CounterGroup source_counters;
  CounterGroup channel_counters;
  Health health{LifeState::running, {}, 0};
  Registry registry;
  Registry::Registration source_entry;
  Registry::Registration channel_entry;
  std::unique_ptr<Network> network = make_network();
  Monitor monitor{registry, *network, clock, env.budget, env.log};
};

TEST_F(MonitorTest, PublishesFlumesAttributes) {
  source_counters.counter(counter_names::kEventReceived).add(7);
  channel_counters.gauge(counter_names::kChannelSize, [] { return 25.0; });
  channel_counters.gauge(counter_names::kChannelCapacity, [] { return 200.0; });
  const nlohmann::json metrics = json("/METRICS");
  EXPECT_EQ(metrics["SOURCE.r1"]["EventReceivedCount"], "7");
  EXPECT_EQ(metrics["SOURCE.r1"]["OpenConnectionCount"], "0");
  EXPECT_EQ(metrics["SOURCE.r1"]["Type"], "SOURCE");
  EXPECT_EQ(metrics["SOURCE.r1"].size(), 13u);
  EXPECT_EQ(metrics["CHANNEL.c1"]["ChannelFillPercentage"], "12.5");
  EXPECT_EQ(metrics["CHANNEL.c1"]["ChannelSize"], "25");
  EXPECT_EQ(metrics["CHANNEL.c1"].size(), 10u);
  channel_counters.clear_gauges();
}

TEST_F(MonitorTest, GivesFlumesAnswerForAChannelWithoutCapacity) {
  EXPECT_EQ(json("/metrics")["CHANNEL.c1"]["ChannelFillPercentage"], "1.7976931348623157E308");
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(MonitorTest, ForgetsWhatIsTakenOut) {
  source_entry = {};
  EXPECT_FALSE(json("/metrics").contains("SOURCE.r1"));
}

TEST_F(MonitorTest, PublishesForPrometheus) {
  const std::string answer = get("/metrics/prometheus");
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("\nstandpipe_memory_budget_limit_bytes " + std::to_string(env.budget.limit()) + "\n"));
}

TEST_F(MonitorTest, SaysThatAComponentFails) {
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200"));
  health.state = LifeState::error;
  health.error = Status(Code::unavailable, "port taken");
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(json("/healthz")["reasons"][0]["component"], "SOURCE.r1");
}

TEST_F(MonitorTest, SaysThatAChannelStaysFull) {
  channel_counters.gauge(counter_names::kChannelSize, [] { return 10.0; });
  channel_counters.gauge(counter_names::kChannelCapacity, [] { return 10.0; });
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200"));
  clock.advance(std::chrono::seconds(61));
  EXPECT_EQ(json("/healthz")["reasons"][0]["reason"], "full");
}

TEST_F(MonitorTest, HasAPageForAPerson) {
  EXPECT_THAT(get("/"), HasSubstr("SOURCE.r1"));
  EXPECT_THAT(get("/nothing"), StartsWith("HTTP/1.1 404"));
}

TEST_F(MonitorTest, NamesThePortThatIsTaken) {
  Monitor second{registry, *network, clock, env.budget, env.log};
  const Status status = second.start({"127.0.0.1", monitor.port()});
  EXPECT_EQ(status.code(), Code::unavailable);
  EXPECT_THAT(status.message(), HasSubstr("-Dflume.monitoring.port"));
}

}  // namespace
}  // namespace standpipe

#include "monitor/render.h"

#include <gmock/gmock.h>

#include <limits>

#include "monitor/metrics.h"

namespace standpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ComponentReading reading(ComponentKind kind, std::string name, std::map<std::string, double> values = {}) {
  return {"a1", kind, std::move(name), std::move(values)};
}

TEST(JavaDouble, PrintsAsJavaDoes) {
  EXPECT_EQ(java_double(0), "0.0");
  EXPECT_EQ(java_double(12.5), "12.5");
  EXPECT_EQ(java_double(100), "100.0");
  EXPECT_EQ(java_double(33.33333333333333), "33.33333333333333");
  EXPECT_EQ(java_double(0.001), "0.001");
  EXPECT_EQ(java_double(0.00099), "9.9E-4");
  EXPECT_EQ(java_double(9999999), "9999999.0");
  EXPECT_EQ(java_double(1e7), "1.0E7");
  EXPECT_EQ(java_double(-1.25e-10), "-1.25E-10");
  EXPECT_EQ(java_double(std::numeric_limits<double>::max()), "1.7976931348623157E308");
}

TEST(FlumeJson, HasFlumesShape) {
  EXPECT_EQ(
      render_flume_json({reading(ComponentKind::channel, "c1", {{"ChannelSize", 5}, {"ChannelFillPercentage", 5}}),
                         reading(ComponentKind::sink, "k1")}),
      R"({"CHANNEL.c1":{"ChannelFillPercentage":"5.0","ChannelSize":"5","Type":"CHANNEL"},"SINK.k1":{"Type":"SINK"}})");
  EXPECT_EQ(render_flume_json({}), "{}");
}

TEST(FlumeJson, EscapesAsGsonDoes) {
  EXPECT_EQ(render_flume_json({reading(ComponentKind::sink, "a<b>'&=\"\\\x01")}),
            R"({"SINK.a\u003cb\u003e\u0027\u0026\u003d\"\\\u0001":{"Type":"SINK"}})");
}

TEST(Prometheus, GroupsSamplesUnderOneHeading) {
  const std::string text = render_prometheus({reading(ComponentKind::source, "r1", {{"EventReceivedCount", 3}}),
                                              reading(ComponentKind::source, "r\"2", {{"EventReceivedCount", 4}})},
                                             {});
  EXPECT_THAT(text, HasSubstr("# HELP standpipe_event_received_total Events that arrived at the source.\n"
                              "# TYPE standpipe_event_received_total counter\n"
                              "standpipe_event_received_total{agent=\"a1\",kind=\"source\",component=\"r1\"} 3\n"
                              "standpipe_event_received_total{agent=\"a1\",kind=\"source\",component=\"r\\\"2\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("standpipe_up{agent=\"a1\",kind=\"source\",component=\"r1\"} 1\n"));
}

TEST(Prometheus, UsesBaseUnits) {
  const std::string text = render_prometheus(
      {reading(ComponentKind::channel, "c1", {{"StartTime", 1700000000500}, {"ChannelFillPercentage", 50}})}, {});
  EXPECT_THAT(text,
              HasSubstr("standpipe_start_time_seconds{agent=\"a1\",kind=\"channel\",component=\"c1\"} 1700000000.5\n"));
  EXPECT_THAT(text, HasSubstr("standpipe_channel_fill_ratio{agent=\"a1\",kind=\"channel\",component=\"c1\"} 0.5\n"));
}

TEST(Prometheus, NamesWhatIsNotInTheTable) {
  EXPECT_EQ(derived_metric_name("FilesRolledCount", true), "standpipe_files_rolled_total");
  EXPECT_EQ(derived_metric_name("TailLag", false), "standpipe_tail_lag");
  EXPECT_EQ(derived_metric_name("Bad-Name", false), "standpipe_bad__name");
}

TEST(ProcessReadingTest, SeesThisProcess) {
  const ProcessReading process = read_process();
  EXPECT_GT(process.resident_bytes, 1u << 20);
  EXPECT_GE(process.open_descriptors, 3u);
}

TEST(HealthJudgeTest, IsContentWithWhatRuns) {
  HealthJudge judge;
  EXPECT_THAT(judge.judge({reading(ComponentKind::sink, "k1")}, 0), IsEmpty());
  EXPECT_EQ(render_health({}), R"({"status":"ok","reasons":[]})");
}

TEST(HealthJudgeTest, NamesWhatFails) {
  HealthJudge judge;
  auto sink = reading(ComponentKind::sink, "k1");
  sink.state = LifeState::error;
  sink.error = Code::unavailable;
  sink.message = "no route";
  EXPECT_EQ(render_health(judge.judge({sink}, 0)),
            R"({"status":"failing","reasons":[{"component":"SINK.k1","reason":"error","message":"no route"}]})");
  sink.state = LifeState::running;
  sink.error = Code::poison;
  EXPECT_EQ(judge.judge({sink}, 0)[0].kind, "poison");
  sink.error = Code::ok;
  sink.state = LifeState::starting;
  sink.since_ms = 1000;
  EXPECT_THAT(judge.judge({sink}, 61'000), IsEmpty());
  EXPECT_EQ(judge.judge({sink}, 61'001)[0].kind, "starting");
  sink.state = LifeState::abandoned;
  EXPECT_EQ(judge.judge({sink}, 0)[0].kind, "abandoned");
}

TEST(HealthJudgeTest, MindsAChannelThatStaysFull) {
  HealthJudge judge;
  const auto full = reading(ComponentKind::channel, "c1", {{"ChannelFillPercentage", 100}, {"ChannelCapacity", 10}});
  const auto drained = reading(ComponentKind::channel, "c1", {{"ChannelFillPercentage", 99}, {"ChannelCapacity", 10}});
  EXPECT_THAT(judge.judge({full}, 0), IsEmpty());
  EXPECT_THAT(judge.judge({full}, 60'000), IsEmpty());
  EXPECT_EQ(judge.judge({full}, 60'001)[0].kind, "full");
  EXPECT_THAT(judge.judge({drained}, 60'002), IsEmpty());
  EXPECT_THAT(judge.judge({full}, 60'003), IsEmpty());
  EXPECT_THAT(judge.judge({full}, 120'000), IsEmpty());
}

TEST(Html, EscapesNames) {
  EXPECT_THAT(render_html({reading(ComponentKind::sink, "<script>")}), Not(HasSubstr("<script>")));
}

}  // namespace
}  // namespace standpipe

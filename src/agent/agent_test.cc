#include "agent/agent.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/agent_world.h"
#include "support/engine_parts.h"
#include "support/line_count.h"
#include "support/tcp_client.h"

namespace standpipe {
namespace {

using testing::AgentWorld;
using testing::count_lines;
using testing::eventually;
using testing::TcpClient;

/// r1 (netcat) -> c1 -> k1 (file_roll into out/); c2 -> k2 (file_roll into out2/) stands beside it.
class AgentTest : public ::testing::Test {
 protected:
  explicit AgentTest(int drain_timeout_ms = 20'000) : drain_timeout_ms_(drain_timeout_ms) {
    for (const char* folder : {"out", "out2"}) std::filesystem::create_directory(world_.file(folder));
  }

  /// Later lines win over earlier ones.
  std::string base(const std::string& more = "") const {
    return "a1.drainTimeout = " + std::to_string(drain_timeout_ms_) + "\n" +
           "a1.sources = r1\na1.channels = c1 c2\na1.sinks = k1 k2\n"
           "a1.sources.r1.type = netcat\na1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = 1\n"
           "a1.sources.r1.channels = c1\n"
           "a1.channels.c1.type = memory\na1.channels.c2.type = memory\n" +
           sink("k1", "c1", "out") + sink("k2", "c2", "out2") + more;
  }
  std::string sink(const std::string& name, const std::string& channel, const std::string& folder) const {
    const std::string prefix = "a1.sinks." + name + ".";
    return prefix + "type = file_roll\n" + prefix + "channel = " + channel + "\n" + prefix +
           "sink.directory = " + world_.file(folder) + "\n" + prefix + "sink.rollInterval = 0\n";
  }
  /// All to c2, c1 and its sink gone.
  std::string without_c1() const { return base("a1.sources.r1.channels = c2\na1.channels = c2\na1.sinks = k2\n"); }

  void connect() {
    ASSERT_TRUE(eventually([&] { return world_.network().port(1) != 0; }));
    client_.emplace(world_.network().port(1));
    ASSERT_TRUE(client_->connected());
  }
  void send(const std::string& line) {
    ASSERT_TRUE(client_->send(line + "\n"));
    ASSERT_EQ(client_->line(), "OK") << line;
  }
  bool arrives(const std::string& line, const std::string& folder) {
    return eventually([&] { return count_lines(world_.file(folder)).contains(line); });
  }
  /// A source that answers may not have said yet that it started.
  double start_time(const std::string& component) const {
    const auto known = [&] { return world_.counter(component, "StartTime"); };
    EXPECT_TRUE(eventually([&] { return known() > 0; })) << component << " does not start";
    return known();
  }

  const int drain_timeout_ms_;
  AgentWorld world_;
  std::optional<TcpClient> client_;
};

class ShortDrainTest : public AgentTest {
 protected:
  ShortDrainTest() : AgentTest(50) {}
};

TEST_F(AgentTest, ALineGoesThroughAndStopDrains) {
  world_.apply(base());
  connect();
  for (int i = 0; i < 500; ++i) send("line " + std::to_string(i));
  EXPECT_TRUE(world_.agent().stop().clean());
  EXPECT_EQ(count_lines(world_.file("out")).size(), 500u);
}

TEST_F(AgentTest, StopDrainsABacklog) {
  // Leases of one event: the source is far ahead when the agent stops.
  world_.apply(
      base("a1.sources.r1.type = seq\na1.sources.r1.totalEvents = 200000\na1.sources.r1.batchSize = 1000\n"
           "a1.channels.c1.capacity = 200000\na1.channels.c1.transactionCapacity = 1000\n"
           "a1.sinks.k1.sink.batchSize = 1\n"));
  ASSERT_TRUE(eventually([&] { return world_.counter("SOURCE.r1", "EventAcceptedCount") >= 100'000; }));
  EXPECT_TRUE(world_.agent().stop().clean());
}

TEST_F(AgentTest, AnInterceptorSwapsWithoutClosingTheConnection) {
  const std::string with_headers = base("a1.sinks.k1.sink.serializer = header_and_text\n");
  world_.apply(with_headers);
  connect();
  send("one");
  const double since = start_time("SOURCE.r1");
  world_.apply(with_headers +
               "a1.sources.r1.interceptors = i\na1.sources.r1.interceptors.i.type = static\n"
               "a1.sources.r1.interceptors.i.key = k\na1.sources.r1.interceptors.i.value = v\n");
  EXPECT_TRUE(world_.logged("applying sources: ~r1"));
  send("two");
  EXPECT_TRUE(arrives("{} one", "out"));
  EXPECT_TRUE(arrives("{k=v} two", "out"));
  EXPECT_EQ(start_time("SOURCE.r1"), since);
}

TEST_F(AgentTest, ASourceGoesOverToAnotherChannelAndTheOldOneIsDrained) {
  world_.apply(base());
  connect();
  for (int i = 0; i < 100; ++i) send("old " + std::to_string(i));
  world_.apply(without_c1());
  EXPECT_TRUE(world_.logged("the new configuration is applied")) << world_.log();
  send("new");
  EXPECT_TRUE(arrives("new", "out2"));
  EXPECT_EQ(count_lines(world_.file("out")).size(), 100u);
  EXPECT_FALSE(world_.counters().contains("CHANNEL.c1"));
  EXPECT_FALSE(world_.counters().contains("SINK.k1"));
}

TEST_F(AgentTest, SourcesAreHeldWhileTheirChannelIsDrained) {
  // The source stores far faster than leases of one event take: unless it is held the channel never gets empty.
  const std::string flood =
      "a1.drainTimeout = 15000\na1.sources.r1.type = seq\na1.sources.r1.batchSize = 1000\n"
      "a1.channels.c1.capacity = 50000\na1.channels.c1.transactionCapacity = 1000\n"
      "a1.channels.c2.transactionCapacity = 1000\n"
      "a1.sinks.k1.sink.batchSize = 1\n";
  world_.apply(base(flood));
  ASSERT_TRUE(eventually([&] { return world_.counter("CHANNEL.c1", "ChannelSize") >= 40'000; }));
  world_.apply(without_c1() + flood);
  ASSERT_TRUE(world_.logged("the new configuration is applied")) << world_.log();
  EXPECT_FALSE(world_.counters().contains("CHANNEL.c1"));
  EXPECT_TRUE(world_.agent().stop().clean());
}

TEST_F(AgentTest, WhatAChannelOnDiskHoldsWhenItEndsIsSaid) {
  const std::string folders = "checkpointDir = " + world_.file("check") + ", dataDirs = " + world_.file("data");
  world_.apply(
      base("a1.channels.c1.type = file\na1.channels.c1.minimumRequiredSpace = 0\na1.channels.c1.checkpointDir = " +
           world_.file("check") + "\na1.channels.c1.dataDirs = " + world_.file("data") +
           "\na1.sinks.k1.sink.directory = /proc/nowhere\n"));
  connect();
  for (int i = 0; i < 7; ++i) send("line " + std::to_string(i));
  world_.apply(base());
  EXPECT_TRUE(world_.logged("channel c1 has ended with 7 events in it, which nobody delivers now: they stay on disk, " +
                            folders))
      << world_.log();
  world_.mark_log();
  world_.apply(without_c1());
  EXPECT_FALSE(world_.logged("has ended with")) << "one in memory runs empty";
}

TEST_F(AgentTest, AChannelOfAnotherTypeTakesOverItsName) {
  world_.apply(base());
  connect();
  for (int i = 0; i < 100; ++i) send("old " + std::to_string(i));
  world_.apply(base("a1.channels.c1.type = pseudotxn\n"));
  EXPECT_TRUE(world_.logged("applying channels: +c1 -c1; sources: ~r1; sinks: +k1 -k1")) << world_.log();
  for (int i = 0; i < 100; ++i) send("new " + std::to_string(i));
  EXPECT_TRUE(world_.agent().stop().clean());
  EXPECT_EQ(count_lines(world_.file("out")).size(), 200u);
}

TEST_F(ShortDrainTest, AReloadIsRefusedWhileAChannelThatWouldEndCantBeDrained) {
  world_.apply(base("a1.sinks.k1.sink.directory = " + world_.file("missing") + "\n"));
  connect();
  send("kept");
  const double since = start_time("SOURCE.r1");
  world_.apply(without_c1());
  EXPECT_TRUE(world_.logged("channel c1 ends: its 1 events are drained first")) << world_.log();
  ASSERT_TRUE(world_.logged("refused: channel c1 would end, and still holds 1 events")) << world_.log();
  send("still taken");
  EXPECT_EQ(start_time("SOURCE.r1"), since);
  EXPECT_EQ(world_.counter("CHANNEL.c1", "ChannelSize"), 2);

  world_.apply(base());  // a sink that works
  EXPECT_TRUE(arrives("kept", "out"));
  EXPECT_TRUE(arrives("still taken", "out"));
}

TEST_F(ShortDrainTest, WhatARefusedReloadHadResizedGoesBack) {
  world_.apply(base("a1.sinks.k1.sink.directory = " + world_.file("missing") + "\n"));
  connect();
  send("kept");
  world_.apply(without_c1() + "a1.channels.c2.capacity = 7\n");
  EXPECT_TRUE(world_.logged("refused"));
  EXPECT_EQ(world_.counter("CHANNEL.c2", "ChannelCapacity"), 100);
}

TEST_F(ShortDrainTest, CapacitiesAreTakenOverInPlaceWithWhatTheChannelHolds) {
  world_.apply(base("a1.sinks.k1.sink.directory = " + world_.file("missing") + "\n"));
  connect();
  for (int i = 0; i < 20; ++i) send(std::to_string(i));
  const double since = start_time("CHANNEL.c1");
  world_.apply(base("a1.sinks.k1.sink.directory = " + world_.file("missing") + "\na1.channels.c1.capacity = 5000\n"));
  EXPECT_EQ(world_.counter("CHANNEL.c1", "ChannelCapacity"), 5000);
  EXPECT_EQ(world_.counter("CHANNEL.c1", "ChannelSize"), 20);
  EXPECT_EQ(start_time("CHANNEL.c1"), since);
}

TEST_F(AgentTest, WhatCouldNotBeMadeIsLeftOutAndTriedAgainWithTheNextChange) {
  const std::string group =
      "a1.sinks = k1 k2 k3\na1.sinkgroups = g1\na1.sinkgroups.g1.processor.type = load_balance\n"
      "a1.sinkgroups.g1.sinks = k1 k3\n";
  const std::string refused =
      "a1.sinks.k3.type = avro\na1.sinks.k3.hostname = localhost\na1.sinks.k3.port = 1\na1.sinks.k3.channel = c1\n"
      "a1.sinks.k3.ssl = true\na1.sinks.k3.truststore = /nonexistent\n";
  world_.apply(base(group + refused));
  EXPECT_TRUE(world_.logged("a1.conf:23: sink k3: key store /nonexistent")) << world_.log();
  EXPECT_TRUE(world_.logged("; sink group g1 with all its sinks is left out")) << world_.log();
  EXPECT_FALSE(world_.counters().contains("SINK.k1"));
  connect();
  send("waits");
  world_.apply(base(group + sink("k3", "c1", "out2")));
  EXPECT_TRUE(world_.counters().contains("SINK.k1")) << world_.log();
  EXPECT_TRUE(eventually([&] { return world_.counter("CHANNEL.c1", "ChannelSize") == 0; }));
  const double since = start_time("SINK.k1");
  world_.mark_log();
  world_.apply(base(group + refused));
  EXPECT_TRUE(world_.logged("refused")) << "it runs now: " << world_.log();
  EXPECT_EQ(start_time("SINK.k1"), since);
}

TEST_F(AgentTest, WhatDoesNotEndAtAReloadIsNamedByHealth) {
  const std::string hdfs = base("a1.stopTimeout = 50\na1.sinks.k1.type = hdfs\na1.sinks.k1.hdfs.path = file://" +
                                world_.file("out") + "\na1.sinks.k1.hdfs.fileType = DataStream\n");
  world_.apply(hdfs);
  connect();
  EXPECT_EQ(world_.health(), R"({"status":"ok","reasons":[]})");
  world_.files().hold_syncs("/out/");
  send("hangs");
  ASSERT_TRUE(eventually([&] { return world_.files().held_syncs() == 1; })) << world_.log();
  world_.apply(hdfs + "a1.sinks.k1.hdfs.batchSize = 7\n");
  EXPECT_NE(world_.health().find(R"-("component":"SINK.k1 (removed)","reason":"abandoned")-"), std::string::npos)
      << world_.health();
  EXPECT_TRUE(world_.counters().contains("SINK.k1"));
  world_.files().release_syncs();
  EXPECT_TRUE(arrives("hangs", "out"));
  EXPECT_FALSE(world_.agent().stop().clean());
}

TEST_F(AgentTest, StopIsLegalTwiceAndBeforeAnythingRuns) {
  EXPECT_TRUE(world_.agent().stop().clean());
  EXPECT_TRUE(world_.agent().stop().clean());
}

}  // namespace
}  // namespace standpipe

#include "agent/rehearsal.h"

#include <gmock/gmock.h>

#include "agent/builtin.h"
#include "agent/configuration_source.h"
#include "config/catalog.h"

namespace standpipe {
namespace {

using ::testing::HasSubstr;

constexpr const char* kFlow = R"(a1.sources = r1
a1.channels = c1
a1.sinks = k1 k2
a1.sources.r1.type = seq
a1.sources.r1.channels = c1
a1.channels.c1.type = memory
a1.sinks.k1.type = hdfs
a1.sinks.k1.channel = c1
a1.sinks.k2.type = null
a1.sinks.k2.channel = c1
)";

Configuration rehearsed(const std::string& more) {
  const ConfigText text{"a.conf", kFlow + more};
  Configuration configuration = load_for_process({&text, 1}, {});
  EXPECT_TRUE(configuration.diagnostics.empty());
  rehearse(configuration);
  return configuration;
}

TEST(Rehearsal, WhatCanBeMadeStaysAsItIs) {
  const Configuration configuration = rehearsed("a1.sinks.k1.hdfs.path = file:///data/%{topic}\n");
  EXPECT_TRUE(configuration.diagnostics.empty());
  EXPECT_EQ(configuration.agents.at(0).sinks.size(), 2u);
}

TEST(Rehearsal, WhatAComponentRefusesIsAnErrorAtItsLineAndLeavesTheGraph) {
  const Configuration configuration = rehearsed("a1.sinks.k1.hdfs.path = hdfs://namenode/data\n");
  ASSERT_EQ(configuration.diagnostics.size(), 1u);
  const Diagnostic& found = configuration.diagnostics.front();
  EXPECT_EQ(found.severity, Severity::error);
  EXPECT_EQ(found.line, 7u);
  EXPECT_EQ(found.key, "a1.sinks.k1");
  EXPECT_THAT(found.message, HasSubstr("hdfs:// is known to Flume, not yet here"));
  EXPECT_EQ(found.consequence, "sink k1 is left out");
  EXPECT_EQ(configuration.agents.at(0).sink("k1"), nullptr);
  EXPECT_NE(configuration.agents.at(0).sink("k2"), nullptr);
}

TEST(Rehearsal, AGroupGoesWithAMemberThatCantBeMade) {
  const Configuration configuration = rehearsed(
      "a1.sinks.k1.hdfs.path = hdfs://namenode/data\na1.sinkgroups = g1\na1.sinkgroups.g1.sinks = k1 k2\n"
      "a1.sinkgroups.g1.processor.type = failover\n");
  ASSERT_EQ(configuration.diagnostics.size(), 1u);
  EXPECT_EQ(configuration.diagnostics.front().consequence, "sink group g1 is left out with all its sinks");
  EXPECT_TRUE(configuration.agents.at(0).sinks.empty());
  EXPECT_TRUE(configuration.agents.at(0).groups.empty());
}

}  // namespace
}  // namespace standpipe

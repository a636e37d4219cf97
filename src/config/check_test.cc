#include "config/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/test_catalog.h"

namespace standpipe {
namespace {

using config_test::base_and;
using config_test::load;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Check, OneDiagnosticInThreeLines) {
  const Configuration loaded = load(base_and("a1.channels.c1.capcity = 5\n"));
  EXPECT_EQ(render(loaded.diagnostics),
            "t.conf:11: warning: a1.channels.c1.capcity: memory has no property 'capcity' [unknown-property]\n"
            "    did you mean capacity?\n"
            "    -> it is ignored; capacity stays 100\n"
            "0 errors, 1 warning\n");
}

TEST(Check, NeighboursWithTheSameAdviceShareIt) {
  const Configuration loaded = load(base_and("mkdir /a\nmkdir /b\n"));
  EXPECT_EQ(render(loaded.diagnostics),
            "t.conf:11: warning: mkdir: this is no property of an agent [invalid-property]\n"
            "t.conf:12: warning: mkdir: this is no property of an agent [invalid-property]\n"
            "    properties look like a1.sources.r1.type = netcat; comments begin with '#'\n"
            "    -> it is ignored\n"
            "0 errors, 2 warnings\n");
}

TEST(Check, AChannelThatNoSinkEmptiesIsNoReliableWay) {
  const Configuration loaded = load(
      "a1.sources=r1\na1.channels=c1\na1.channels.c1.type=memory\n"
      "a1.sources.r1.type=netcat\na1.sources.r1.bind=h\na1.sources.r1.port=1\na1.sources.r1.channels=c1\n");
  EXPECT_THAT(render_flow(loaded.agents[0]),
              HasSubstr("  r1 -> c1 -> nobody: no sink empties channel c1: it fills up, then r1 waits\n"));
}

TEST(Check, AChannelThatDropsMakesNobodyWait) {
  const Configuration loaded = load(
      "a1.sources=r1\na1.channels=c1\na1.channels.c1.type=memory\na1.channels.c1.onFull=drop\n"
      "a1.sources.r1.type=netcat\na1.sources.r1.bind=h\na1.sources.r1.port=1\na1.sources.r1.channels=c1\n");
  EXPECT_THAT(render_flow(loaded.agents[0]),
              HasSubstr("  r1 -> c1 -> nobody: no sink empties channel c1: it fills up, then what comes is dropped\n"));
}

TEST(Check, AnOptionWithoutEffectLowersNoLevel) {
  const Configuration loaded = load(
      "a1.sources=r1\na1.channels=c1\na1.channels.c1.type=file\na1.channels.c1.fsyncPerTransaction=false\n"
      "a1.sources.r1.type=netcat\na1.sources.r1.bind=h\na1.sources.r1.port=1\na1.sources.r1.channels=c1\n"
      "a1.sinks=k1\na1.sinks.k1.type=logger\na1.sinks.k1.channel=c1\n");
  EXPECT_THAT(render_flow(loaded.agents[0]), HasSubstr("  r1 -> c1 -> k1: end-to-end\n"));
}

TEST(Check, ControlCharactersDoNotReachTheTerminal) {
  const Configuration loaded = load("a1.\x1b[2J.x = 1\n");
  EXPECT_THAT(render(loaded.diagnostics), Not(HasSubstr("\x1b")));
  EXPECT_THAT(render(loaded.diagnostics), HasSubstr("\\x1b[2J"));
}

TEST(Check, ExitCodes) {
  const Diagnostic error{.severity = Severity::error};
  const Diagnostic warning{.severity = Severity::warning};
  const Diagnostic note{.severity = Severity::note};
  EXPECT_EQ(exit_code({}, true), 0);
  EXPECT_EQ(exit_code({note}, true), 0);
  EXPECT_EQ(exit_code({note, warning}, false), 0);
  EXPECT_EQ(exit_code({note, warning}, true), 1);
  EXPECT_EQ(exit_code({warning, error}, false), 2);
}

TEST(Check, TheFlowAsAPicture) {
  const Configuration loaded = load(
      "a1.sources = r1\na1.channels = c1 c2\na1.sinks = k1 k2 k3\n"
      "a1.sources.r1.type = netcat\na1.sources.r1.bind = h\na1.sources.r1.port = 1\na1.sources.r1.channels = c1 c2\n"
      "a1.sources.r1.interceptors = i1 i2\na1.sources.r1.interceptors.i1.type = static\n"
      "a1.sources.r1.interceptors.i2.type = host\n"
      "a1.sources.r1.selector.type = multiplexing\na1.sources.r1.selector.header = state\n"
      "a1.sources.r1.selector.mapping.CZ = c1\na1.sources.r1.selector.default = c2\n"
      "a1.channels.c1.type = memory\na1.channels.c2.type = file\n"
      "a1.sinks.k1.type = hdfs\na1.sinks.k1.hdfs.path = /x\na1.sinks.k1.channel = c1\n"
      "a1.sinks.k2.type = logger\na1.sinks.k2.channel = c2\na1.sinks.k3.type = logger\na1.sinks.k3.channel = c2\n"
      "a1.sinkgroups = g1\na1.sinkgroups.g1.sinks = k2 k3\na1.sinkgroups.g1.processor.type = failover\n");
  EXPECT_EQ(render_flow(loaded.agents[0]),
            "agent a1\n"
            "  r1 (netcat)\n"
            "    through i1 (static), i2 (host)\n"
            "    selector: multiplexing by header 'state'\n"
            "    -> c1 (memory) ['CZ'] -> k1 (hdfs)\n"
            "    -> c2 (file) [default] -> k2 (logger) in g1, k3 (logger) in g1\n"
            "  group g1 (failover): k2, k3\n"
            "reliability\n"
            "  r1 -> c1 -> k1: in memory; channel c1 is in memory: a crash loses what it holds\n"
            "  r1 -> c2 -> k2, k3: end-to-end\n"
            "  k2 acknowledges: the line was logged\n"
            "  k3 acknowledges: the line was logged\n");
}

TEST(Check, AnAgentOfWhichNothingRuns) {
  const Configuration loaded = load("a1.sources = r1\n");
  EXPECT_EQ(render_flow(loaded.agents[0]), "agent a1\n  nothing runs\n");
}

TEST(Check, DiagnosticsOfOneAgent) {
  const Configuration loaded = load(base_and("b2.sources = r1\nmkdir x\na1.channels.c1.capcity = 5\n"));
  const Diagnostics found = diagnostics_of(loaded, "a1");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].key, "mkdir");
  EXPECT_EQ(found[1].agent, "a1");
}

}  // namespace
}  // namespace standpipe

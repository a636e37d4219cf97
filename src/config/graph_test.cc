#include "config/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/test_catalog.h"

namespace standpipe {
namespace {

using config_test::base_and;
using config_test::lines_of;
using config_test::load;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

/// The only diagnostic of a text that is no note.
Diagnostic only(const Configuration& configuration) {
  Diagnostics found;
  for (const Diagnostic& diagnostic : configuration.diagnostics) {
    if (diagnostic.severity != Severity::note) found.push_back(diagnostic);
  }
  EXPECT_THAT(found, SizeIs(1)) << ::testing::PrintToString(lines_of(configuration));
  return found.empty() ? Diagnostic{} : found.front();
}

TEST(Graph, ASoundAgentHasNoDiagnostics) {
  const Configuration loaded = load(config_test::kBase);
  EXPECT_THAT(loaded.diagnostics, IsEmpty());
  const AgentGraph* agent = loaded.find("a1");
  ASSERT_NE(agent, nullptr);
  ASSERT_THAT(agent->sources, SizeIs(1));
  EXPECT_EQ(agent->sources[0].settings.integer("port"), 44444);
  EXPECT_THAT(agent->sources[0].channels, ElementsAre("c1"));
  EXPECT_EQ(agent->sources[0].selector.info, &config_test::kReplicating);
  EXPECT_EQ(agent->sources[0].line, 4U);
  ASSERT_THAT(agent->sinks, SizeIs(1));
  EXPECT_EQ(agent->sinks[0].channel, "c1");
}

TEST(Graph, TheOrderOfKeysDoesNotMatter) {
  std::vector<std::string> lines;
  std::string text(config_test::kBase);
  std::string reversed;
  for (std::size_t end = text.size(); end > 0;) {
    const std::size_t begin = text.rfind('\n', end - 2) + 1;
    reversed += text.substr(end == text.size() || begin != 0 ? begin : 0, end - begin);
    end = begin;
  }
  const Configuration loaded = load(reversed);
  EXPECT_THAT(loaded.diagnostics, IsEmpty());
  EXPECT_TRUE(same_component(loaded.find("a1")->sources[0], load(text).find("a1")->sources[0]));
}

TEST(Graph, SeveralAgentsInOneFile) {
  std::string second(config_test::kBase);
  for (std::size_t at = 0; (at = second.find("a1.", at)) != std::string::npos;) second.replace(at, 3, "b2.");
  const Configuration loaded = load(base_and(second));
  EXPECT_THAT(loaded.diagnostics, IsEmpty());
  EXPECT_THAT(loaded.agents, SizeIs(2));
  EXPECT_EQ(loaded.nearest_agent("b1"), "a1");
  EXPECT_EQ(loaded.nearest_agent("server"), "");
}

TEST(Graph, ALaterFileOverridesSilently) {
  const ConfigText files[] = {{"base.conf", std::string(config_test::kBase)},
                              {"local.conf", "a1.sources.r1.port = 1\na1.sources.r1.prot = 1\n"}};
  const Configuration loaded = load_configuration(files, Catalog(config_test::kInfos), {});
  EXPECT_EQ(loaded.find("a1")->sources[0].settings.integer("port"), 1);
  const Diagnostic found = only(loaded);
  EXPECT_EQ(found.file, "local.conf");
  EXPECT_EQ(found.line, 2U);
}

TEST(Graph, InterceptorsKeepTheirOrder) {
  const Configuration loaded =
      load(base_and("a1.sources.r1.interceptors = i2 i1\n"
                    "a1.sources.r1.interceptors.i1.type = host\n"
                    "a1.sources.r1.interceptors.i2.type = static\n"
                    "a1.sources.r1.interceptors.i2.key = k\n"));
  EXPECT_THAT(loaded.diagnostics, IsEmpty());
  const auto& interceptors = loaded.find("a1")->sources[0].interceptors;
  ASSERT_THAT(interceptors, SizeIs(2));
  EXPECT_EQ(interceptors[0].name, "i2");
  EXPECT_THAT(interceptors[0].settings.values(), ElementsAre(Pair("key", "k")));
}

TEST(Graph, AnInterceptorClassIsKnownWithAndWithoutBuilder) {
  for (const std::string_view type :
       {"org.apache.flume.interceptor.HostInterceptor", "org.apache.flume.interceptor.HostInterceptor$Builder"}) {
    const Configuration loaded =
        load(base_and("a1.sources.r1.interceptors = i1\n"
                      "a1.sources.r1.interceptors.i1.type = " +
                      std::string(type) + "\n"));
    EXPECT_THAT(loaded.diagnostics, IsEmpty()) << type;
  }
}

TEST(Graph, RunnerSettingsOfASource) {
  const Configuration loaded =
      load(base_and("a1.sources.r1.backoffSleepIncrement = 10\na1.sources.r1.maxBackoffSleep=20\n"));
  EXPECT_THAT(loaded.diagnostics, IsEmpty());
  EXPECT_EQ(loaded.find("a1")->sources[0].backoff_increment, std::chrono::milliseconds(10));
  EXPECT_EQ(loaded.find("a1")->sources[0].max_backoff, std::chrono::milliseconds(20));
}

TEST(Graph, SettingsOfTheAgentItself) {
  using std::chrono::milliseconds;
  const Configuration plain = load(config_test::kBase);
  EXPECT_EQ(plain.find("a1")->drain_timeout, milliseconds(10'000));
  const Configuration given = load(base_and("a1.drainTimeout = 500\na1.stopTimeout = 700\n"));
  EXPECT_THAT(given.diagnostics, IsEmpty());
  EXPECT_EQ(given.find("a1")->drain_timeout, milliseconds(500));
  EXPECT_EQ(given.find("a1")->stop_timeout, milliseconds(700));
  const Configuration bad = load(base_and("a1.drainTimeout = soon\n"));
  EXPECT_EQ(only(bad).key, "a1.drainTimeout");
  EXPECT_EQ(only(bad).code, DiagnosticCode::bad_value);
  EXPECT_EQ(bad.find("a1")->drain_timeout, milliseconds(10'000));
}

TEST(Graph, SinkGroup) {
  const Configuration loaded =
      load(base_and("a1.sinks = k1 k2\n"
                    "a1.sinks.k2.type = logger\n"
                    "a1.sinks.k2.channel = c1\n"
                    "a1.sinkgroups = g1\n"
                    "a1.sinkgroups.g1.sinks = k1 k2\n"
                    "a1.sinkgroups.g1.processor.type = failover\n"
                    "a1.sinkgroups.g1.processor.priority.k1 = 5\n"));
  const AgentGraph& agent = *loaded.find("a1");
  ASSERT_THAT(agent.groups, SizeIs(1));
  EXPECT_THAT(agent.groups[0].sinks, ElementsAre("k1", "k2"));
  EXPECT_EQ(agent.group_of("k2"), &agent.groups[0]);
}

TEST(Graph, NestedComponentIsCheckedAndItsSettingsReachTheParent) {
  const std::string text =
      "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = memory\n"
      "a1.sinks.k1.type = logger\na1.sinks.k1.channel = c1\na1.sources.r1.channels = c1\n"
      "a1.sources.r1.type = spooldir\na1.sources.r1.spoolDir = /in\n";
  const Configuration good = load(text + "a1.sources.r1.deserializer.maxLineLength = 99\n");
  EXPECT_THAT(good.diagnostics, IsEmpty());
  EXPECT_EQ(good.find("a1")->sources[0].settings.nested(config_test::kLine, "deserializer.").integer("maxLineLength"),
            99);

  const Diagnostic misspelt = only(load(text + "a1.sources.r1.deserializer.maxLineLenght = 99\n"));
  EXPECT_EQ(misspelt.code, DiagnosticCode::unknown_property);
  EXPECT_EQ(misspelt.line, 10U);
  EXPECT_THAT(misspelt.suggestion, HasSubstr("maxLineLength"));

  const Configuration unbuilt = load(text + "a1.sources.r1.deserializer = AVRO\n");
  EXPECT_THAT(lines_of(unbuilt), ElementsAre("10 error not-built a1.sources.r1.deserializer"));
  EXPECT_THAT(unbuilt.find("a1")->sources, IsEmpty());
}

TEST(Graph, OneDefectiveComponentLeavesTheRestRunning) {
  const Configuration loaded = load(base_and("a1.sinks = k1 k2\na1.sinks.k2.type = loger\na1.sinks.k2.channel = c1\n"));
  EXPECT_THAT(lines_of(loaded),
              ElementsAre("11 warning duplicate-key a1.sinks", "12 error unknown-type a1.sinks.k2.type"));
  const AgentGraph& agent = *loaded.find("a1");
  EXPECT_THAT(agent.sinks, SizeIs(1));
  EXPECT_THAT(agent.sources, SizeIs(1));
}

TEST(Graph, OnlyTheRootIsReportedNotWhatFollowsFromIt) {
  std::string text(config_test::kBase);
  text.replace(text.find("memory"), 6, "memroy");
  const Configuration loaded = load(text);
  EXPECT_THAT(lines_of(loaded), ElementsAre("8 error unknown-type a1.channels.c1.type"));
  EXPECT_TRUE(loaded.find("a1")->empty());
  EXPECT_THAT(loaded.find("a1")->channels, IsEmpty());
}

TEST(Graph, AnAgentThatOnlyHasBrokenKeysIsNone) {
  for (const std::string_view text : {"a1.sinks.k1 = logger\n", "a1.sinks..x = 1\n", "a1.sinks. = 1\n", "a1..x = 1\n",
                                      ".sinks = k1\n", "a1.sinks.k1. = 1\n", "= 1\n", "\n"}) {
    EXPECT_THAT(load(text).agents, IsEmpty()) << text;
  }
}

TEST(Graph, SameComponentIgnoresThePlaceOnly) {
  const AgentGraph one = *load(config_test::kBase).find("a1");
  const AgentGraph moved = *load("# a line\n" + std::string(config_test::kBase)).find("a1");
  const AgentGraph changed = *load(base_and("a1.sources.r1.max-line-length = 9\n")).find("a1");
  EXPECT_TRUE(same_component(one.sources[0], moved.sources[0]));
  EXPECT_FALSE(same_component(one.sources[0], changed.sources[0]));
  EXPECT_TRUE(same_component(one.sinks[0], changed.sinks[0]));
}

}  // namespace
}  // namespace standpipe

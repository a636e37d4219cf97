#include "agent/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/builtin.h"
#include "config/load.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kBase =
    "a1.sources = r1 r2\n"
    "a1.channels = c1 c2\n"
    "a1.sinks = k1 k2 k3\n"
    "a1.sources.r1.type = seq\n"
    "a1.sources.r1.channels = c1\n"
    "a1.sources.r2.type = seq\n"
    "a1.sources.r2.channels = c2\n"
    "a1.channels.c1.type = memory\n"
    "a1.channels.c2.type = memory\n"
    "a1.sinks.k1.type = null\n"
    "a1.sinks.k1.channel = c1\n"
    "a1.sinks.k2.type = null\n"
    "a1.sinks.k2.channel = c1\n"
    "a1.sinks.k3.type = null\n"
    "a1.sinks.k3.channel = c2\n";
constexpr std::string_view kGroup =
    "a1.sinkgroups = g1\n"
    "a1.sinkgroups.g1.sinks = k1 k2\n"
    "a1.sinkgroups.g1.processor.type = failover\n";

AgentGraph graph(const std::string& text) {
  const std::vector<ConfigText> texts{{"a1.conf", text}};
  const Configuration configuration = load_configuration(texts, Catalog(all_components()), {});
  EXPECT_NE(configuration.find("a1"), nullptr) << text;
  return *configuration.find("a1");
}

/// From the base to the base with these lines behind it (the last value of a key counts).
Difference to(const std::string& lines, const std::string& before = "") {
  return difference(graph(std::string(kBase) + before), graph(std::string(kBase) + lines));
}

TEST(DifferenceTest, TheSameTextAndAnotherOrderOfLinesChangeNothing) {
  EXPECT_TRUE(to("").empty());
  EXPECT_TRUE(to("# a comment\n\na1.sources.r1.type = seq\n").empty());
  EXPECT_EQ(to("").to_string(), "");
}

TEST(DifferenceTest, ASettingOfTheSourceMakesItAnew) {
  const Difference found = to("a1.sources.r1.batchSize = 7\n");
  EXPECT_THAT(found.ending_sources, ElementsAre("r1"));
  EXPECT_THAT(found.new_sources, ElementsAre("r1"));
  EXPECT_THAT(found.rewired_sources, IsEmpty());
  EXPECT_THAT(found.ending_sinks, IsEmpty());
}

TEST(DifferenceTest, WhatStandsBehindASourceOnlyRewiresIt) {
  for (const char* lines : {"a1.sources.r1.channels = c1 c2\n", "a1.sources.r1.channels = c2\n",
                            "a1.sources.r1.interceptors = i\na1.sources.r1.interceptors.i.type = timestamp\n",
                            "a1.sources.r1.selector.type = load_balancing\n"}) {
    const Difference found = to(lines);
    EXPECT_THAT(found.rewired_sources, ElementsAre("r1")) << lines;
    EXPECT_THAT(found.ending_sources, IsEmpty()) << lines;
    EXPECT_THAT(found.new_sources, IsEmpty()) << lines;
    EXPECT_EQ(found.to_string(), "sources: ~r1");
  }
}

TEST(DifferenceTest, AChannelsSettingsAreTakenOverInPlace) {
  const Difference found = to("a1.channels.c1.capacity = 500\n");
  EXPECT_THAT(found.changed_channels, ElementsAre("c1"));
  EXPECT_THAT(found.ending_channels, IsEmpty());
  EXPECT_THAT(found.rewired_sources, IsEmpty());
  EXPECT_THAT(found.new_sinks, IsEmpty());
}

TEST(DifferenceTest, AChannelOfAnotherTypeRewiresItsSourcesAndMakesItsSinksAnew) {
  const Difference found = to("a1.channels.c1.type = pseudotxn\n");
  EXPECT_THAT(found.ending_channels, ElementsAre("c1"));
  EXPECT_THAT(found.new_channels, ElementsAre("c1"));
  EXPECT_THAT(found.rewired_sources, ElementsAre("r1"));
  EXPECT_THAT(found.ending_sinks, ElementsAre("k1", "k2"));
  EXPECT_THAT(found.new_sinks, ElementsAre("k1", "k2"));
}

TEST(DifferenceTest, AGroupTakesItsSinksAndNoOthers) {
  const Difference found = to(std::string(kGroup));
  EXPECT_THAT(found.ending_sinks, ElementsAre("k1", "k2"));
  EXPECT_THAT(found.new_sinks, ElementsAre("group g1"));
  const Difference back = to("", std::string(kGroup));
  EXPECT_THAT(back.ending_sinks, ElementsAre("group g1"));
  EXPECT_THAT(back.new_sinks, ElementsAre("k1", "k2"));
}

TEST(DifferenceTest, AGroupIsMadeAnewForItsProcessorAndForASinkOfIt) {
  const std::string group(kGroup);
  for (const std::string change : {"a1.sinkgroups.g1.processor.type = load_balance\n",
                                   "a1.sinkgroups.g1.processor.maxpenalty = 10\n", "a1.sinks.k2.batchSize = 3\n"}) {
    const Difference found = to(group + change, group);
    EXPECT_THAT(found.ending_sinks, ElementsAre("group g1")) << change;
    EXPECT_THAT(found.new_sinks, ElementsAre("group g1")) << change;
  }
  EXPECT_TRUE(to(group, group).empty());
}

TEST(DifferenceTest, ANameMayBeAGroupsAndASinksAtOnce) {
  const std::string group =
      "a1.sinkgroups = k3\n"
      "a1.sinkgroups.k3.sinks = k1 k2\n"
      "a1.sinkgroups.k3.processor.type = failover\n";
  const Difference found = to(group);
  EXPECT_EQ(found.ending_sinks.size(), 2u) << "k1 and k2 alone; k3 alone goes on";
  EXPECT_EQ(found.new_sinks.size(), 1u);
  EXPECT_EQ(sink_units(graph(std::string(kBase) + group)).size(), 2u);
}

TEST(DifferenceTest, ListsAddAndRemove) {
  const Difference removed = to("a1.sources = r1\na1.sinks = k1 k2\na1.channels = c1\n");
  EXPECT_THAT(removed.ending_sources, ElementsAre("r2"));
  EXPECT_THAT(removed.ending_sinks, ElementsAre("k3"));
  EXPECT_THAT(removed.ending_channels, ElementsAre("c2"));
  EXPECT_EQ(removed.to_string(), "channels: -c2; sources: -r2; sinks: -k3");
  const Difference added = to("", "a1.sources = r1\na1.sinks = k1 k2\na1.channels = c1\n");
  EXPECT_THAT(added.new_sources, ElementsAre("r2"));
  EXPECT_THAT(added.new_sinks, ElementsAre("k3"));
  EXPECT_THAT(added.new_channels, ElementsAre("c2"));
}

}  // namespace
}  // namespace standpipe

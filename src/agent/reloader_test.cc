#include "agent/reloader.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/builtin.h"
#include "support/agent_world.h"

namespace standpipe {
namespace {

using testing::AgentWorld;

constexpr std::string_view kSound =
    "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n"
    "a1.sources.r1.type = seq\na1.sources.r1.totalEvents = 1\na1.sources.r1.channels = c1\n"
    "a1.channels.c1.type = memory\n"
    "a1.sinks.k1.type = null\na1.sinks.k1.channel = c1\n";

class ReloaderTest : public ::testing::Test {
 protected:
  ReloaderTest() { world_.apply(kSound); }
  void write(std::string_view text) { std::ofstream(world_.file("a1.conf"), std::ios::binary) << text; }
  double capacity() const { return world_.counter("CHANNEL.c1", "ChannelCapacity"); }

  AgentWorld world_;
};

const std::string kLarger = std::string(kSound) + "a1.channels.c1.capacity = 777\n";

TEST_F(ReloaderTest, AChangedFileIsAppliedWhenItIsTheSameASecondTime) {
  Reloader& reloader = world_.reloader();
  reloader.look();
  EXPECT_FALSE(world_.logged("the configuration changed")) << "nothing did";
  write(std::string_view(kLarger).substr(0, kLarger.size() - 2));  // being written: 77
  reloader.look();
  EXPECT_EQ(capacity(), 100);
  write(kLarger);
  reloader.look();
  EXPECT_EQ(capacity(), 100) << "taken half";
  reloader.look();
  EXPECT_EQ(capacity(), 777);
  world_.mark_log();
  reloader.look();
  reloader.look();
  EXPECT_FALSE(world_.logged("the configuration changed")) << "applied twice";
}

TEST_F(ReloaderTest, AFileThatIsGoneChangesNothing) {
  std::filesystem::remove(world_.file("a1.conf"));
  world_.reloader().look();
  world_.reloader().reload_now();
  EXPECT_TRUE(world_.logged("the configuration can't be read, the agent goes on as it is"));
  EXPECT_EQ(capacity(), 100);
}

TEST_F(ReloaderTest, ASourceThatStaysAwayIsSaidOnceAndOnceWhenItIsBack) {
  std::filesystem::remove(world_.file("a1.conf"));
  world_.reloader().look();
  EXPECT_TRUE(world_.logged("the configuration can't be read"));
  world_.mark_log();
  world_.reloader().look();
  world_.reloader().reload_now();
  EXPECT_FALSE(world_.logged("the configuration can't be read")) << "said again";
  write(kSound);
  world_.reloader().look();
  EXPECT_TRUE(world_.logged("the configuration can be read again"));
  EXPECT_FALSE(world_.logged("the configuration changed")) << "it is the same";
}

TEST_F(ReloaderTest, WhatStartedFromABackupIsTheSameByAnotherName) {
  Agent& agent = world_.agent();
  FilesAndUrls source({{world_.file("a1.conf"), "", ""}});
  std::vector<std::string> told;
  Reloader reloader(agent, source, {},
                    [&](const Configuration&, const Reloader::Texts& texts) { told.push_back(texts.front().name); });
  const Reloader::Texts backup{{"backup", std::string(kSound)}};
  ASSERT_TRUE(reloader.apply_first(load_for_process(backup, {}), backup, "it is away").ok());
  EXPECT_THAT(told, ::testing::ElementsAre("backup"));
  reloader.look_now();
  reloader.look_now();
  EXPECT_TRUE(world_.logged("the configuration can be read again"));
  EXPECT_FALSE(world_.logged("the configuration changed"));
}

TEST_F(ReloaderTest, ARefusedFileIsSaidOnceAndTheNextSoundOneIsTaken) {
  write("");
  world_.reloader().look();
  world_.reloader().look();
  EXPECT_TRUE(world_.logged("refused: the new configuration has nothing to run for agent a1"));
  world_.mark_log();
  world_.reloader().look();
  world_.reloader().look();
  EXPECT_FALSE(world_.logged("refused"));
  write(kLarger);
  world_.reloader().look();
  world_.reloader().look();
  EXPECT_EQ(capacity(), 777);
}

TEST_F(ReloaderTest, AChangedFileIsReadAgainAfterASecond) {
  EXPECT_GT(world_.reloader().until_next_look(0), std::chrono::seconds(29));
  FilesAndUrls source({{world_.file("a1.conf"), "", ""}});
  Reloader often(world_.agent(), source, {});
  write(kLarger);
  often.look();
  EXPECT_LE(often.until_next_look(30), std::chrono::milliseconds(1000));
  EXPECT_FALSE(often.look_is_due());
}

TEST_F(ReloaderTest, NothingThatIsLoggedShowsASecret) {
  ::setenv("STANDPIPE_TEST_PASSWORD", "sesame", 1);
  world_.apply(std::string(kSound) +
               "a1.sinks = k1 k2\na1.sinks.k2.type = hdfs\na1.sinks.k2.channel = c1\n"
               "a1.sinks.k2.hdfs.path = file:///x\na1.sinks.k2.hdfs.fileType = CompressedStream\n"
               "a1.sinks.k2.hdfs.codeC = ${env:STANDPIPE_TEST_PASSWORD}\n");
  ::unsetenv("STANDPIPE_TEST_PASSWORD");
  EXPECT_TRUE(world_.logged("there is no codec '(not shown)'")) << world_.log();
  EXPECT_FALSE(world_.logged("sesame"));
}

// -- which errors refuse ----------------------------------------------------------------------------------------------

struct Refusal {
  const char* name;
  std::string text;
  const char* says;  // empty: applied
};

class RefusalTest : public ReloaderTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(RefusalTest, IsRefusedWholeOrApplied) {
  const bool applied = std::string_view(GetParam().says).empty();
  world_.apply(GetParam().text + "a1.channels.c1.capacity = 777\n");
  EXPECT_EQ(world_.logged("the new configuration is applied"), applied) << world_.log();
  EXPECT_EQ(capacity(), applied ? 777 : 100);
  EXPECT_TRUE(world_.logged(GetParam().says)) << world_.log();
  EXPECT_EQ(world_.logged("refused"), !applied);
  for (const char* component : {"SOURCE.r1", "CHANNEL.c1", "SINK.k1"}) {
    EXPECT_GT(world_.counter(component, "StartTime"), -1) << component << " does not run any more";
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusalTest,
    ::testing::Values(
        Refusal{"unknown_type_of_what_runs", std::string(kSound) + "a1.sinks.k1.type = nul\n", "did you mean null?"},
        Refusal{"missing_channel", std::string(kSound) + "a1.sources.r1.channels = nowhere\n", "nowhere"},
        Refusal{"bad_value", std::string(kSound) + "a1.sources.r1.totalEvents = many\n", "many"},
        Refusal{"half_a_file", std::string(kSound.substr(0, 90)), "refused"},
        Refusal{"a_list_without_value", std::string(kSound) + "a1.sinks =\n", "refused"},
        Refusal{"a_misspelt_list", "a1.sorces = r1\n" + std::string(kSound.substr(kSound.find('\n') + 1)), "refused"},
        Refusal{"an_unrendered_template", "{% for a in agents %}\n" + std::string(kSound), "refused"},
        Refusal{"another_agent", "b1.sources = r1\n", "nothing to run for agent a1"},
        Refusal{"a_defect_in_what_did_not_run",
                std::string(kSound) + "a1.sinks = k1 k2\na1.sinks.k2.type = nul\na1.sinks.k2.channel = c1\n", ""},
        Refusal{"a_warning", std::string(kSound) + "a1.sinks.k1.batchsize = 3\n", ""}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(ReloaderAlone, ADefectThatWasThereAtTheStartRefusesNothingLater) {
  AgentWorld other;
  const std::string defective =
      std::string(kSound) + "a1.sinks = k1 k2\na1.sinks.k2.type = nul\na1.sinks.k2.channel = c1\n";
  other.apply(defective);
  other.apply(defective + "a1.channels.c1.capacity = 777\n");
  EXPECT_EQ(other.counter("CHANNEL.c1", "ChannelCapacity"), 777) << other.log();
}

}  // namespace
}  // namespace standpipe

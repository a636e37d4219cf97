#include "sinks/file_roll/file_roll_sink.h"

#include <filesystem>
#include <map>

#include <gmock/gmock.h>

#include "codec/java_date.h"
#include "io/faulty_file_system.h"
#include "support/test_environment.h"
#include "support/test_outlet.h"

namespace standpipe {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class FileRollSinkTest : public ::testing::Test {
 protected:
  Status make(Settings::Map values) {
    values.emplace("sink.directory", out_.path());
    auto settings = Settings::parse(kFileRollSinkInfo, values);
    if (!settings.ok()) return settings.status();
    auto sink = kFileRollSink.create(*settings, world_.environment);
    if (!sink.ok()) return sink.status();
    sink_ = std::move(sink).value();
    return sink_->start();
  }

  Turn turn() {
    const auto turn = sink_->process(outlet_, {});
    EXPECT_TRUE(turn.ok()) << turn.status().message();
    return turn.ok() ? *turn : Turn{};
  }

  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(out_.path())) {
      found[entry.path().filename()] = *read_file(real_file_system(), entry.path());
    }
    return found;
  }

  testing::TemporaryDirectory out_;
  VirtualClock clock_{1'700'000'000'000};
  FaultyFileSystem faults_{real_file_system()};
  testing::TestEnvironment world_{"k1", clock_, faults_};
  testing::TestOutlet outlet_;
  std::unique_ptr<Sink> sink_;
};

TEST_F(FileRollSinkTest, WritesLinesAndRollsAtAFixedRate) {
  ASSERT_TRUE(make({{"sink.rollInterval", "10"}}).ok());
  outlet_.put_all({"one", "two"});
  const Turn first = turn();
  EXPECT_TRUE(first.worked);
  EXPECT_EQ(first.wake_by, clock_.steady_now() + seconds(10));
  clock_.advance(seconds(9));
  outlet_.put("three");
  turn();
  clock_.advance(seconds(1));
  outlet_.put("four");
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("1700000000000-1", "one\ntwo\nthree\n"), Pair("1700000000000-2", "four\n")));
  EXPECT_THAT(outlet_.committed(), ElementsAre("one", "two", "three", "four"));
  EXPECT_EQ(world_.count(counter_names::kDrainSuccess), 4);
}

TEST_F(FileRollSinkTest, OpensAFileAnIntervalEvenWithoutEvents) {
  ASSERT_TRUE(make({{"sink.rollInterval", "10"}}).ok());
  EXPECT_FALSE(turn().worked);
  clock_.advance(seconds(35));  // three beats missed are one roll
  EXPECT_EQ(turn().wake_by, clock_.steady_now() + seconds(5));
  EXPECT_THAT(files(), ElementsAre(Pair("1700000000000-1", ""), Pair("1700000000000-2", "")));
}

TEST_F(FileRollSinkTest, NamesFilesByRollTime) {
  ASSERT_TRUE(make({{"sink.pathManager", "rolltime"},
                    {"sink.pathManager.prefix", "web-"},
                    {"sink.pathManager.extension", "log"},
                    {"sink.rollInterval", "1"}})
                  .ok());
  turn();
  clock_.advance(seconds(1));
  turn();
  const TimeZone zone = TimeZone::local();
  const auto pattern = DatePattern::compile("yyyyMMddHHmmss", DatePattern::Dialect::simple_date_format, zone, 0);
  std::string first;
  std::string second;
  pattern->format(1'700'000'000'000, first);
  pattern->format(1'700'000'001'000, second);
  EXPECT_THAT(files(), ElementsAre(Pair("web-" + first + "-1.log", ""), Pair("web-" + second + "-1.log", "")));
}

using Operation = FaultyFileSystem::Operation;

TEST_F(FileRollSinkTest, AFullDiskFailsCleanlyAndResumes) {
  ASSERT_TRUE(make({}).ok());
  outlet_.put("one");
  turn();
  faults_.inject({.operation = Operation::write, .why = {Code::full, "No space left on device"}, .half_done = true});
  outlet_.put_all({"two", "three"});
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto failed = sink_->process(outlet_, {});
    EXPECT_EQ(failed.status().code(), Code::full);
    EXPECT_THAT(failed.status().message(), HasSubstr(out_.path()));
    EXPECT_EQ(outlet_.waiting(), 2u);
  }
  EXPECT_THAT(files(), ElementsAre(Pair("1700000000000-1", "one\n")));
  faults_.heal();
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("1700000000000-1", "one\n"), Pair("1700000000000-4", "two\nthree\n")));
  EXPECT_THAT(outlet_.committed(), ElementsAre("one", "two", "three"));
}

TEST_F(FileRollSinkTest, WhatAFailedSyncLeavesIsWrittenAgainElsewhere) {
  ASSERT_TRUE(make({{"sink.fsync", "true"}}).ok());
  outlet_.put("one");
  turn();
  faults_.inject({.operation = Operation::sync, .times = 1});
  outlet_.put("two");
  EXPECT_EQ(sink_->process(outlet_, {}).status().code(), Code::io);
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("1700000000000-1", "one\n"), Pair("1700000000000-2", "two\n")));
  EXPECT_THAT(outlet_.committed(), ElementsAre("one", "two"));
}

TEST_F(FileRollSinkTest, NeverOverwrites) {
  ASSERT_TRUE(write_file_atomically(real_file_system(), out_.file("1700000000000-1"), "old").ok());
  ASSERT_TRUE(make({{"sink.rollInterval", "0"}}).ok());
  outlet_.put("new");
  EXPECT_FALSE(turn().wake_by);
  EXPECT_THAT(files(), ElementsAre(Pair("1700000000000-1", "old"), Pair("1700000000000-2", "new\n")));
}

TEST_F(FileRollSinkTest, SharesOneTurnAmongManyLeases) {
  ASSERT_TRUE(make({{"sink.batchSize", "2"}, {"sink.serializer", "header_and_text"}, {"sink.fsync", "true"}}).ok());
  outlet_.put_all({"1", "2", "3", "4", "5"}, {{"h", "v"}});
  turn();
  EXPECT_EQ(outlet_.committed().size(), 5u);
  EXPECT_THAT(files(), ElementsAre(Pair("1700000000000-1", "{h=v} 1\n{h=v} 2\n{h=v} 3\n{h=v} 4\n{h=v} 5\n")));
}

TEST_F(FileRollSinkTest, AFailedWriteGivesEverythingBackAndLeavesNoHalfEvent) {
  FaultyFileSystem disk(real_file_system());
  testing::TestEnvironment world("k1", clock_, disk);
  const Settings::Map values{{"sink.directory", out_.path()}, {"sink.rollInterval", "0"}};
  auto sink = kFileRollSink.create(*Settings::parse(kFileRollSinkInfo, values), world.environment);
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->start().ok());
  disk.inject(
      {.operation = FaultyFileSystem::Operation::write, .path_contains = out_.path(), .times = 1, .half_done = true});
  outlet_.put_all({"one", "two"});
  EXPECT_FALSE((*sink)->process(outlet_, {}).ok());
  EXPECT_TRUE(outlet_.committed().empty()) << "not written";
  ASSERT_TRUE((*sink)->process(outlet_, {}).ok());
  EXPECT_THAT(outlet_.committed(), ElementsAre("one", "two"));
  (*sink)->stop();
  std::string all;
  for (const auto& [name, content] : files()) all += content;
  EXPECT_EQ(all, "one\ntwo\n");
}

TEST_F(FileRollSinkTest, RefusesWhatIsWrong) {
  EXPECT_THAT(make({{"sink.directory", out_.file("missing")}}).message(), HasSubstr("missing"));
  EXPECT_THAT(make({{"sink.pathManager", "mine"}}).message(), HasSubstr("ROLLTIME"));
  EXPECT_THAT(make({{"sink.serializer", "mine"}}).message(), HasSubstr("header_and_text"));
}

}  // namespace
}  // namespace standpipe

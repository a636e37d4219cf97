#include "sources/taildir/taildir_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "sources/taildir/position_file.h"
#include "support/collecting_ingest.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using testing::CollectingIngest;
using ::testing::ElementsAre;
using testing::RunningSource;
using ::testing::UnorderedElementsAre;
namespace fs = std::filesystem;

using Operation = FaultyFileSystem::Operation;

class TaildirTest : public ::testing::Test {
 protected:
  TaildirTest() { fs::create_directories(log("")); }

  std::string log(std::string_view name) const { return test_.directory.file("logs/" + std::string(name)); }
  std::string position_path() const { return test_.directory.file("state/position.json"); }
  static std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void append(const std::string& path, std::string_view text) { std::ofstream(path, std::ios::app) << text; }
  static std::uint64_t inode(const std::string& path) { return real_file_system().info(path)->inode; }

  std::unique_ptr<Source> make(Settings::Map extra = {}, std::string pattern = "app.*\\.log") {
    Settings::Map values = {{"filegroups", "g"},
                            {"filegroups.g", log(pattern)},
                            {"positionFile", position_path()},
                            {"writePosInterval", "20"},
                            {"backoffSleepIncrement", "5"}};
    for (auto& [key, value] : extra) values[key] = value;
    auto settings = Settings::parse(kTaildirInfo, values);
    EXPECT_TRUE(settings.ok()) << settings.status().to_string();
    auto source = kTaildirSource.create(*settings, test_.environment);
    EXPECT_TRUE(source.ok()) << source.status().to_string();
    return std::move(*source);
  }
  void run(Settings::Map extra = {}, std::string pattern = "app.*\\.log") {
    running_ = std::make_unique<RunningSource>(make(std::move(extra), std::move(pattern)), ingest_);
  }
  Status stop() {
    const Status status = running_->stop();
    running_ = nullptr;
    return status;
  }
  bool wait(const std::function<bool()>& ready) { return ingest_.wait_for(ready); }

  void TearDown() override {
    if (!HasFailure()) return;
    for (const std::string& line : test_.log.lines()) std::printf("%s\n", line.c_str());
  }

  SystemClock clock_;
  FaultyFileSystem faults_{real_file_system()};
  testing::TestEnvironment test_{"r1", clock_, faults_};
  CollectingIngest ingest_;
  std::unique_ptr<RunningSource> running_;
};

TEST_F(TaildirTest, DeliversLinesAndWritesFlumesPositionFile) {
  append(log("app.log"), "one\ntwo\r\n\nthree");
  run({{"headers.g.topic", "t1"}, {"fileHeader", "true"}, {"byteOffsetHeader", "true"}});
  ASSERT_TRUE(ingest_.wait_for_events(3));
  append(log("app.log"), "!\n");
  ASSERT_TRUE(ingest_.wait_for_events(4));
  EXPECT_THAT(ingest_.bodies(), ElementsAre("one", "two", "", "three!"));
  EXPECT_EQ(ingest_.events()[3].headers, (Headers{{"byteoffset", "10"}, {"file", log("app.log")}, {"topic", "t1"}}));
  ASSERT_TRUE(stop().ok());
  EXPECT_EQ(content(position_path()), taildir::format_positions({{inode(log("app.log")), 17, log("app.log")}}));
  EXPECT_EQ(test_.count(counter_names::kEventAccepted), 4);
  EXPECT_EQ(test_.count(counter_names::kEventReceived), 4);
}

TEST_F(TaildirTest, ResumesWhereItStopped) {
  append(log("app.log"), "one\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  ASSERT_TRUE(stop().ok());
  append(log("app.log"), "two\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(2));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("one", "two"));
}

TEST_F(TaildirTest, ReadsOnlySoFarAheadOfWhatIsStored) {
  constexpr std::size_t kLines = 40'000;
  constexpr std::size_t kAhead = 8192 + 1024;  // 8 MiB of these lines, and what one more read brings
  const std::string line = std::string(1023, 'x') + "\n";
  std::string text;
  for (std::size_t i = 0; i < kLines; ++i) text += line;
  append(log("app.log"), text);
  const auto delivered = [&] {
    const auto sizes = ingest_.batch_sizes();
    return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
  };
  // Whether it has come to a halt: many looks in a row see the same.
  std::size_t seen = 0;
  int same = 0;
  const auto halted = [&] {
    const std::size_t now = delivered();
    same = now == seen ? same + 1 : 0;
    seen = now;
    return now >= kAhead / 2 && same > 20;
  };
  ingest_.set_mode(CollectingIngest::Mode::hold);
  run({{"batchSize", "1000"}});
  ASSERT_TRUE(wait(halted));
  EXPECT_LE(seen, kAhead);
  ingest_.set_mode(CollectingIngest::Mode::accept);
  while (ingest_.held() > 0) ingest_.complete(0);
  EXPECT_TRUE(wait([&] { return delivered() == kLines; }));
}

TEST_F(TaildirTest, FlumesPositionFileAloneIsEnough) {
  append(log("app.log"), "one\ntwo\n");
  append(log("app2.log"), "three\nfour\n");
  fs::create_directories(test_.directory.file("state"));
  // The second entry has another path: not ours, as in Flume.
  std::ofstream(position_path()) << taildir::format_positions(
      {{inode(log("app.log")), 4, log("app.log")}, {inode(log("app2.log")), 6, "/elsewhere"}});
  run();
  ASSERT_TRUE(ingest_.wait_for_events(3));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), UnorderedElementsAre("two", "three", "four"));
}

TEST_F(TaildirTest, ADamagedPositionFileFallsBackOnOurKnowledge) {
  append(log("app.log"), "one\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  stop().ignore();
  append(log("app.log"), "two\n");
  std::ofstream(position_path()) << "[{\"inode\":12,";
  run();
  ASSERT_TRUE(ingest_.wait_for_events(2));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("one", "two"));
  EXPECT_TRUE(test_.log.contains("Failed loading positionFile"));
}

TEST_F(TaildirTest, AnEditedPositionFileIsObeyed) {
  append(log("app.log"), "one\ntwo\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(2));
  stop().ignore();
  std::ofstream(position_path()) << taildir::format_positions({{inode(log("app.log")), 4, log("app.log")}});
  run();
  ASSERT_TRUE(ingest_.wait_for_events(3));
  stop().ignore();
  EXPECT_EQ(ingest_.bodies().back(), "two");
}

TEST_F(TaildirTest, RenameAndCreateReadsTheRestAndNothingTwice) {
  append(log("app.log"), "one\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  std::ofstream old(log("app.log"), std::ios::app);
  old << "two\n" << std::flush;
  fs::rename(log("app.log"), log("rotated.1"));
  old << "three\n" << std::flush;  // the writer still has it open
  append(log("app.log"), "four\n");
  ASSERT_TRUE(ingest_.wait_for_events(4));
  fs::rename(log("rotated.1"), log("app.1.log"));  // and now it matches again
  append(log("app.1.log"), "five\n");
  ASSERT_TRUE(ingest_.wait_for_events(5));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), UnorderedElementsAre("one", "two", "three", "four", "five"));
}

TEST_F(TaildirTest, RenamedToAMatchingNameIsTheSameFile) {
  append(log("app.log"), "one\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  fs::rename(log("app.log"), log("app.2026-11-21.log"));
  append(log("app.log"), "two\n");
  append(log("app.2026-11-21.log"), "three\n");
  ASSERT_TRUE(ingest_.wait_for_events(3));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), UnorderedElementsAre("one", "two", "three"));
}

TEST_F(TaildirTest, RenamedWhileTheAgentWasDown) {
  append(log("app.log"), "one\n");
  append(log("app2.log"), "uno\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(2));
  stop().ignore();
  append(log("app.log"), "two\n");
  append(log("app2.log"), "due\n");
  fs::rename(log("app.log"), log("gone.1"));     // matches no more
  fs::rename(log("app2.log"), log("app3.log"));  // still matches
  append(log("app.log"), "three\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(5));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), UnorderedElementsAre("one", "uno", "two", "due", "three"));
}

TEST_F(TaildirTest, CopyTruncate) {
  append(log("app.log"), "one\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  fs::resize_file(log("app.log"), 0);
  append(log("app.log"), "2\n");
  ASSERT_TRUE(ingest_.wait_for_events(2));
  // Grown past the old position before anybody looked.
  {
    std::ofstream file(log("app.log"), std::ios::trunc);
    file << "a much longer line\nand another one\n";
  }
  ASSERT_TRUE(ingest_.wait_for_events(4));
  // Exactly as long as before.
  {
    std::ofstream file(log("app.log"), std::ios::trunc);
    file << "A MUCH LONGER LINE\nAND ANOTHER ONE\n";
  }
  ASSERT_TRUE(ingest_.wait_for_events(6));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("one", "2", "a much longer line", "and another one", "A MUCH LONGER LINE",
                                            "AND ANOTHER ONE"));
}

TEST_F(TaildirTest, AHoleAfterTruncationIsSkipped) {
  run();
  std::ofstream writer(log("app.log"));  // not in append mode: it keeps its offset
  writer << std::string(5000, 'x') << "\n" << std::flush;
  ASSERT_TRUE(ingest_.wait_for_events(1));
  fs::resize_file(log("app.log"), 0);
  writer << "after\n" << std::flush;
  ASSERT_TRUE(ingest_.wait_for_events(2));
  stop().ignore();
  EXPECT_EQ(ingest_.bodies()[1], "after");
}

TEST_F(TaildirTest, AHoleMadeWhileTheAgentWasDownIsSkipped) {
  std::ofstream writer(log("app.log"));
  writer << std::string(100'000, 'x') << "\n" << std::flush;
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  ASSERT_TRUE(stop().ok());
  fs::resize_file(log("app.log"), 0);
  writer << "after\n" << std::flush;
  run();
  ASSERT_TRUE(ingest_.wait_for_events(2));
  stop().ignore();
  EXPECT_EQ(ingest_.bodies()[1], "after");
}

TEST_F(TaildirTest, AHoleThatComesAfterTheStartIsSkipped) {
  std::ofstream writer(log("app.log"));
  writer << std::string(100'000, 'x') << "\n" << std::flush;
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  ASSERT_TRUE(stop().ok());
  fs::resize_file(log("app.log"), 0);
  run();
  writer << "after\n" << std::flush;
  ASSERT_TRUE(ingest_.wait_for_events(2));
  stop().ignore();
  EXPECT_EQ(ingest_.bodies()[1], "after");
}

TEST_F(TaildirTest, DeleteAndRecreateReadsBoth) {
  run();
  std::set<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    const std::string line = "line " + std::to_string(i);
    append(log("app.log"), line + "\n");
    expected.insert(line);
    ASSERT_TRUE(ingest_.wait_for_events(expected.size())) << i;
    append(log("app.log"), line + " last\n");
    expected.insert(line + " last");
    fs::remove(log("app.log"));
  }
  ASSERT_TRUE(ingest_.wait_for_events(expected.size()));
  stop().ignore();
  const auto bodies = ingest_.bodies();
  EXPECT_EQ(std::set<std::string>(bodies.begin(), bodies.end()), expected);
  EXPECT_EQ(bodies.size(), expected.size());
}

TEST_F(TaildirTest, InodeReusedByALongerFileIsReadFromItsStart) {
  append(log("app.log"), "old\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  stop().ignore();
  // The same inode with other, longer content: what a new file under an old number looks like.
  {
    std::ofstream file(log("app.log"), std::ios::trunc);
    file << "new content, longer\n";
  }
  run();
  ASSERT_TRUE(ingest_.wait_for_events(2));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("old", "new content, longer"));
}

TEST_F(TaildirTest, SkipToEndOnlyForFilesFoundAtStart) {
  append(log("app.log"), "skipped\n");
  run({{"skipToEnd", "true"}});
  append(log("app.log"), "one\n");
  append(log("app2.log"), "two\n");
  ASSERT_TRUE(ingest_.wait_for_events(2));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), UnorderedElementsAre("one", "two"));
}

TEST_F(TaildirTest, AnIdleFileIsClosedAndItsLastLineDelivered) {
  append(log("app.log"), "one\nunfinished");
  run({{"idleTimeout", "10"}});
  ASSERT_TRUE(ingest_.wait_for_events(2));
  ASSERT_TRUE(wait([&] { return test_.log.contains("Closed file: " + log("app.log")); }));
  append(log("app.log"), " rest\nthree\n");
  ASSERT_TRUE(ingest_.wait_for_events(4));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("one", "unfinished", " rest", "three"));
}

TEST_F(TaildirTest, AChannelThatStallsDoesNotStopTheReading) {
  ingest_.set_mode(CollectingIngest::Mode::hold);
  append(log("app.log"), "");
  run();
  for (std::size_t i = 1; i <= 300; ++i) {
    append(log("app.log"), "a line by itself\n");
    ASSERT_TRUE(wait([&] { return ingest_.held() == i; }));
  }
  stop().ignore();
}

TEST_F(TaildirTest, PositionAdvancesOnlyOverStoredBatches) {
  ingest_.set_mode(CollectingIngest::Mode::hold);
  append(log("app.log"), "one\ntwo\nthree\n");
  run({{"batchSize", "1"}});
  ASSERT_TRUE(wait([&] { return ingest_.held() == 3; }));  // several are under way at once
  ingest_.complete(1);
  ingest_.complete(1);
  append(log("app2.log"), "x");  // makes the position file be written
  ASSERT_TRUE(wait([&] { return content(position_path()).find("app2.log") != std::string::npos; }));
  EXPECT_THAT(content(position_path()), ::testing::HasSubstr("\"pos\":0,\"file\":\"" + log("app.log")));
  ingest_.complete(0);
  ASSERT_TRUE(wait([&] { return content(position_path()).find("\"pos\":14") != std::string::npos; }));
  stop().ignore();
}

TEST_F(TaildirTest, OnlyTheRefusedBatchIsHandedOverAgain) {
  ingest_.set_mode(CollectingIngest::Mode::hold);
  append(log("app.log"), "one\ntwo\nthree\n");
  run({{"batchSize", "1"}});
  ASSERT_TRUE(wait([&] { return ingest_.held() == 3; }));
  ingest_.complete(1, {Code::full, "full"});
  ASSERT_TRUE(wait([&] { return ingest_.held() == 3; }));
  for (int i = 0; i < 3; ++i) ingest_.complete(0);
  ASSERT_TRUE(stop().ok());
  EXPECT_THAT(ingest_.bodies(), ElementsAre("one", "two", "three", "two"));
  EXPECT_THAT(content(position_path()), ::testing::HasSubstr("\"pos\":14"));
  EXPECT_EQ(test_.count(counter_names::kChannelWriteFail), 1);
  EXPECT_TRUE(test_.log.contains("The channel is full or unexpected failure. The source will try again after 5 ms"));
}

TEST_F(TaildirTest, AFullChannelLosesNothing) {
  ingest_.set_mode(CollectingIngest::Mode::fail);
  append(log("app.log"), "one\ntwo\n");
  run();
  ASSERT_TRUE(wait([&] { return ingest_.refused() >= 2; }));
  append(log("app.log"), "three\n");
  ingest_.set_mode(CollectingIngest::Mode::accept);
  ASSERT_TRUE(ingest_.wait_for_events(3));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("one", "two", "three"));
}

TEST_F(TaildirTest, LongLinesAreSplitOrTruncated) {
  const std::string text = std::string(25, 'a') + std::string(25, 'b') + std::string(7, 'c');
  append(log("app.log"), text + "\nok\n");
  run({{"maxLineLength", "25"}});
  ASSERT_TRUE(ingest_.wait_for_events(4));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), ElementsAre(std::string(25, 'a'), std::string(25, 'b'), std::string(7, 'c'), "ok"));
}

TEST_F(TaildirTest, LinesLongerThanAChunkWholeSplitAndTruncated) {
  std::string text;
  for (int i = 0; text.size() < (1u << 20); ++i) text += std::to_string(i);
  append(log("app.log"), text + "\nshort\n" + text);
  run();
  ASSERT_TRUE(ingest_.wait_for_events(2));
  append(log("app.log"), "\n");
  ASSERT_TRUE(ingest_.wait_for_events(3));
  stop().ignore();
  EXPECT_EQ(ingest_.bodies(), (std::vector<std::string>{text, "short", text}));

  fs::remove(position_path());
  CollectingIngest truncated;
  RunningSource second(make({{"maxLineLength", "400000"}, {"longLinePolicy", "truncate"}}), truncated);
  ASSERT_TRUE(truncated.wait_for_events(3));
  second.stop().ignore();
  EXPECT_EQ(truncated.bodies(), (std::vector<std::string>{text.substr(0, 400000), "short", text.substr(0, 400000)}));

  fs::remove(position_path());
  CollectingIngest split;
  RunningSource third(make({{"maxLineLength", "400000"}}), split);
  ASSERT_TRUE(split.wait_for_events(7));
  third.stop().ignore();
  std::string joined;
  for (const std::string& body : split.bodies()) joined += body;
  EXPECT_EQ(joined, text + "short" + text);
}

TEST_F(TaildirTest, BatchesAreOfTheSizeAskedForAndFilesTakeTurns) {
  for (int i = 0; i < 10; ++i) append(log("app1.log"), "a\n");
  for (int i = 0; i < 10; ++i) append(log("app2.log"), "b\n");
  fs::last_write_time(log("app1.log"), fs::last_write_time(log("app2.log")) - std::chrono::seconds(1));
  run({{"batchSize", "4"}, {"maxBatchCount", "1"}});
  ASSERT_TRUE(ingest_.wait_for_events(20));
  stop().ignore();
  EXPECT_THAT(ingest_.batch_sizes(), ElementsAre(4, 4, 4, 4, 2, 2));
  EXPECT_EQ(ingest_.bodies()[0], "a");
  EXPECT_EQ(ingest_.bodies()[4], "b");
}

TEST_F(TaildirTest, FarMoreFilesThanDescriptors) {
  constexpr std::size_t kFiles = 1200;  // 512 are open at most
  const auto append_to_all = [&](const std::string& line) {
    for (std::size_t i = 0; i < kFiles; ++i) append(log("app" + std::to_string(i) + ".log"), line);
  };
  append_to_all("x\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(kFiles));
  append_to_all("y\n");
  ASSERT_TRUE(ingest_.wait_for_events(2 * kFiles));
  stop().ignore();
  run();  // all of them are known: nothing to open
  append(log("app7.log"), "z\n");
  ASSERT_TRUE(ingest_.wait_for_events(2 * kFiles + 1));
  stop().ignore();
  EXPECT_EQ(ingest_.bodies().back(), "z");
}

TEST_F(TaildirTest, IgnoresFoldersFifosAndWhatDoesNotMatch) {
  fs::create_directories(log("app.dir.log"));
  ASSERT_EQ(::mkfifo(log("app.fifo.log").c_str(), 0600), 0);
  append(log("other.txt"), "no\n");
  append(log("app.log"), "yes\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("yes"));
}

TEST_F(TaildirTest, AFileThatCantBeOpenedIsToldAndTriedAgain) {
  append(log("app.log"), "secret\n");
  fs::last_write_time(log(""),
                      fs::file_time_type::clock::now() - std::chrono::hours(1));  // nothing changes in the folder
  faults_.inject({.operation = Operation::open, .path_contains = "app.log", .times = 2});
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  stop().ignore();
  EXPECT_TRUE(test_.log.contains("Unable to tail files"));
  EXPECT_EQ(test_.count(counter_names::kEventReadFail), 2);
}

TEST_F(TaildirTest, AMissingFolderIsNamed) {
  auto source = make({{"filegroups.g", test_.directory.file("nowhere/.*")}});
  const Status status = source->start(ingest_);
  EXPECT_EQ(status.code(), Code::not_found);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("Directory does not exist: " + test_.directory.file("nowhere")));
  source->stop();
  source->stop();
}

TEST_F(TaildirTest, CreateRefusesWhatCannotWork) {
  const auto status_of = [&](Settings::Map values) {
    return kTaildirSource.create(Settings::unchecked(kTaildirInfo, std::move(values)), test_.environment).status();
  };
  EXPECT_THAT(status_of({{"filegroups", "a b"}, {"filegroups.a", "/x/y"}}).message(),
              ::testing::HasSubstr("filegroups.b is missing"));
  EXPECT_EQ(status_of({{"filegroups", "a"}, {"filegroups.a", "/x/("}}).code(), Code::invalid);
  EXPECT_TRUE(status_of({{"filegroups", "a"}, {"filegroups.a", "/x/y"}, {"headers.a", "v"}}).ok());
  EXPECT_TRUE(test_.log.contains("headers.a names no header and is ignored"));
}

TEST_F(TaildirTest, AFullDiskHoldsUpOnlyThePositions) {
  append(log("app.log"), "one\n");
  faults_.inject({.operation = Operation::write,
                  .why = {Code::full, "No space left on device"},
                  .path_contains = "position.json",
                  .half_done = true});
  run();
  ASSERT_TRUE(ingest_.wait_for([&] { return test_.log.contains("Failed writing positionFile"); }));
  append(log("app.log"), "two\n");
  ASSERT_TRUE(ingest_.wait_for_events(2));
  EXPECT_FALSE(fs::exists(position_path()));
  faults_.heal();
  // Nothing new comes: what could not be written is written all the same.
  ASSERT_TRUE(wait([&] { return content(position_path()).find("\"pos\":8,") != std::string::npos; }));
  stop().ignore();
  const auto lines = test_.log.lines();
  EXPECT_EQ(
      std::count_if(lines.begin(), lines.end(), [](const std::string& line) { return line.starts_with("ERROR"); }), 1);
}

TEST_F(TaildirTest, AReadThatFailsForAMomentCostsNothing) {
  append(log("app.log"), "one\n");
  run();
  ASSERT_TRUE(ingest_.wait_for_events(1));
  faults_.inject({.operation = Operation::read, .path_contains = "app.log", .times = 3});
  for (const char* line : {"two\n", "three\n"}) append(log("app.log"), line);
  ASSERT_TRUE(ingest_.wait_for_events(3));
  stop().ignore();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("one", "two", "three"));
  EXPECT_TRUE(test_.log.contains("Unable to tail files"));
}

TEST_F(TaildirTest, ReceiptsAfterStopAreHarmless) {
  ingest_.set_mode(CollectingIngest::Mode::hold);
  append(log("app.log"), "one\n");
  run();
  ASSERT_TRUE(wait([&] { return ingest_.held() == 1; }));
  ASSERT_TRUE(stop().ok());
  ingest_.complete(0);
}

}  // namespace
}  // namespace standpipe

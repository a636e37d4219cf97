#include "sources/spooldir/spooldir_source.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/collecting_ingest.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using testing::CollectingIngest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::RunningSource;
using ::testing::UnorderedElementsAre;
namespace fs = std::filesystem;

class SpooldirTest : public ::testing::Test {
 protected:
  SpooldirTest() { fs::create_directories(in("")); }
  void TearDown() override {
    if (!HasFailure()) return;
    for (const std::string& line : test_.log.lines()) std::printf("%s\n", line.c_str());
  }

  std::string in(std::string_view name) const { return test_.directory.file("in/" + std::string(name)); }
  // Dropped as it should be: complete at once. `age` days old.
  void drop(const std::string& name, std::string_view content, int age = 0) {
    const std::string path = in(name);
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(test_.directory.file("incoming")) << content;
    fs::last_write_time(test_.directory.file("incoming"),
                        fs::file_time_type::clock::now() - std::chrono::hours(24 * age));
    fs::rename(test_.directory.file("incoming"), path);
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(in(""))) {
      if (entry.is_regular_file()) names.insert(entry.path().lexically_relative(in("")).string());
    }
    return names;
  }
  std::unique_ptr<Source> make(Settings::Map extra = {}) {
    Settings::Map values = {{"spoolDir", in("")}, {"pollDelay", "5"}};
    for (auto& [key, value] : extra) values[key] = value;
    auto settings = Settings::parse(kSpooldirInfo, values);
    EXPECT_TRUE(settings.ok()) << settings.status().to_string();
    auto source = kSpooldirSource.create(*settings, test_.environment);
    EXPECT_TRUE(source.ok()) << source.status().to_string();
    return std::move(*source);
  }
  void run(Settings::Map extra = {}) { running_ = std::make_unique<RunningSource>(make(std::move(extra)), ingest_); }
  void stop() {
    EXPECT_TRUE(running_->stop().ok());
    running_ = nullptr;
  }
  bool wait_for_files(const std::set<std::string>& expected) {
    return ingest_.wait_for([&] { return files() == expected; });
  }

  testing::TestEnvironment test_{"r1"};
  CollectingIngest ingest_;
  std::unique_ptr<RunningSource> running_;
};

using Names = std::set<std::string>;

TEST_F(SpooldirTest, ReadsOldestFirstAndRenames) {
  drop("b.log", "three\n", 1);
  drop("zz.log", "one\ntwo", 2);
  drop(".hidden", "no\n");
  run({{"fileHeader", "true"}, {"basenameHeader", "true"}, {"basenameHeaderKey", "name"}});
  ASSERT_TRUE(wait_for_files({"b.log.COMPLETED", "zz.log.COMPLETED", ".hidden"}));
  drop("c.log", "four\n");
  ASSERT_TRUE(wait_for_files({"b.log.COMPLETED", "zz.log.COMPLETED", ".hidden", "c.log.COMPLETED"}));
  stop();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("one", "two", "three", "four"));
  EXPECT_EQ(ingest_.events()[2].headers, (Headers{{"file", in("b.log")}, {"name", "b.log"}}));
  EXPECT_EQ(test_.count(counter_names::kEventAccepted), 4);
}

TEST_F(SpooldirTest, YoungestPatternsDeleteAndFolders) {
  drop("a.log", "a\n", 3);
  drop("b.log", "b\n", 2);
  drop("tmp.log", "t\n", 1);
  drop("b.txt", "x\n", 1);
  drop("sub/c.log", "c\n", 1);
  drop("tmpdir/d.log", "d\n", 0);
  run({{"consumeOrder", "youngest"},
       {"deletePolicy", "IMMEDIATE"},
       {"includePattern", ".*\\.log"},
       {"ignorePattern", "tmp.*"},
       {"recursiveDirectorySearch", "true"}});
  ASSERT_TRUE(wait_for_files({"tmp.log", "b.txt", "tmpdir/d.log"}));
  stop();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("c", "b", "a"));
}

TEST_F(SpooldirTest, TrackerDirectoryLeavesTheFilesAlone) {
  drop("a.log", "a\n", 1);
  drop("sub/b.log", "b\n");
  const Settings::Map options = {{"trackingPolicy", "tracker_dir"},
                                 {"trackerDir", test_.directory.file("track")},
                                 {"recursiveDirectorySearch", "true"}};
  run(options);
  ASSERT_TRUE(ingest_.wait_for([&] { return fs::exists(test_.directory.file("track/sub/b.log.COMPLETED")); }));
  stop();
  EXPECT_TRUE(fs::exists(test_.directory.file("track/a.log.COMPLETED")));
  EXPECT_EQ(files(), (Names{"a.log", "sub/b.log"}));
  run(options);
  drop("c.log", "c\n");
  ASSERT_TRUE(ingest_.wait_for_events(3));
  stop();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("a", "b", "c"));
}

TEST_F(SpooldirTest, WhatIsWrongIsSetAsideAndTheNextIsRead) {
  drop("a.log", "ok\nbad \xFF\nmore\n", 3);
  drop("b.log.COMPLETED", "old", 3);
  drop("b.log", "new\n", 2);
  drop("c.log", "last\n", 1);
  run();
  ASSERT_TRUE(
      wait_for_files({"a.log.undecodable.COMPLETED", "b.log.COMPLETED", "b.log.reused.COMPLETED", "c.log.COMPLETED"}));
  stop();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("ok", "new", "last"));
  EXPECT_TRUE(test_.log.contains("a.log: line at offset 3"));
  EXPECT_TRUE(test_.log.contains("File name has been re-used with different files. Spooling assumptions violated for " +
                                 in("b.log.COMPLETED")));
}

TEST_F(SpooldirTest, AChangedFileIsSetAside) {
  ingest_.set_mode(CollectingIngest::Mode::hold);
  drop("a.log", "one\n", 1);
  run();
  ASSERT_TRUE(ingest_.wait_for([&] { return ingest_.held() == 1; }));
  std::ofstream(in("a.log"), std::ios::app) << "late\n";
  ingest_.complete(0);
  ASSERT_TRUE(wait_for_files({"a.log.changed.COMPLETED"}));
  ingest_.set_mode(CollectingIngest::Mode::accept);
  drop("b.log", "two\n");
  ASSERT_TRUE(ingest_.wait_for_events(2));
  stop();
  EXPECT_TRUE(test_.log.contains("File has changed size since being read: " + in("a.log") + " (4 bytes then, 9 now)"));
}

TEST_F(SpooldirTest, AnEmptyFileIsOneEmptyEvent) {
  drop("a.log", "");
  run();
  ASSERT_TRUE(wait_for_files({"a.log.COMPLETED"}));
  stop();
  EXPECT_THAT(ingest_.bodies(), ElementsAre(""));
}

TEST_F(SpooldirTest, RestartsWithinTheFile) {
  ingest_.set_mode(CollectingIngest::Mode::hold);
  drop("a.log", "1\n2\n3\n4\n5\n6\n");
  run({{"batchSize", "2"}});
  ASSERT_TRUE(ingest_.wait_for([&] { return ingest_.held() == 3; }));
  ingest_.complete(2);  // stored, but behind what is not
  ingest_.complete(0);
  EXPECT_TRUE(ingest_.wait_for([&] { return fs::exists(in(".flumespool/.flumespool-main.meta")); }));
  stop();
  spooldir::TrackerFile tracker(real_file_system(), in(".flumespool/.flumespool-main.meta"));
  const auto position = tracker.load();
  ASSERT_TRUE(position.ok() && position->has_value());
  EXPECT_EQ(**position, (spooldir::TrackedPosition{in("a.log"), 4}));

  CollectingIngest second;
  RunningSource again(make({{"batchSize", "2"}}), second);
  ASSERT_TRUE(second.wait_for_events(4));
  ASSERT_TRUE(wait_for_files({"a.log.COMPLETED"}));
  again.stop().ignore();
  EXPECT_THAT(second.bodies(), ElementsAre("3", "4", "5", "6"));
}

TEST_F(SpooldirTest, ADeliveredFileThatWasNotRenamedYetGivesNothingNew) {
  drop("a.log", "1\n2\n");
  fs::create_directories(in(".flumespool"));
  spooldir::TrackerFile tracker(real_file_system(), in(".flumespool/.flumespool-main.meta"));
  ASSERT_TRUE(tracker.store({in("a.log"), 4}).ok());
  run();
  ASSERT_TRUE(wait_for_files({"a.log.COMPLETED"}));
  stop();
  EXPECT_THAT(ingest_.bodies(), ElementsAre());
}

TEST_F(SpooldirTest, ADamagedTrackerCostsNothing) {
  drop("a.log", "1\n");
  fs::create_directories(in(".flumespool"));
  std::ofstream(in(".flumespool/.flumespool-main.meta")) << "Not a data file";
  run();
  ASSERT_TRUE(wait_for_files({"a.log.COMPLETED"}));
  stop();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("1"));
  EXPECT_TRUE(test_.log.contains("read from its beginning"));
}

TEST_F(SpooldirTest, RefusedBatchesComeAgainAlone) {
  ingest_.set_mode(CollectingIngest::Mode::hold);
  drop("a.log", "1\n2\n3\n", 1);
  drop("b.log", "4\n");
  run({{"batchSize", "1"}, {"maxBackoff", "1"}});
  ASSERT_TRUE(ingest_.wait_for([&] { return ingest_.held() == 4; }));  // over the end of the first file
  ingest_.complete(1, {Code::full, "full"});
  ASSERT_TRUE(ingest_.wait_for([&] { return ingest_.held() == 4; }));
  for (int i = 0; i < 4; ++i) ingest_.complete(0);
  ASSERT_TRUE(wait_for_files({"a.log.COMPLETED", "b.log.COMPLETED"}));
  stop();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("1", "2", "3", "4", "2"));
  EXPECT_TRUE(
      test_.log.contains("The channel is full, and cannot write data now. The source will try again after 1 milli"));
}

TEST_F(SpooldirTest, AnUnreadableFileDoesNotHoldUpTheOthers) {
  fs::create_symlink("/nowhere", in("a.log"));
  fs::create_directory(in("folder"));
  fs::create_symlink(in("folder"), in("b.log"));
  drop("c.log", "c\n");
  run();
  ASSERT_TRUE(ingest_.wait_for([&] { return fs::exists(in("c.log.COMPLETED")); }));
  stop();
}

TEST_F(SpooldirTest, BlobsAndOlderNames) {
  drop("a.bin", "whole\nfile\n");
  run({{"deserializer", "org.apache.flume.sink.solr.morphline.BlobDeserializer$Builder"}});
  ASSERT_TRUE(wait_for_files({"a.bin.COMPLETED"}));
  stop();
  drop("b.log", "12345678\n");
  run({{"bufferMaxLineLength", "5"}});
  ASSERT_TRUE(ingest_.wait_for_events(3));
  stop();
  EXPECT_THAT(ingest_.bodies(), ElementsAre("whole\nfile\n", "12345", "678"));
}

TEST_F(SpooldirTest, ManyFiles) {
  for (int i = 0; i < 500; ++i) drop("f" + std::to_string(i), "x\n");
  run();
  ASSERT_TRUE(ingest_.wait_for([&] {
    const Names names = files();
    return std::all_of(names.begin(), names.end(),
                       [](const std::string& name) { return name.ends_with(".COMPLETED"); });
  }));
  stop();
  EXPECT_EQ(ingest_.bodies().size(), 500u);
}

TEST_F(SpooldirTest, AMissingFolderAndBadSettingsAreNamed) {
  auto source = make({{"spoolDir", test_.directory.file("nowhere")}});
  EXPECT_THAT(source->start(ingest_).message(), HasSubstr(test_.directory.file("nowhere")));
  source->stop();
  const auto status_of = [&](Settings::Map values) {
    values["spoolDir"] = "/x";
    return kSpooldirSource.create(Settings::unchecked(kSpooldirInfo, std::move(values)), test_.environment).status();
  };
  EXPECT_THAT(status_of({{"includePattern", "("}}).message(), HasSubstr("includePattern"));
  EXPECT_THAT(status_of({{"inputCharset", "klingon"}}).message(), HasSubstr("klingon"));
  EXPECT_THAT(status_of({{"deserializer", "none"}}).message(), HasSubstr("LINE, AVRO and BLOB"));
  EXPECT_THAT(status_of({{"deserializer.maxLineLength", "x"}}).message(), HasSubstr("maxLineLength"));
}

TEST(TrackerFile, KeepsTheLastOffsetAndForgetsATornRecord) {
  testing::TemporaryDirectory directory;
  const std::string path = directory.file("meta");
  spooldir::TrackerFile tracker(real_file_system(), path);
  EXPECT_FALSE(tracker.load()->has_value());
  ASSERT_TRUE(tracker.store({"/a", 5}).ok());
  ASSERT_TRUE(tracker.store({"/a", 500'000}).ok());
  EXPECT_EQ(**tracker.load(), (spooldir::TrackedPosition{"/a", 500'000}));
  const std::string bytes = *read_file(real_file_system(), path);
  EXPECT_THAT(bytes, ::testing::StartsWith("Obj\x01"));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto position = spooldir::parse_tracker(std::string_view(bytes).substr(0, cut));
    if (!position.ok() || !position->has_value()) continue;
    EXPECT_TRUE((*position)->offset == 0 || (*position)->offset == 5) << cut;
  }
  ASSERT_TRUE(tracker.store({"/b", 1}).ok());
  EXPECT_EQ(**tracker.load(), (spooldir::TrackedPosition{"/b", 1}));
  ASSERT_TRUE(tracker.clear().ok());
  ASSERT_TRUE(tracker.clear().ok());
  EXPECT_FALSE(tracker.load()->has_value());
}

}  // namespace
}  // namespace standpipe

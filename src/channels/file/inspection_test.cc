#include "channels/file/inspection.h"

#include <map>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channels/file/key_source.h"
#include "channels/file/repair.h"
#include "support/channel_on_memory_disk.h"

namespace standpipe::file_channel {
namespace {

using standpipe::testing::drain;
using standpipe::testing::numbered_ptr;
using standpipe::testing::numbers;
using standpipe::testing::put;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Operation = FaultyFileSystem::Operation;

/// The parameter: whether events are encrypted.
class InspectionTest : public standpipe::testing::ChannelForms {
 protected:
  void SetUp() override { ring_.add("k", parse_key(kKeyText).value()); }

  Status open() { return ChannelForms::open({{"dataDirs", data_}}); }
  Inspection look(bool in_use = false) {
    const auto before = disk_.files();
    Inspection found = inspect(disk_, kFolders, {.read_records = true, .in_use = in_use, .keys = &ring_}).value();
    EXPECT_TRUE(in_use || disk_.files() == before) << "looking changes nothing";
    return found;
  }
  static bool is_whole(const Inspection& found) {
    return found.problems.empty() && found.missing.empty() && found.unreadable.empty() &&
           std::all_of(found.damages.begin(), found.damages.end(),
                       [](const DamagedPlace& line) { return line.damage.numbers.size() > 0 && line.waiting == 0; });
  }

  void restore(const std::map<std::string, std::string>& saved) {
    for (const auto& [name, now] : disk_.files()) {
      if (!saved.contains(name)) disk_.remove(name).ignore();
    }
    for (const auto& [name, original] : saved) {
      ASSERT_TRUE(disk_.open(name, FileSystem::Mode::append).ok());  // made again where it is gone
      disk_.change(name, [&](std::string& now) { now = original; });
    }
  }
  /// Locks say who had them last.
  std::map<std::string, std::string> without_locks() const {
    std::map<std::string, std::string> files = disk_.files();
    std::erase_if(files, [](const auto& file) { return file.first.ends_with(".lock"); });
    return files;
  }

  const Folders kFolders{"/c/checkpoint", {"/c/data"}, {}};
  std::string data_ = "/c/data";
  KeyRing ring_;
};

INSTANTIATE_TEST_SUITE_P(Forms, InspectionTest, ::testing::Bool(), standpipe::testing::form_name);

TEST_P(InspectionTest, CountsWhatWaits) {
  ASSERT_TRUE(open().ok());
  for (std::size_t i = 0; i < 40; ++i) {
    Batch batch;
    batch.add_copy(std::to_string(i) + std::string(5000, 'x'));
    batch.add_copy("small");
    ASSERT_TRUE(put(*channel_, std::make_shared<const Batch>(std::move(batch))).ok());
  }
  ASSERT_TRUE(channel_->take(31).value().commit().ok());
  channel_->stop();
  const Inspection found = look();
  EXPECT_TRUE(is_whole(found));
  EXPECT_THAT(found.torn, IsEmpty());
  EXPECT_EQ(found.waiting, 49u);
  EXPECT_EQ(found.next, 80u);
  EXPECT_EQ(found.owner.channel, "c1");
  EXPECT_GT(found.generation, 0u);
  EXPECT_GT(found.oldest_segment_ms, 0);
  std::uint64_t events = 0;
  std::uint64_t waiting = 0;
  for (const SegmentReport& segment : found.directories.at(0).segments) {
    events += segment.events;
    waiting += segment.waiting;
    EXPECT_EQ(segment.header->key_name, GetParam() ? "k" : "");
  }
  EXPECT_EQ(waiting, 49u);
  EXPECT_GE(events, 49u);
  const Inspection quick = inspect(disk_, kFolders, {}).value();
  EXPECT_EQ(quick.waiting, 49u) << "without reading all records";
  const Inspection closed = inspect(disk_, kFolders, {.read_records = true}).value();
  EXPECT_EQ(closed.closed, GetParam() ? events : 0u);
  EXPECT_TRUE(is_whole(closed)) << "bytes check without a key";
}

/// After a repair the channel delivers what it delivers without, and has no damage to report.
TEST_P(InspectionTest, RepairsAFlippedBitAnywhereAndAgainChangesNothing) {
  ASSERT_TRUE(open().ok());
  for (std::size_t i = 0; i < 15; i += 5) ASSERT_TRUE(put(*channel_, numbered_ptr(100 + i, 5)).ok());
  ASSERT_TRUE(channel_->take(3).value().commit().ok());
  channel_->stop();
  ASSERT_TRUE(open().ok());
  for (std::size_t i = 15; i < 19; ++i) ASSERT_TRUE(put(*channel_, numbered_ptr(100 + i, 1)).ok());
  kill();
  const std::map<std::string, std::string> saved = disk_.files();
  const std::vector<std::string> left = numbers(103, 16);
  std::size_t damaged = 0;
  for (const auto& [path, content] : saved) {
    if (path.ends_with(".lock") || path.ends_with("log-1")) continue;
    const std::size_t used = content.find_last_not_of('\0') + 1;
    for (std::size_t at = 0; at < used; at += at < 512 || at > kSegmentHeader ? 3 : 64) {
      restore(saved);
      disk_.change(path, [&](std::string& now) { now[at] = static_cast<char>(now[at] ^ (1 << at % 8)); });
      const std::string where = fmt::format("{} at {}", path, at);
      const auto looked = inspect(disk_, kFolders, {.read_records = true});
      if (!looked.ok()) {
        ASSERT_THAT(looked.status().message(), HasSubstr("use a newer one")) << where;
        continue;
      }
      const auto repaired = repair(world_.environment, kFolders);
      ASSERT_TRUE(repaired.ok()) << where << repaired.status().to_string();
      if (!repaired->done.empty()) ++damaged;
      const bool only_owner = path.ends_with(kOwnerFile) || (GetParam() && at < kSegmentHeader);
      ASSERT_TRUE(only_owner || is_whole(look())) << where;
      const auto after = without_locks();
      const auto again = repair(world_.environment, kFolders);
      ASSERT_TRUE(again.ok()) << where;
      ASSERT_TRUE(without_locks() == after) << where << ": " << ::testing::PrintToString(again->done);
      world_.counters.counter("EventDamagedCount").set(0);
      world_.counters.counter("EventMissingCount").set(0);
      ASSERT_TRUE(open().ok()) << where;
      std::vector<std::string> found = drain(*channel_);
      std::erase_if(found, [](const std::string& body) { return std::stoul(body) < 103; });
      const std::size_t most_lost = GetParam() ? 5 : 1;  // a record; an event
      ASSERT_GE(found.size() + most_lost, left.size()) << where;
      ASSERT_TRUE(std::includes(left.begin(), left.end(), found.begin(), found.end())) << where;
      ASSERT_EQ(world_.count("EventDamagedCount") + world_.count("EventMissingCount"), 0)
          << where << ::testing::PrintToString(repaired->done);
      kill();
    }
  }
  EXPECT_GT(damaged, 100u);
}

TEST_P(InspectionTest, RepairCutsATornTailAndKeepsACopy) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 5)).ok());
  kill();
  std::string path;
  for (const auto& [name, content] : disk_.files()) {
    if (name.find("/segment-") != std::string::npos) path = name;
  }
  const std::string whole = disk_.files()[path];
  const std::size_t end = (whole.find_last_not_of('\0') + 8) / 8 * 8;
  disk_.change(path, [&](std::string& content) { content.replace(end, 9, "SpR1 torn"); });
  const Inspection found = look();
  EXPECT_TRUE(is_whole(found)) << "a torn tail is no damage";
  ASSERT_EQ(found.torn.size(), 1u);
  EXPECT_EQ(found.torn[0].damage.offset, end);
  EXPECT_THAT(look(true).torn, IsEmpty()) << "while an agent runs it is what the agent writes";
  ASSERT_EQ(repair(world_.environment, kFolders)->done.size(), 1u);
  EXPECT_EQ(disk_.files()[path], whole.substr(0, end));
  EXPECT_TRUE(disk_.files()[fmt::format("/c/data/damaged/{}@{}", path.substr(8), end)].starts_with("SpR1 torn"));
  EXPECT_THAT(repair(world_.environment, kFolders)->done, IsEmpty());
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(drain(*channel_), numbers(0, 5));
}

TEST_P(InspectionTest, ASegmentThatIsGoneIsMissedAndThenNotedAsGone) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 5)).ok());
  channel_->stop();
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(5, 5)).ok());
  channel_->stop();
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(10, 5)).ok());
  channel_->stop();
  ASSERT_TRUE(disk_.remove("/c/data/segment-0000000000000002").ok());
  EXPECT_THAT(look().missing, ::testing::ElementsAre(Range{5, 10}));
  ASSERT_TRUE(repair(world_.environment, kFolders).ok());
  EXPECT_TRUE(is_whole(look()));
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(channel_->size(), 10);
  std::vector<std::string> left = numbers(0, 5);
  for (const std::string& body : numbers(10, 5)) left.push_back(body);
  EXPECT_EQ(drain(*channel_), left);
}

TEST_P(InspectionTest, AFolderThatWasNotNamedIsNotGivenUp) {
  data_ = "/c/data,/c/more";
  ASSERT_TRUE(open().ok());
  for (std::size_t i = 0; i < 8; ++i) ASSERT_TRUE(put(*channel_, numbered_ptr(i, 1)).ok());
  channel_->stop();
  EXPECT_EQ(look().absent, std::vector<std::string>{"/c/more"});
  EXPECT_THAT(look().missing, IsEmpty());
  const auto before = without_locks();
  const auto refused = repair(world_.environment, kFolders);
  EXPECT_EQ(refused.status().code(), Code::invalid);
  EXPECT_THAT(refused.status().message(), HasSubstr("may be in /c/more, which is not among the folders"));
  EXPECT_EQ(without_locks(), before);
  const Folders both{"/c/checkpoint", {"/c/data", "/c/more"}, {}};
  EXPECT_THAT(repair(world_.environment, both)->done, IsEmpty());
  // With both snapshots damaged nobody knows of the other folder; nothing is given up for that.
  for (const auto& [path, content] : before) {
    if (path.find("snapshot-") != std::string::npos) disk_.change(path, [](std::string& bytes) { bytes[40] ^= 1; });
  }
  EXPECT_THAT(look().missing, IsEmpty());
  ASSERT_TRUE(repair(world_.environment, kFolders).ok());
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(drain(*channel_), numbers(0, 8));
}

TEST_P(InspectionTest, RepairIsRefusedWhileAChannelRuns) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 5)).ok());
  const auto before = disk_.files();
  const Status refused = repair(world_.environment, kFolders).status();
  EXPECT_EQ(refused.code(), Code::unavailable);
  EXPECT_THAT(refused.message(), HasSubstr("stop the agent first"));
  EXPECT_THAT(refused.message(), HasSubstr("agent a1, channel c1"));
  EXPECT_EQ(disk_.files(), before);
}

TEST_P(InspectionTest, WhatADeviceDoesNotGiveIsNotRepaired) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 5)).ok());
  channel_->stop();
  faults_.inject({.operation = Operation::read, .path_contains = "segment-"});
  const auto before = without_locks();
  const auto repaired = repair(world_.environment, kFolders);
  EXPECT_EQ(repaired.status().code(), Code::io);
  EXPECT_THAT(repaired.status().message(), HasSubstr("copy the folder to a sound disk first"));
  faults_.heal();
  EXPECT_EQ(without_locks(), before);
}

TEST_P(InspectionTest, SeesNoDamageInWhatAnAgentWritesAndTakes) {
  ASSERT_TRUE(open().ok());
  const std::jthread load([&](const std::stop_token& ended) {
    for (std::size_t i = 0; !ended.stop_requested(); i += 3) {
      Batch batch;
      for (std::size_t j = 0; j < 3; ++j) batch.add_copy(std::to_string(i + j) + std::string(700, 'x'));
      ASSERT_TRUE(put(*channel_, std::make_shared<const Batch>(std::move(batch))).ok());
      ASSERT_TRUE(channel_->take(i % 5).value().commit().ok());
    }
  });
  for (int i = 0; i < 100; ++i) {
    const Inspection found = look(true);
    const std::string what = found.problems.empty() ? "" : found.problems[0].path + ": " + found.problems[0].what;
    ASSERT_TRUE(is_whole(found)) << i << " " << what << " missing " << found.missing.size();
    ASSERT_THAT(found.damages, IsEmpty()) << i;
  }
}

}  // namespace
}  // namespace standpipe::file_channel

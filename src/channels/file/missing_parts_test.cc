// What is not where it was: data folders that are not mounted, moved or left out, segments that somebody removed, while
// the channel is stopped and while it runs; and disks that are full in a bad moment.

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channels/file/export.h"
#include "channels/file/inspection.h"
#include "channels/file/repair.h"
#include "support/channel_on_memory_disk.h"

namespace standpipe {
namespace {

using std::chrono::seconds;
using testing::drain;
using testing::eventually;
using ::testing::HasSubstr;
using testing::numbered_ptr;
using testing::numbers;
using testing::put;

class MissingParts : public testing::ChannelOnMemoryDisk {
 protected:
  Status open(const std::string& data = "/c/data1,/c/data2") {
    Settings::Map values = clear();
    values["dataDirs"] = data;
    return open_with(values);
  }
  void put_in_turn(std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) ASSERT_TRUE(put(*channel_, numbered_ptr(i, 1)).ok());
  }
  /// One event a put, so large that a segment holds three.
  void put_large(std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      Batch batch;
      batch.add_copy(std::to_string(i) + " " + std::string(20'000, 'x'));
      ASSERT_TRUE(put(*channel_, std::make_shared<const Batch>(std::move(batch))).ok());
    }
  }
  void move_folder(const std::string& from, const std::string& to) {
    ASSERT_TRUE(disk_.make_directories(to).ok());
    for (const auto& [path, content] : disk_.files()) {
      if (!path.starts_with(from + "/")) continue;
      ASSERT_TRUE(disk_.rename(path, to + path.substr(from.size())).ok());
    }
  }
  std::vector<std::string> sorted_drain() {
    std::vector<std::string> found = drain_all();
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return std::stoul(a) < std::stoul(b); });
    return found;
  }
};

TEST_F(MissingParts, ADiskThatIsNotMountedRefusesTheStartAlsoWhenTheLastSnapshotIsOld) {
  ASSERT_TRUE(open().ok());
  put_in_turn(0, 10);
  kill();
  move_folder("/c/data2", "/unmounted");
  const Status refused = open();
  EXPECT_EQ(refused.code(), Code::invalid);
  EXPECT_THAT(refused.message(), HasSubstr("/c/data2 is empty, but events of the channel should be in it"));
  EXPECT_THAT(open().message(), HasSubstr("/c/data2 is empty")) << "the bare mount point was not made ours";
  move_folder("/unmounted", "/c/data2");
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(sorted_drain(), numbers(0, 10));
}

TEST_F(MissingParts, AFolderMayLeaveDataDirsWhenNothingWaitsInIt) {
  ASSERT_TRUE(open().ok());
  put_in_turn(0, 10);
  kill();
  EXPECT_THAT(open("/c/data1").message(), HasSubstr("/c/data2, which is not among dataDirs any more"));
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(sorted_drain(), numbers(0, 10));
  put_in_turn(10, 3);
  channel_->stop();
  EXPECT_THAT(open("/c/data1").message(), HasSubstr("/c/data2, which is not among dataDirs any more"));
  ASSERT_TRUE(open().ok());
  drain_all();
  channel_->stop();
  ASSERT_TRUE(open("/c/data1").ok());
  EXPECT_TRUE(world_.log.contains("nothing waits in /c/data2"));
  put_in_turn(13, 3);
  channel_->stop();
  ASSERT_TRUE(open("/c/data1").ok());
  EXPECT_EQ(drain_all(), numbers(13, 3));
}

TEST_F(MissingParts, AFolderThatIsSpelledOtherwiseOrWasMovedIsFound) {
  ASSERT_TRUE(open().ok());
  put_in_turn(0, 10);
  kill();
  ASSERT_TRUE(open("/c//data1,/c/./data2").ok());
  channel_->stop();
  move_folder("/c/data2", "/d/elsewhere");
  ASSERT_TRUE(open("/c/data1,/d/elsewhere").ok());
  EXPECT_EQ(sorted_drain(), numbers(0, 10));
}

TEST_F(MissingParts, ARepairThatNamesTheFoldersOtherwiseLeavesThemToTheAgent) {
  ASSERT_TRUE(open("/c/data").ok());
  put_in_turn(0, 10);
  channel_->stop();
  for (const auto& [path, content] : disk_.files()) {
    if (path.find("/snapshot-") == std::string::npos) continue;
    disk_.change(path, [](std::string& bytes) { bytes[20] ^= 1; });
  }
  const file_channel::Folders folders{"/c/./checkpoint", {"/c/./data"}, {}};
  ASSERT_TRUE(file_channel::repair(world_.environment, folders).ok());
  const Status opened = open("/c/data");
  ASSERT_TRUE(opened.ok()) << opened.to_string();
  EXPECT_EQ(drain_all(), numbers(0, 10));
}

TEST_F(MissingParts, AnExportWithoutOneOfTheFoldersFails) {
  ASSERT_TRUE(open().ok());
  put_in_turn(0, 10);
  kill();
  auto target = file_channel::export_to_avro(disk_, "/out.avro").value();
  const file_channel::Folders one{"/c/checkpoint", {"/c/data1"}, {}};
  EXPECT_THAT(file_channel::export_events(one, {}, world_.environment, *target).status().message(),
              HasSubstr("/c/data2, which is not among dataDirs"));
}

TEST_F(MissingParts, TheOldestSegmentsEventsAreCountedWhenItIsGone) {
  for (const bool removed : {true, false}) {
    channel_.reset();
    disk_.clear();
    ASSERT_TRUE(open("/c/data").ok());
    put_large(0, 10);
    channel_->stop();
    ASSERT_TRUE(open("/c/data").ok());
    kill();
    const std::string oldest = segments().front();
    if (removed) {
      ASSERT_TRUE(disk_.remove(oldest).ok());
    } else {
      disk_.change(oldest, [](std::string& bytes) { bytes.assign(bytes.size(), '\0'); });
    }
    const file_channel::Folders folders{"/c/checkpoint", {"/c/data"}, {}};
    const auto seen = file_channel::inspect(disk_, folders, {.read_records = true}).value();
    if (removed) {
      ASSERT_EQ(seen.missing.size(), 1u);
      EXPECT_EQ(seen.missing.front(), (file_channel::Range{0, 3}));
      EXPECT_FALSE(seen.problems.empty());
    }
    const std::int64_t before = world_.count("EventMissingCount");
    ASSERT_TRUE(open("/c/data").ok());
    EXPECT_EQ(world_.count("EventMissingCount") - before, 3);
    EXPECT_TRUE(world_.log.contains("3 events, from 0 on, are not on disk"));
    EXPECT_TRUE(world_.log.contains(oldest + " is missing"));
    EXPECT_EQ(drain_all().size(), 7u);
    channel_->stop();
    ASSERT_TRUE(open("/c/data").ok());
    EXPECT_EQ(world_.count("EventMissingCount") - before, 3) << "said once";
  }
}

TEST_F(MissingParts, TheNewestSegmentIsNamedWhenItIsGone) {
  VirtualClock clock;
  testing::TestEnvironment world("c1", clock, faults_);
  auto channel = kFileChannel.create(settings_of(clear()), world.environment).value();
  ASSERT_TRUE(channel->start().ok());
  for (std::size_t i = 0; i < 5; ++i) {
    Batch batch;
    batch.add_copy(std::to_string(i) + std::string(20'000, 'x'));
    ASSERT_TRUE(put(*channel, std::make_shared<const Batch>(std::move(batch))).ok());
  }
  const std::string newest = segments().back();
  // Nothing is taken; the snapshot that knows the segment comes by itself.
  const auto snapshots = [&] { return faults_.calls(Operation::rename); };
  const std::size_t before = snapshots();
  ASSERT_TRUE(eventually([&] {
    clock.advance(seconds(1));
    return snapshots() > before;
  }));
  faults_.fail_change(0, true);
  channel.reset();
  faults_.heal();
  ASSERT_TRUE(disk_.remove(newest).ok());
  ASSERT_TRUE(open("/c/data").ok());
  EXPECT_TRUE(world_.log.contains(newest + " is missing"));
  EXPECT_EQ(drain_all().size(), 3u);
}

TEST_F(MissingParts, ASegmentThatIsRemovedWhileItIsWrittenAcknowledgesNothing) {
  ASSERT_TRUE(open("/c/data").ok());
  put_in_turn(0, 3);
  ASSERT_TRUE(disk_.remove(segments().back()).ok());
  put_in_turn(3, 3);
  EXPECT_TRUE(world_.log.contains("was moved or removed while it was written"));
  kill();
  ASSERT_TRUE(open("/c/data").ok());
  EXPECT_EQ(drain_all(), numbers(3, 3)) << "what was acknowledged after it";
}

TEST_F(MissingParts, AFolderThatGoesAwayWhileTheChannelRunsTakesNothingUntilItIsBack) {
  VirtualClock clock;
  testing::TestEnvironment world("c1", clock, faults_);
  auto channel = kFileChannel.create(settings_of(clear()), world.environment).value();
  ASSERT_TRUE(channel->start().ok());
  ASSERT_TRUE(put(*channel, numbered_ptr(0, 3)).ok());
  move_folder("/c/data", "/away");
  EXPECT_EQ(put(*channel, numbered_ptr(100, 1)).code(), Code::io);
  EXPECT_THAT(channel->trouble().message(), HasSubstr("/c/data is not the channel's folder any more"));
  move_folder("/away", "/c/data");
  std::size_t next = 3;
  ASSERT_TRUE(eventually([&] {
    clock.advance(seconds(1));
    if (!put(*channel, numbered_ptr(next, 1)).ok()) return false;
    ++next;
    return true;
  }));
  EXPECT_TRUE(channel->trouble().ok());
  channel->stop();
  channel.reset();
  ASSERT_TRUE(open("/c/data").ok());
  EXPECT_EQ(drain_all(), numbers(0, next));
}

TEST_F(MissingParts, AFullDiskIsEmptiedByWhatIsTaken) {
  VirtualClock clock;
  testing::TestEnvironment world("c1", clock, faults_);
  auto channel = kFileChannel.create(settings_of(clear()), world.environment).value();
  ASSERT_TRUE(channel->start().ok());
  for (std::size_t i = 0; i < 30; ++i) {
    Batch batch;
    batch.add_copy(std::to_string(i) + std::string(20'000, 'x'));
    ASSERT_TRUE(put(*channel, std::make_shared<const Batch>(std::move(batch))).ok());
  }
  ASSERT_GE(segments().size(), 9u);
  std::uint64_t used = 0;
  for (const auto& [path, content] : disk_.files()) used += content.size();
  disk_.set_capacity(used);  // not a byte is left, not even to note what is taken
  EXPECT_EQ(drain(*channel).size(), 30u);
  ASSERT_TRUE(eventually([&] {
    clock.advance(seconds(1));
    return segments().size() == 1;
  }));
  ASSERT_TRUE(eventually([&] {
    clock.advance(seconds(1));
    return channel->trouble().ok();
  })) << "and there is room for the note again";
  faults_.fail_change(0, true);
  channel.reset();
  faults_.heal();
  ASSERT_TRUE(open("/c/data").ok());
  EXPECT_EQ(channel_->size(), 0) << "nothing comes twice";
}

TEST_F(MissingParts, APutThatIsTooLargeForTheDiskDoesNotShutTheOthersOut) {
  ASSERT_TRUE(open("/c/data").ok());
  put_in_turn(0, 1);
  std::uint64_t used = 0;
  for (const auto& [path, content] : disk_.files()) used += content.size();
  disk_.set_capacity(used + 3'000'000);
  Batch batch;
  batch.add_copy(std::string(4'000'000, 'x'));
  const auto large = std::make_shared<const Batch>(std::move(batch));
  for (std::size_t i = 1; i < 20; ++i) {
    const Status refused = put(*channel_, large);
    EXPECT_EQ(refused.code(), Code::full);
    EXPECT_THAT(refused.message(), HasSubstr("bytes are needed in /c/data"));
    put_in_turn(i, 1);
    EXPECT_TRUE(channel_->trouble().ok());
  }
  kill();
  ASSERT_TRUE(open("/c/data").ok());
  EXPECT_EQ(drain_all(), numbers(0, 20));
}

TEST_F(MissingParts, OneBrokenDirectoryLeavesTheOthersAtWork) {
  ASSERT_TRUE(open().ok());
  put_in_turn(0, 10);
  kill();
  faults_.inject({.operation = Operation::reserve, .path_contains = "/c/data2/segment-"});
  ASSERT_TRUE(open().ok());
  EXPECT_THAT(channel_->trouble().message(), HasSubstr("takes no events: /c/data2/segment-"));
  put_in_turn(10, 4);
  EXPECT_EQ(sorted_drain(), numbers(0, 14));
  channel_->stop();
  faults_.inject({.operation = Operation::reserve, .path_contains = "/c/data1/segment-"});
  const std::size_t before = segments().size();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(open().code(), Code::io);
  EXPECT_EQ(segments().size(), before) << "a start that fails leaves nothing behind";
}

TEST_F(MissingParts, StartsThatFailForWantOfASnapshotDoNotPileUpSegments) {
  ASSERT_TRUE(open().ok());
  put_in_turn(0, 3);
  kill();
  faults_.inject({.operation = Operation::rename, .path_contains = "/c/checkpoint/"});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(open().code(), Code::io);
  EXPECT_LE(segments().size(), 4u) << "those with events, and one of each folder";
  faults_.heal();
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(sorted_drain(), numbers(0, 3));
}

}  // namespace
}  // namespace standpipe

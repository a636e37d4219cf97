// What a file channel loses, and what it does not, when the disk fails, fills, lies or is damaged.

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channels/file/segment_format.h"
#include "io/crc32c.h"
#include "support/channel_on_memory_disk.h"

namespace standpipe {
namespace {

using file_channel::kSegmentHeader;
using testing::bodies;
using testing::drain;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::HasSubstr;
using testing::numbered_ptr;
using testing::numbers;
using testing::put;

class FileChannelFaults : public testing::ChannelOnMemoryDisk {
 protected:
  Status open(Settings::Map more = {}) {
    Settings::Map values = clear();
    for (auto& [key, value] : more) values[key] = value;
    return open_with(values);
  }
};

class FileChannelFaultForms : public testing::ChannelForms {};

INSTANTIATE_TEST_SUITE_P(Forms, FileChannelFaultForms, ::testing::Bool(), testing::form_name);

TEST_P(FileChannelFaultForms, APowerCutLosesNothingAcknowledged) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    disk_.power_cut();
    ASSERT_TRUE(open().ok());
    const std::size_t first = seed * 100;
    drain_all();
    for (std::size_t i = 0; i < 10; ++i) ASSERT_TRUE(put(*channel_, numbered_ptr(first + i * 3, 3)).ok());
    const auto unacknowledged = numbered_ptr(first + 30, 3);
    faults_.inject({.operation = Operation::sync});
    EXPECT_FALSE(put(*channel_, unacknowledged).ok());
    faults_.heal();
    kill();
    disk_.power_cut_torn(seed);
    ASSERT_TRUE(open().ok());
    // What was taken before may come again, as the cut undid the note of it; it comes first.
    std::vector<std::string> found = drain_all();
    std::erase_if(found, [&](const std::string& body) { return std::stoul(body) < first; });
    if (found.size() > 30) found.resize(30);  // what was not acknowledged may be there or not
    EXPECT_EQ(found, numbers(first, 30)) << "seed " << seed;
    kill();
  }
}

/// The last two records of a channel that was killed, torn at every byte: nothing before them is touched, and nothing
/// that was not put appears.
TEST_P(FileChannelFaultForms, ATornWriteAtEveryByteOfTheLastTwoRecordsCostsNothingElse) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 5)).ok());
  const std::string path = segments().back();
  const auto written = [&] {
    std::string content = disk_.files()[path];
    content.resize(content.find_last_not_of('\0') + 1);
    return (content.size() + 7) / 8 * 8;
  };
  const std::size_t before = written();
  ASSERT_TRUE(put(*channel_, numbered_ptr(5, 1)).ok());
  const std::size_t middle = written();
  ASSERT_TRUE(put(*channel_, numbered_ptr(6, 3)).ok());
  const std::size_t end = written();
  ASSERT_LT(before, middle);
  ASSERT_LT(middle, end);
  kill();
  const std::map<std::string, std::string> saved = disk_.files();
  for (std::size_t at = before; at < end; ++at) {
    for (const bool zeroed : {true, false}) {
      for (const auto& [name, content] : saved) disk_.change(name, [&](std::string& now) { now = content; });
      disk_.change(path, [&](std::string& content) {
        for (std::size_t i = at; i < end; ++i) content[i] = zeroed ? '\0' : 'j';
      });
      ASSERT_TRUE(open().ok()) << at;
      std::vector<std::string> found = drain_all();
      ASSERT_GE(found.size(), at >= middle ? 6u : 5u) << "cut at " << at;
      const std::vector<std::string> all = numbers(0, 9);
      found.erase(std::unique(found.begin(), found.end()), found.end());
      ASSERT_TRUE(std::includes(all.begin(), all.end(), found.begin(), found.end())) << "cut at " << at;
      ASSERT_TRUE(put(*channel_, numbered_ptr(100, 1)).ok());
      ASSERT_EQ(drain_all(), numbers(100, 1)) << "a number was used twice, cut at " << at;
      kill();
      for (const auto& [name, content] : disk_.files()) {
        if (!saved.contains(name)) disk_.remove(name).ignore();
      }
    }
  }
}

/// A flipped bit in any byte of any file: all events come, except one whose own bytes were hit (encrypted: those of its
/// record); what was committed may come again when the note of it was hit.
TEST_P(FileChannelFaultForms, AFlippedBitAnywhereLosesAtMostTheEventOrTheEncryptedRecordItHits) {
  ASSERT_TRUE(open().ok());
  for (std::size_t i = 0; i < 20; i += 5) ASSERT_TRUE(put(*channel_, numbered_ptr(100 + i, 5)).ok());
  for (std::size_t i = 20; i < 24; ++i) ASSERT_TRUE(put(*channel_, numbered_ptr(100 + i, 1)).ok());
  ASSERT_TRUE(channel_->take(3).value().commit().ok());
  kill();
  const std::map<std::string, std::string> saved = disk_.files();
  const std::vector<std::string> left = numbers(103, 21);
  for (const auto& [path, content] : saved) {
    const std::size_t used = std::min<std::size_t>(content.find_last_not_of('\0') + 1, content.size());
    for (std::size_t at = 0; at < used; ++at) {
      for (const auto& [name, original] : saved) disk_.change(name, [&](std::string& now) { now = original; });
      disk_.change(path, [&](std::string& now) { now[at] = static_cast<char>(now[at] ^ (1 << at % 8)); });
      world_.counters.counter("EventDamagedCount").set(0);
      world_.counters.counter("EventMissingCount").set(0);
      const Status opened = open();
      if (!opened.ok()) {
        // Only a format number that reads as a newer one may keep the channel shut.
        ASSERT_THAT(opened.message(), HasSubstr("use a newer one")) << path << " at " << at;
        continue;
      }
      std::vector<std::string> found = drain_all();
      std::erase_if(found, [](const std::string& body) { return std::stoul(body) < 103; });
      std::vector<std::string> lost;
      std::set_difference(left.begin(), left.end(), found.begin(), found.end(), std::back_inserter(lost));
      ASSERT_LE(lost.size(), GetParam() ? 5u : 1u) << path << " at " << at;  // a record; an event
      ASSERT_LE(found.size(), left.size()) << path << " at " << at;
      if (!lost.empty()) {
        ASSERT_GE(at, kSegmentHeader) << path;
        const std::int64_t reported = world_.count("EventDamagedCount") + world_.count("EventMissingCount");
        const bool at_the_end = lost.front() == "123";
        ASSERT_TRUE(reported > 0 || (at_the_end && world_.log.contains(path))) << path << " at " << at;
      }
      kill();
      for (const auto& [name, now] : disk_.files()) {
        if (!saved.contains(name)) disk_.remove(name).ignore();
      }
    }
  }
}

/// A row of puts, takes and commits over several segments, with whatever the file system does to it.
class FaultAtEveryCall : public FileChannelFaultForms {
 protected:
  enum class Ending { kill, power_cut, torn_cut, stop };

  void put_five(bool large) {
    Batch batch;
    const std::size_t first = next_;
    for (; next_ < first + 5; ++next_)
      batch.add_copy(std::to_string(next_) + " " + std::string(large ? 4000 : 10, 'x'));
    const Status status = put(*channel_, std::make_shared<const Batch>(std::move(batch)));
    for (std::size_t i = first; status.ok() && i < next_; ++i) acknowledged_.insert(i);
  }

  void take_some(std::size_t events) {
    auto taken = channel_->take(events);
    if (!taken.ok()) return taken.status().ignore();
    for (std::size_t i = 0; i < taken->size(); ++i) committing_.insert(std::stoul(std::string((*taken)[i].body)));
    if (!taken->commit().ok()) return;
    for (std::size_t i = 0; i < taken->size(); ++i) committed_.insert(std::stoul(std::string((*taken)[i].body)));
  }

  /// False when the faulty call was not reached.
  bool run(std::size_t call, bool for_ever, Ending ending) {
    disk_.clear();
    next_ = 0;
    acknowledged_.clear();
    committing_.clear();
    committed_.clear();
    faults_.fail_change(call, for_ever);
    if (open().ok()) {
      for (std::size_t i = 0; i < 10; ++i) {
        put_five(i % 3 == 1);
        if (i % 2 == 1) take_some(3 + i);
        if (i == 6) {
          channel_->stop();
          if (!channel_->start().ok()) break;
        }
      }
      if (ending == Ending::stop) channel_->stop();
    }
    const bool reached = faults_.change_failed();
    if (!for_ever && ending != Ending::stop) faults_.fail_change(0, true);
    channel_.reset();
    faults_.heal();
    if (ending == Ending::power_cut) disk_.power_cut();
    if (ending == Ending::torn_cut) disk_.power_cut_torn(static_cast<std::uint32_t>(call));
    verify(ending == Ending::kill || ending == Ending::stop);
    return reached;
  }

  void verify(bool no_power_cut) {
    const Status opened = open();
    ASSERT_TRUE(opened.ok()) << opened.to_string();
    std::vector<std::size_t> found;
    for (const std::string& body : drain_all()) found.push_back(std::stoul(body));
    EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
    EXPECT_EQ(std::adjacent_find(found.begin(), found.end()), found.end()) << "twice";
    const std::set<std::size_t> there(found.begin(), found.end());
    for (const std::size_t event : acknowledged_) {
      EXPECT_TRUE(there.contains(event) || committing_.contains(event)) << event << " is lost";
    }
    for (const std::size_t event : there) {
      EXPECT_LT(event, next_);
      EXPECT_FALSE(no_power_cut && !wrote_badly_ && committed_.contains(event)) << event << " was committed";
    }
    channel_->stop();
  }

  std::string last_lines() const {
    const std::vector<std::string> lines = world_.log.lines();
    std::string text;
    for (std::size_t i = lines.size() > 15 ? lines.size() - 15 : 0; i < lines.size(); ++i) text += "\n" + lines[i];
    return text;
  }

  std::size_t next_ = 0;
  std::set<std::size_t> acknowledged_;
  std::set<std::size_t> committing_;
  std::set<std::size_t> committed_;
  bool wrote_badly_ = false;  // a note of what was committed may have failed, which the channel reports and goes on
};

INSTANTIATE_TEST_SUITE_P(Forms, FaultAtEveryCall, ::testing::Bool(), testing::form_name);

TEST_P(FaultAtEveryCall, EndingThereLosesNothing) {
  for (const Ending ending : {Ending::kill, Ending::power_cut, Ending::torn_cut}) {
    wrote_badly_ = true;  // the call that fails may be that of a commit which goes on
    std::size_t call = 0;
    while (run(call, true, ending) && !HasFailure()) ++call;
    EXPECT_GT(call, 50u);
    ASSERT_FALSE(HasFailure()) << "at call " << call << ", ending " << static_cast<int>(ending) << last_lines();
  }
}

TEST_P(FaultAtEveryCall, FailingOnceThereLosesNothing) {
  for (const Ending ending : {Ending::stop, Ending::kill, Ending::power_cut}) {
    wrote_badly_ = ending != Ending::stop;  // at a stop a snapshot makes up for it
    std::size_t call = 0;
    while (run(call, false, ending) && !HasFailure()) ++call;
    EXPECT_GT(call, 50u);
    ASSERT_FALSE(HasFailure()) << "at call " << call << ", ending " << static_cast<int>(ending);
  }
}

TEST_F(FileChannelFaults, AFailedSyncMovesTheGroupToANewSegmentAndItIsAcknowledged) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 5)).ok());
  const std::string poisoned = segments().back();
  faults_.inject({.operation = Operation::sync, .path_contains = "segment-", .times = 1});
  ASSERT_TRUE(put(*channel_, numbered_ptr(5, 5)).ok());
  EXPECT_EQ(segments().size(), 2u);
  const std::string after = disk_.files()[poisoned];
  ASSERT_TRUE(put(*channel_, numbered_ptr(10, 5)).ok());
  EXPECT_EQ(disk_.files()[poisoned], after) << "never written again";
  EXPECT_EQ(world_.count("SyncFailCount"), 1);
  kill();
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(drain_all(), numbers(0, 15)) << "the group stands in both segments and comes once";
}

TEST_F(FileChannelFaults, ADeadDiskFailsPutsLetsTakesGoOnAndResumes) {
  VirtualClock clock;
  testing::TestEnvironment world("c1", clock, faults_);
  auto channel = kFileChannel.create(settings_of(clear()), world.environment).value();
  ASSERT_TRUE(channel->start().ok());
  ASSERT_TRUE(put(*channel, numbered_ptr(0, 5)).ok());
  faults_.inject({.operation = Operation::write, .path_contains = "segment-"});
  EXPECT_EQ(put(*channel, numbered_ptr(5, 5)).code(), Code::io);
  EXPECT_TRUE(eventually([&] { return put(*channel, numbered_ptr(5, 5)).code() == Code::io; }));
  EXPECT_EQ(channel->size(), 5) << "what failed is not inside";
  EXPECT_EQ(bodies(channel->take(2).value()), numbers(0, 2));
  faults_.heal();
  ASSERT_TRUE(eventually([&] {
    clock.advance(std::chrono::seconds(1));
    return put(*channel, numbered_ptr(10, 1)).ok();
  }));
  channel->stop();
  ASSERT_TRUE(channel->start().ok());
  std::vector<std::string> found = drain(*channel);
  EXPECT_EQ(found, (std::vector<std::string>{"0", "1", "2", "3", "4", "10"})) << "what failed does not come back";
}

TEST_F(FileChannelFaults, AFullDiskRefusesPutsAndTakesThemWhenThereIsRoomAgain) {
  VirtualClock clock;
  testing::TestEnvironment world("c1", clock, faults_);
  Settings::Map values = clear();
  values["minimumRequiredSpace"] = "2000000";
  auto channel = kFileChannel.create(settings_of(values), world.environment).value();
  disk_.set_capacity(2'400'000);
  ASSERT_TRUE(channel->start().ok());
  Signal space;
  channel->add_space_waker(space);
  std::size_t stored = 0;
  Status status;
  while (status.ok()) {
    Batch batch;
    batch.add_copy(std::to_string(stored) + " " + std::string(10'000, 'x'));
    status = put(*channel, std::make_shared<const Batch>(std::move(batch)));
    if (status.ok()) ++stored;
    ASSERT_LT(stored, 1000u);
  }
  EXPECT_EQ(status.code(), Code::full);
  EXPECT_EQ(channel->trouble().code(), Code::full);
  EXPECT_THAT(channel->trouble().message(), HasSubstr("bytes are needed in /c/data: "));
  EXPECT_GE(*disk_.free_space("/"), 2'000'000u) << "minimumRequiredSpace is kept";
  EXPECT_EQ(channel->size(), static_cast<std::int64_t>(stored));
  std::size_t next = 0;
  for (;;) {
    Lease lease = channel->take(7).value();
    if (lease.empty()) break;
    for (std::size_t i = 0; i < lease.size(); ++i) {
      EXPECT_TRUE(lease[i].body.starts_with(std::to_string(next++) + " "));
    }
    ASSERT_TRUE(lease.commit().ok());
  }
  EXPECT_EQ(next, stored) << "takes go on";
  space.arm();
  ASSERT_TRUE(eventually([&] {
    clock.advance(std::chrono::seconds(1));
    return put(*channel, numbered_ptr(0, 1)).ok();
  }));
  EXPECT_TRUE(eventually([&] { return space.wait(clock, {}, clock.steady_now()); })) << "who waits for room is woken";
  EXPECT_TRUE(channel->trouble().ok());
  channel->remove_space_waker(space);
}

TEST_F(FileChannelFaults, ASegmentThatSomebodyRemovedIsMissingAndADiskThatWentAwayIsWaitedFor) {
  ASSERT_TRUE(open().ok());
  for (std::size_t i = 0; i < 6; ++i) {
    Batch batch;
    batch.add_copy(std::to_string(i) + " " + std::string(33'000, 'x'));
    ASSERT_TRUE(put(*channel_, std::make_shared<const Batch>(std::move(batch))).ok());
  }
  channel_->stop();
  ASSERT_TRUE(channel_->start().ok());
  ASSERT_TRUE(disk_.rename("/c/data", "/c/away").ok());
  ASSERT_TRUE(disk_.make_directories("/c/data").ok());
  EXPECT_EQ(channel_->take(10).status().code(), Code::not_found);
  EXPECT_EQ(channel_->size(), 6);
  ASSERT_TRUE(disk_.remove_directory("/c/data").ok());
  ASSERT_TRUE(disk_.rename("/c/away", "/c/data").ok());
  const std::vector<std::string> all = segments();
  ASSERT_TRUE(disk_.remove(all[1]).ok());
  std::string found;
  for (const std::string& body : drain_all()) found += body.substr(0, 1);
  EXPECT_EQ(found, "02345");
  EXPECT_EQ(world_.count("EventMissingCount"), 1);
  EXPECT_EQ(channel_->size(), 0);
  EXPECT_TRUE(world_.log.contains(all[1] + ": damage"));
}

TEST_F(FileChannelFaults, ABlockThatCantBeReadCostsWhatIsInItAndADeadDeviceCostsNothing) {
  ASSERT_TRUE(open().ok());
  Batch batch;
  for (std::size_t i = 0; i < 10; ++i) batch.add_copy(std::to_string(i) + " " + std::string(3'000, 'x'));
  ASSERT_TRUE(put(*channel_, std::make_shared<const Batch>(std::move(batch))).ok());
  channel_->stop();
  ASSERT_TRUE(channel_->start().ok());
  faults_.inject({.operation = Operation::read, .path_contains = "segment-"});
  EXPECT_EQ(channel_->take(10).status().code(), Code::io);
  EXPECT_EQ(channel_->size(), 10) << "nothing is given up while the device is gone";
  faults_.heal();
  // The read of the chunk fails, and of its blocks the third, as often as it is tried.
  faults_.inject({.operation = Operation::read, .path_contains = "segment-", .times = 1});
  faults_.inject({.operation = Operation::read, .path_contains = "segment-", .after = 2, .times = 4});
  std::string found;
  for (const std::string& body : drain_all()) found += body.substr(0, 1);
  EXPECT_EQ(found, "0156789") << "bytes 8192 to 12287 of the record held parts of 2, 3 and 4";
  EXPECT_EQ(world_.count("EventDamagedCount"), 3);
  EXPECT_EQ(channel_->size(), 0);
}

TEST_F(FileChannelFaults, ReadsThatFailAFewTimesCostNothing) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 2'000)).ok());
  channel_->stop();
  ASSERT_TRUE(channel_->start().ok());
  faults_.inject({.operation = Operation::read, .path_contains = "segment-", .times = 4});
  EXPECT_EQ(drain_all().size(), 2'000u);
  EXPECT_EQ(world_.count("EventDamagedCount"), 0);
}

TEST_F(FileChannelFaults, CopiesWhatIsDamagedAndWhatItCutsUpToALimit) {
  ASSERT_TRUE(open({{"maxFileSize", "67108864"}}).ok());
  constexpr std::size_t kLarge = 17u << 20;
  for (std::size_t i = 0; i < 3; ++i) {
    Batch batch;
    batch.add_copy(std::string(kLarge, static_cast<char>('a' + i)));
    ASSERT_TRUE(put(*channel_, std::make_shared<const Batch>(std::move(batch))).ok());
  }
  kill();
  const std::string path = segments().back();
  const std::size_t end = disk_.files()[path].find_last_not_of('\0') + 1;
  disk_.change(path, [&](std::string& bytes) {
    bytes[kSegmentHeader + 1000] ^= 1;
    bytes.replace((end + 7) / 8 * 8, 6, "fooled");
  });
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(channel_->take(10).value().size(), 2u);
  std::map<std::string, std::string> copies = disk_.files();
  std::erase_if(copies, [](const auto& file) { return !file.first.starts_with("/c/data/damaged/"); });
  ASSERT_EQ(copies.size(), 2u);
  const auto& [body_path, body] = *copies.begin();
  EXPECT_THAT(body_path, HasSubstr("segment-0000000000000001@41"));
  EXPECT_EQ(body.size(), 16u << 20) << "not more than that of one place";
  EXPECT_EQ(std::count(body.begin(), body.end(), 'a'), (16 << 20) - 1);
  EXPECT_TRUE(std::prev(copies.end())->second.starts_with("fooled"));
  EXPECT_EQ(world_.count("DamagedBytesKept"), 16 << 20);
}

TEST_F(FileChannelFaults, BothSnapshotsDamagedRepeatAndLoseNothing) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 10)).ok());
  ASSERT_TRUE(channel_->take(5).value().commit().ok());
  channel_->stop();
  for (const auto& [path, content] : disk_.files()) {
    if (path.find("snapshot-") != std::string::npos) disk_.change(path, [](std::string& bytes) { bytes[20] ^= 1; });
  }
  ASSERT_TRUE(open().ok());
  const std::vector<std::string> found = drain_all();
  const std::vector<std::string> left = numbers(5, 5);
  ASSERT_GE(found.size(), 5u);
  EXPECT_TRUE(std::equal(left.rbegin(), left.rend(), found.rbegin()));
}

}  // namespace
}  // namespace standpipe

#include "channels/file/file_channel.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channels/file/segment_format.h"
#include "contract/channel_contract.h"
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

Settings settings_of(Settings::Map values) { return Settings::parse(*kFileChannel.info, std::move(values)).value(); }

testing::ChannelUnderTest contract_subject() {
  return {.make =
              [](std::int64_t capacity, Environment& environment) {
                static std::atomic<int> next{0};
                const std::string folder = environment.state_dir + "/channel-" + std::to_string(next++);
                return kFileChannel
                    .create(settings_of({{"checkpointDir", folder + "/checkpoint"},
                                         {"dataDirs", folder + "/data1," + folder + "/data2"},
                                         {"capacity", std::to_string(capacity)},
                                         {"transactionCapacity", std::to_string(capacity)},
                                         {"maxFileSize", "100000"}}),
                            environment)
                    .value();
              },
          .transactional = true};
}

class FileChannelTest : public testing::ChannelOnMemoryDisk {
 protected:
  Status open(Settings::Map more = {}) {
    Settings::Map values = clear();
    for (auto& [key, value] : more) values[key] = value;
    return open_with(values);
  }
};

class FileChannelForms : public testing::ChannelForms {};

INSTANTIATE_TEST_SUITE_P(Forms, FileChannelForms, ::testing::Bool(), testing::form_name);

TEST_F(FileChannelTest, KeepsItsEventsOverAStop) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 10)).ok());
  {
    Lease lease = channel_->take(4).value();
    ASSERT_TRUE(lease.commit(0, 3).ok());
  }
  channel_->stop();
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(channel_->size(), 7);
  EXPECT_EQ(drain_all(), numbers(3, 7));
  EXPECT_EQ(channel_->size(), 0);
  channel_->stop();
  ASSERT_TRUE(open().ok());
  EXPECT_TRUE(drain_all().empty());
  EXPECT_EQ(channel_->size(), 0);
}

TEST_F(FileChannelTest, AKilledChannelHasWhatWasAcknowledgedAndNotWhatWasCommitted) {
  for (std::size_t life = 0; life < 5; ++life) {
    ASSERT_TRUE(open().ok());
    ASSERT_TRUE(put(*channel_, numbered_ptr(life * 10, 10)).ok());
    Lease lease = channel_->take(7).value();
    EXPECT_EQ(bodies(lease), numbers(life * 7, 7));
    ASSERT_TRUE(lease.commit().ok());
    kill();
  }
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(channel_->size(), 15);
  EXPECT_EQ(drain_all(), numbers(35, 15));
}

TEST_F(FileChannelTest, ConsumedSegmentsAreDeletedAndOthersAreNot) {
  VirtualClock clock;
  testing::TestEnvironment world("c1", clock, faults_);
  auto channel = kFileChannel.create(settings_of(clear()), world.environment).value();
  ASSERT_TRUE(channel->start().ok());
  for (std::size_t i = 0; i < 40; ++i) {
    Batch batch;
    batch.add_copy(std::string(10'000, 'x'));
    ASSERT_TRUE(put(*channel, std::make_shared<const Batch>(std::move(batch))).ok());
  }
  const std::vector<std::string> all = segments();
  ASSERT_GE(all.size(), 5u);
  Lease oldest = channel->take(1).value();
  Lease rest = channel->take(39).value();
  ASSERT_TRUE(rest.commit().ok());
  ASSERT_TRUE(eventually([&] {
    clock.advance(std::chrono::seconds(1));
    return segments().size() == 2;
  }));
  EXPECT_THAT(segments(), ElementsAre(all.front(), all.back())) << "the one with an open event, and the newest";
  ASSERT_TRUE(oldest.commit().ok());
  ASSERT_TRUE(eventually([&] {
    clock.advance(std::chrono::seconds(1));
    return segments().size() == 1;
  }));
}

/// What is committed while the housekeeper is at work does not have to wait for the next commit.
TEST_F(FileChannelTest, WhatIsConsumedWhileTheHouseIsKeptIsDeletedToo) {
  VirtualClock clock;
  testing::TestEnvironment world("c1", clock, faults_);
  auto channel = kFileChannel.create(settings_of(clear()), world.environment).value();
  ASSERT_TRUE(channel->start().ok());
  for (std::size_t i = 0; i < 40; ++i) {
    Batch batch;
    batch.add_copy(std::string(10'000, 'x'));
    ASSERT_TRUE(put(*channel, std::make_shared<const Batch>(std::move(batch))).ok());
  }
  Lease first = channel->take(1).value();
  Lease rest = channel->take(39).value();
  faults_.hold_syncs("consumed-");
  ASSERT_TRUE(first.commit().ok());
  ASSERT_TRUE(eventually([&] {
    clock.advance(std::chrono::minutes(1));
    return faults_.held_syncs() == 1;
  }));
  ASSERT_TRUE(rest.commit().ok());
  faults_.release_syncs();
  EXPECT_TRUE(eventually([&] {
    clock.advance(std::chrono::seconds(1));
    return segments().size() == 1;
  }));
}

TEST_F(FileChannelTest, ABacklogLargerThanMemoryComesInOrderAndLateOnesWhereTheyBelong) {
  ASSERT_TRUE(open({{"maxFileSize", "2097152"}}).ok());
  std::size_t next = 0;
  const auto put_some = [&](std::size_t events) {
    Batch batch;
    for (std::size_t i = 0; i < events; ++i) batch.add_copy(std::to_string(next++) + " " + std::string(1000, 'x'));
    ASSERT_TRUE(put(*channel_, std::make_shared<const Batch>(std::move(batch))).ok());
  };
  for (int i = 0; i < 300; ++i) put_some(100);  // 30 MB
  EXPECT_LT(world_.budget.used(), 20u << 20) << "what is not kept in memory is not held";
  std::size_t expected = 0;
  const auto take_some = [&](std::size_t events) {
    Lease lease = channel_->take(events).value();
    for (std::size_t i = 0; i < lease.size(); ++i) {
      ASSERT_TRUE(lease[i].body.starts_with(std::to_string(expected++) + " ")) << expected;
    }
    ASSERT_TRUE(lease.commit().ok());
  };
  while (channel_->size() > 0) {
    take_some(173);
    if (expected % 3 == 0 && next < 60'000) put_some(50);
  }
  EXPECT_EQ(expected, next);
  EXPECT_EQ(world_.count("EventMissingCount"), 0);
}

/// Months of rolls, snapshots and deletions: what the channel holds on disk and in memory stays what it is after the
/// first.
TEST_F(FileChannelTest, TenThousandSegmentsComeAndGo) {
  VirtualClock clock;
  testing::TestEnvironment world("c1", clock, faults_);
  auto channel = kFileChannel.create(settings_of(clear()), world.environment).value();
  ASSERT_TRUE(channel->start().ok());
  std::size_t most_files = 0;
  std::uint64_t most_bytes = 0;
  std::uint64_t most_memory = 0;
  for (std::size_t i = 0; i < 10'000; ++i) {
    Batch batch;
    batch.add_copy(std::to_string(i) + std::string(33'000, 'x'), Batch::kNoHeaders, &world.budget);
    ASSERT_TRUE(put(*channel, std::make_shared<const Batch>(std::move(batch))).ok());
    Lease lease = channel->take(1).value();
    ASSERT_TRUE(lease[0].body.starts_with(std::to_string(i) + "x"));
    ASSERT_TRUE(lease.commit().ok());
    if (i % 100 != 99) continue;
    ASSERT_TRUE(eventually([&] {
      clock.advance(std::chrono::seconds(2));
      return segments().size() == 1;
    })) << i;
    std::uint64_t bytes = 0;
    for (const auto& [path, content] : disk_.files()) bytes += content.size();
    most_files = std::max(most_files, disk_.files().size());
    most_bytes = std::max(most_bytes, bytes);
    most_memory = std::max(most_memory, world.budget.used());
  }
  EXPECT_LE(most_files, 16u);
  EXPECT_LT(most_bytes, 500'000u);
  EXPECT_LT(most_memory, 300'000u);
}

TEST_F(FileChannelTest, RefusesWhatIsNotItsOwn) {
  ASSERT_TRUE(disk_.make_directories("/c/data").ok());
  ASSERT_TRUE(write_file_atomically(disk_, "/c/data/log-7", "flume").ok());
  Status status = open();
  EXPECT_EQ(status.code(), Code::invalid);
  EXPECT_THAT(status.message(), HasSubstr("/c/data/log-7.meta is missing"));
  ASSERT_TRUE(disk_.remove("/c/data/log-7").ok());
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 3)).ok());

  const auto other = kFileChannel.create(settings_of(clear()), world_.environment).value();
  const Status locked = other->start();
  EXPECT_EQ(locked.code(), Code::unavailable);
  EXPECT_THAT(locked.message(), HasSubstr("can't lock /c/checkpoint"));
  EXPECT_THAT(locked.message(), HasSubstr("channel c1"));
  EXPECT_THAT(locked.message(), HasSubstr("channels.c1.checkpointDir"));

  channel_->stop();
  EXPECT_THAT(disk_.files()["/c/data/log-1"].substr(0, 4), ::testing::Not(std::string("\0\0\0\x02", 4)));
  status = open({{"dataDirs", "/c/other"}});
  EXPECT_THAT(status.message(), HasSubstr("events of the channel are in /c/data, which is not among dataDirs"));
  status = open({{"dataDirs", "/c/data,/c/data"}});
  EXPECT_THAT(status.message(), HasSubstr("given twice"));

  disk_.change("/c/data/standpipe-channel", [](std::string& text) {
    text.replace(text.find("format 1"), 8, "format 2");
    text.resize(text.find("check "));
    text += fmt::format("check {:08x}\n", crc32c(0, text));
  });
  const auto before = disk_.files();
  status = open();
  EXPECT_THAT(status.message(), HasSubstr("use a newer one"));
  EXPECT_EQ(disk_.files(), before) << "nothing is touched";
}

TEST_F(FileChannelTest, DefaultFoldersAreTheChannelsOwn) {
  ::setenv("HOME", "/home/u", 1);
  const auto start = [&] {
    auto channel = kFileChannel.create(settings_of({{"minimumRequiredSpace", "0"}}), world_.environment).value();
    const Status status = channel->start();
    channel->stop();
    return status;
  };
  EXPECT_TRUE(start().ok());
  EXPECT_TRUE(disk_.files().contains("/home/u/.flume/file-channel/c1/data/standpipe-channel"));
  // It stays where it is, whatever comes.
  ASSERT_TRUE(disk_.make_directories("/home/u/.flume/file-channel/data").ok());
  ASSERT_TRUE(write_file_atomically(disk_, "/home/u/.flume/file-channel/data/log-3", "flume").ok());
  EXPECT_TRUE(start().ok());
  EXPECT_FALSE(disk_.files().contains("/home/u/.flume/file-channel/data/standpipe-channel"));
}

TEST_F(FileChannelTest, TheFirstChannelOfTheConfigurationTakesOverWhatFlumeLeftInItsDefaultFolders) {
  ::setenv("HOME", "/home/u", 1);
  ASSERT_TRUE(disk_.make_directories("/home/u/.flume/file-channel/data").ok());
  ASSERT_TRUE(write_file_atomically(disk_, "/home/u/.flume/file-channel/data/log-3", "flume").ok());
  testing::TestEnvironment second("c2", clock_, faults_);
  const Settings defaults = settings_of({{"minimumRequiredSpace", "0"}});
  const auto c1 = kFileChannel.create(defaults, world_.environment).value();
  const auto c2 = kFileChannel.create(defaults, second.environment).value();
  EXPECT_TRUE(c2->start().ok());  // whichever comes first
  EXPECT_EQ(
      c2->kept_in(),
      "checkpointDir = /home/u/.flume/file-channel/c2/checkpoint, dataDirs = /home/u/.flume/file-channel/c2/data");
  EXPECT_EQ(c1->kept_in(),
            "checkpointDir = /home/u/.flume/file-channel/checkpoint, dataDirs = /home/u/.flume/file-channel/data");
}

TEST_F(FileChannelTest, TheSecondTakesOverWhatFlumeLeftWhereTheFirstLivesElsewhereAlready) {
  ::setenv("HOME", "/home/u", 1);
  testing::TestEnvironment second("c2", clock_, faults_);
  const Settings defaults = settings_of({{"minimumRequiredSpace", "0"}});
  const auto c1 = kFileChannel.create(defaults, world_.environment).value();
  EXPECT_TRUE(c1->start().ok());
  ASSERT_TRUE(disk_.make_directories("/home/u/.flume/file-channel/data").ok());
  ASSERT_TRUE(write_file_atomically(disk_, "/home/u/.flume/file-channel/data/log-3", "flume").ok());
  const auto c2 = kFileChannel.create(defaults, second.environment).value();
  EXPECT_THAT(c2->kept_in(), HasSubstr("/home/u/.flume/file-channel/checkpoint"));
}

TEST_F(FileChannelTest, OneDefaultFolderDoesNotHideWhatFlumeLeft) {
  ::setenv("HOME", "/home/u", 1);
  ASSERT_TRUE(disk_.make_directories("/home/u/.flume/file-channel/data").ok());
  ASSERT_TRUE(write_file_atomically(disk_, "/home/u/.flume/file-channel/data/log-3", "flume").ok());
  const auto channel =
      kFileChannel.create(settings_of({{"checkpointDir", "/c/checkpoint"}}), world_.environment).value();
  EXPECT_THAT(channel->start().message(),
              HasSubstr("/home/u/.flume/file-channel/data/log-3 belongs to a file channel of Flume"));
}

TEST_F(FileChannelTest, TakesOverEverythingButOtherFoldersWhileItRuns) {
  ASSERT_TRUE(open({{"capacity", "10"}}).ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 10)).ok());
  EXPECT_EQ(put(*channel_, numbered_ptr(10, 1)).code(), Code::full);
  Settings::Map wanted = clear();
  wanted["capacity"] = "20";
  wanted["keep-alive"] = "7";
  wanted["maxFileSize"] = "200000";
  wanted["checkpointInterval"] = "60000";
  ASSERT_TRUE(channel_->reconfigure(settings_of(wanted)).ok());
  EXPECT_TRUE(put(*channel_, numbered_ptr(10, 10)).ok());
  EXPECT_EQ(channel_->keep_alive(), std::chrono::seconds(7));
  const auto refusal_of = [&](const std::string& property, const std::string& value) {
    Settings::Map other = wanted;
    other[property] = value;
    return channel_->reconfigure(settings_of(other)).message();
  };
  EXPECT_THAT(refusal_of("dataDirs", "/c/other"),
              HasSubstr("dataDirs can't change while the channel runs: restart the agent"));
  EXPECT_THAT(refusal_of("checkpointDir", "/c/other"), HasSubstr("checkpointDir can't change"));
  EXPECT_THAT(channel_->reconfigure(settings_of(encrypted(wanted))).message(),
              HasSubstr("encryption.keyProvider can't change"));
  EXPECT_EQ(drain_all(), numbers(0, 20));
}

TEST_F(FileChannelTest, KeysChangeAtAStartOnly) {
  Settings::Map wanted = encrypted(clear());
  ASSERT_TRUE(open_with(wanted).ok());
  wanted["encryption.keyProvider.keys"] = "k new";
  wanted["encryption.keyProvider.keys.new.variable"] = "STANDPIPE_TEST_KEY";
  EXPECT_THAT(channel_->reconfigure(settings_of(wanted)).message(),
              HasSubstr("encryption.keyProvider.keys can't change while the channel runs: restart the agent"));
  wanted = encrypted(clear());
  wanted["encryption.activeKey"] = "NONE";
  EXPECT_THAT(channel_->reconfigure(settings_of(wanted)).message(), HasSubstr("encryption.activeKey can't change"));
}

TEST_F(FileChannelTest, WritesNothingInClearWhereEncryptionIsAskedFor) {
  const auto made = kFileChannel.create(settings_of({{"encryption.keyProvider", "JCEKSFILE"}}), world_.environment);
  EXPECT_EQ(made.status().code(), Code::invalid);
  EXPECT_THAT(made.status().message(), HasSubstr("writes nothing in clear"));
}

TEST_F(FileChannelTest, TellsTheAgeOfItsOldestEvent) {
  VirtualClock clock;
  clock.advance(std::chrono::hours(1));
  testing::TestEnvironment world("c1", clock, faults_);
  auto channel = kFileChannel.create(settings_of(clear()), world.environment).value();
  const auto age = [&] {
    for (const auto& value : world.counters.read()) {
      if (value.name == counter_names::kOldestEventAge) return value.number;
    }
    return -1.0;
  };
  ASSERT_TRUE(channel->start().ok());
  EXPECT_EQ(age(), 0);
  clock.advance(std::chrono::seconds(5));
  ASSERT_TRUE(put(*channel, numbered_ptr(0, 2)).ok());
  clock.advance(std::chrono::seconds(3));
  ASSERT_TRUE(put(*channel, numbered_ptr(2, 2)).ok());
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(age(), 5000);
  ASSERT_TRUE(channel->take(2).value().commit().ok());
  EXPECT_EQ(age(), 2000);
  ASSERT_TRUE(channel->take(2).value().commit().ok());
  EXPECT_EQ(age(), 0);
  for (int i = 0; i < 5000; ++i) {
    clock.advance(std::chrono::seconds(1));
    ASSERT_TRUE(put(*channel, numbered_ptr(4, 1)).ok());
  }
  EXPECT_GE(age(), 4'999'000);
  ASSERT_TRUE(channel->take(4000).value().commit().ok());
  EXPECT_NEAR(age(), 999'000, 16'000) << "fewer marks, not worse than by some parts in a thousand";
  channel->stop();
  clock.advance(std::chrono::seconds(100));
  ASSERT_TRUE(channel->start().ok());
  EXPECT_GE(age(), 1'100'000) << "from the start of its segment, as it is from before";
}

TEST_P(FileChannelForms, WhatWasWrittenInOneGroupAndWhatIsLargeComesBackFromDisk) {
  ASSERT_TRUE(open({{"maxFileSize", "67108864"}}).ok());
  faults_.hold_syncs("segment-");
  std::vector<BatchPtr> batches;
  for (std::size_t i = 0; i < 16; ++i) batches.push_back(numbered_ptr(i * 10, 1 + i % 3));
  Batch large;
  for (std::size_t i = 0; i < 40; ++i) large.add_copy(std::to_string(i) + std::string(100'000, 'y'));
  large.add_copy(std::string(5u << 20, 'z'));
  batches.push_back(std::make_shared<const Batch>(std::move(large)));
  batches.push_back(numbered_ptr(900, 2));
  std::vector<std::string> expected;
  std::vector<std::unique_ptr<Put>> puts;
  std::vector<Receipt> receipts;
  for (const BatchPtr& batch : batches) {
    for (std::size_t i = 0; i < batch->size(); ++i) expected.emplace_back((*batch)[i].body);
    puts.push_back(channel_->reserve(*batch).value());
    receipts.push_back(puts.back()->store(batch));
  }
  faults_.release_syncs();
  for (Receipt& receipt : receipts) EXPECT_TRUE(receipt.wait().ok());
  EXPECT_LE(world_.count("SyncCount"), 4);
  for (const auto& put : puts) put->publish();
  puts.clear();
  kill();
  ASSERT_TRUE(open().ok());
  EXPECT_TRUE(drain_all() == expected);
  EXPECT_EQ(world_.count("EventDamagedCount"), 0);
}

TEST_F(FileChannelTest, SixteenClientsShareSyncs) {
  ASSERT_TRUE(open().ok());
  faults_.hold_syncs("segment-");
  std::vector<std::unique_ptr<Put>> puts;
  std::vector<Receipt> receipts;
  for (std::size_t i = 0; i < 16; ++i) {
    const BatchPtr batch = numbered_ptr(i, 1);
    puts.push_back(channel_->reserve(*batch).value());
    receipts.push_back(puts.back()->store(batch));
  }
  for (const Receipt& receipt : receipts) EXPECT_FALSE(receipt.ready()) << "acknowledged before the sync";
  faults_.release_syncs();
  for (Receipt& receipt : receipts) EXPECT_TRUE(receipt.wait().ok());
  EXPECT_LE(world_.count("SyncCount"), 2) << "the first alone at most, the others together";
  for (const auto& put : puts) put->publish();
  EXPECT_EQ(drain_all(), numbers(0, 16));
}

TEST_F(FileChannelTest, ClientsThatComeBackAtOnceShareTheNextSyncToo) {
  VirtualClock clock;
  testing::TestEnvironment world("c1", clock, faults_);
  auto channel = kFileChannel.create(settings_of(clear()), world.environment).value();
  ASSERT_TRUE(channel->start().ok());
  std::size_t next = 0;
  std::vector<std::unique_ptr<Put>> puts;
  const auto store = [&] {
    const BatchPtr batch = numbered_ptr(next++, 1);
    puts.push_back(channel->reserve(*batch).value());
    return puts.back()->store(batch);
  };
  const auto writes = [&] { return faults_.calls(Operation::write); };
  faults_.hold_syncs("segment-");
  const std::size_t before = writes();
  Receipt alone = store();
  ASSERT_TRUE(eventually([&] { return writes() > before; }));
  std::vector<Receipt> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(store());
  clock.advance(std::chrono::milliseconds(100));  // so long did that sync take
  faults_.release_syncs();
  ASSERT_TRUE(alone.wait().ok());
  ASSERT_TRUE(eventually([&] { return clock.waiters() == 1; })) << "the three wait for the one that was just answered";
  for (const Receipt& receipt : waiting) EXPECT_FALSE(receipt.ready());
  waiting.push_back(store());
  for (Receipt& receipt : waiting) ASSERT_TRUE(receipt.wait().ok());
  EXPECT_EQ(world.count("SyncCount"), 2);

  // It does not come back this time: a quarter of a sync is all that the others wait.
  Receipt last = store();
  ASSERT_TRUE(eventually([&] {
    clock.advance(std::chrono::milliseconds(25));
    return last.ready();
  }));
  EXPECT_TRUE(last.wait().ok());
  for (const auto& put : puts) put->publish();
  EXPECT_EQ(drain(*channel), numbers(0, next));
}

}  // namespace
}  // namespace standpipe

namespace standpipe::testing {
INSTANTIATE_TEST_SUITE_P(File, ChannelContract, ::testing::Values(contract_subject()));
}  // namespace standpipe::testing

#include "channels/spillablememory/spillable_channel.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "channels/file/file_channel.h"
#include "channels/memory/memory_channel.h"
#include "contract/channel_contract.h"
#include "io/memory_file_system.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using testing::bodies;
using testing::drain;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::numbered_ptr;
using testing::numbers;
using testing::put;

const ChannelFactory& factory() { return spillable_channel(kMemoryChannel, kFileChannel); }

Settings settings_of(Settings::Map values) { return Settings::parse(*factory().info, std::move(values)).value(); }

testing::ChannelUnderTest subject(std::int64_t of_memory) {
  return {.make = [of_memory](std::int64_t capacity, Environment& environment) {
    static std::atomic<int> next{0};
    const std::string folder = environment.state_dir + "/channel-" + std::to_string(next++);
    return factory()
        .create(settings_of({{"checkpointDir", folder + "/checkpoint"},
                             {"dataDirs", folder + "/data"},
                             {"memoryCapacity", std::to_string(of_memory * capacity)},
                             {"overflowCapacity", std::to_string((1 - of_memory) * capacity)},
                             {"transactionCapacity", std::to_string(capacity)}}),
                environment)
        .value();
  }};
}

/// Ten events in memory, a hundred on a disk that survives the channel.
class SpillableChannelTest : public ::testing::Test {
 protected:
  SpillableChannelTest() { open(); }

  void open(Settings::Map more = {}) {
    channel_ = nullptr;
    Settings::Map values = {{"memoryCapacity", "10"},      {"overflowCapacity", "100"},
                            {"checkpointDir", "/c/check"}, {"dataDirs", "/c/data"},
                            {"minimumRequiredSpace", "0"}, {"overflowDeactivationThreshold", "50"},
                            {"transactionCapacity", "100"}};
    for (auto& [key, value] : more) values[key] = value;
    channel_ = factory().create(settings_of(std::move(values)), world_.environment).value();
    EXPECT_TRUE(channel_->start().ok());
  }
  void put_numbers(std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) ASSERT_TRUE(put(*channel_, numbered_ptr(i, 1)).ok());
  }
  std::int64_t spilled() { return world_.count("EventSpilledCount"); }
  double gauge(std::string_view name) {
    for (const auto& value : world_.counters.read()) {
      if (value.name == name) return value.number;
    }
    return -1;
  }

  MemoryFileSystem files_;
  SystemClock clock_;
  testing::TestEnvironment world_{"c1", clock_, files_};
  std::unique_ptr<Channel> channel_;
};

TEST_F(SpillableChannelTest, WhatASinkKeepsUpWithNeverSeesTheDisk) {
  for (std::size_t i = 0; i < 1000; i += 10) {
    put_numbers(i, 10);
    EXPECT_EQ(drain(*channel_), numbers(i, 10));
  }
  EXPECT_EQ(spilled(), 0);
}

TEST_F(SpillableChannelTest, OrderIsKeptWhicheverHoldsTheEvents) {
  put_numbers(0, 30);
  EXPECT_EQ(spilled(), 20);
  EXPECT_EQ(gauge("OverflowSize"), 20);
  EXPECT_EQ(gauge(counter_names::kChannelSize), 30);
  EXPECT_EQ(gauge(counter_names::kChannelCapacity), 110);
  {
    Lease lease = channel_->take(6).value();
    EXPECT_EQ(bodies(lease), numbers(0, 6));
    ASSERT_TRUE(lease.commit().ok());
  }
  put_numbers(30, 5);  // half of memory is free again
  EXPECT_EQ(spilled(), 20);
  put_numbers(35, 5);  // one more fits
  EXPECT_EQ(spilled(), 24);
  EXPECT_EQ(drain(*channel_), numbers(6, 34));
  EXPECT_EQ(channel_->size(), 0);
}

TEST_F(SpillableChannelTest, DiskIsLeftOnlyWhenEnoughMemoryIsFree) {
  put_numbers(0, 11);
  {
    Lease lease = channel_->take(4).value();
    ASSERT_TRUE(lease.commit().ok());
  }
  put_numbers(11, 1);
  EXPECT_EQ(spilled(), 2) << "four of ten free, five wanted";
  {
    Lease lease = channel_->take(1).value();
    ASSERT_TRUE(lease.commit().ok());
  }
  put_numbers(12, 1);
  EXPECT_EQ(spilled(), 2);
  EXPECT_EQ(drain(*channel_), numbers(5, 8));
}

TEST_F(SpillableChannelTest, ALeaseEndsWhereTheHolderChangesAndWhatComesBackIsFirst) {
  put_numbers(0, 15);
  Lease memory = channel_->take(100).value();
  EXPECT_EQ(bodies(memory), numbers(0, 10));
  Lease disk = channel_->take(100).value();
  EXPECT_EQ(bodies(disk), numbers(10, 5));
  EXPECT_TRUE(channel_->take(100)->empty());
  disk.give_back(1, 5);
  memory.give_back(8, 10);
  EXPECT_EQ(bodies(channel_->take(100).value()), numbers(8, 2));
  ASSERT_TRUE(memory.commit().ok());
  ASSERT_TRUE(disk.commit().ok());
  EXPECT_EQ(drain(*channel_), (std::vector<std::string>{"8", "9", "11", "12", "13", "14"}));
}

TEST_F(SpillableChannelTest, ABatchThatMemoryCanNeverHoldGoesToDisk) {
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 40)).ok());
  EXPECT_EQ(spilled(), 40);
  put_numbers(40, 2);
  EXPECT_EQ(spilled(), 40) << "memory has room all the same";
  EXPECT_EQ(drain(*channel_), numbers(0, 42));
}

TEST_F(SpillableChannelTest, IsFullOnlyWhenTheDiskIsToo) {
  put_numbers(0, 110);
  EXPECT_EQ(put(*channel_, numbered_ptr(110, 1)).code(), Code::full);
  {
    Lease lease = channel_->take(5).value();
    ASSERT_TRUE(lease.commit().ok());
  }
  put_numbers(110, 5);
  EXPECT_EQ(drain(*channel_), numbers(5, 110));
}

TEST_F(SpillableChannelTest, AStopMovesMemoryToDisk) {
  put_numbers(0, 14);
  EXPECT_FALSE(channel_->is_volatile());
  channel_->stop();
  EXPECT_TRUE(world_.log.contains("10 events went from memory to disk"));
  open();
  EXPECT_EQ(channel_->size(), 14);
  std::vector<std::string> expected = numbers(10, 4);  // older on disk than what the stop brought there
  for (std::string& number : numbers(0, 10)) expected.push_back(std::move(number));
  EXPECT_EQ(drain(*channel_), expected);
}

TEST_F(SpillableChannelTest, AStopAndAStartOfOneChannelLoseNothing) {
  put_numbers(0, 8);
  channel_->stop();
  ASSERT_TRUE(channel_->start().ok());
  put_numbers(8, 4);
  EXPECT_EQ(drain(*channel_), numbers(0, 12));
}

TEST_F(SpillableChannelTest, AStopSaysWhatTheDiskDoesNotTake) {
  open({{"overflowCapacity", "4"}, {"transactionCapacity", "4"}});
  put_numbers(0, 12);
  channel_->stop();
  EXPECT_EQ(channel_->lost_at_end(), 8);
  EXPECT_TRUE(world_.log.contains("8 events stay in memory: the disk holds as many as it may, overflowCapacity = 4"));
}

TEST_F(SpillableChannelTest, AStopBringsToDiskWhateverPartOfABatchFits) {
  open({{"overflowCapacity", "7"}, {"transactionCapacity", "7"}});
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 10)).ok());
  channel_->stop();
  EXPECT_EQ(channel_->lost_at_end(), 3);
  open();
  EXPECT_EQ(drain(*channel_), numbers(0, 7));
}

/// Memory in front of a disk whose stores end when the test says so.
class SpillableStopTest : public ::testing::Test {
 protected:
  SpillableStopTest() {
    auto memory = kMemoryChannel.create(
        Settings::parse(*kMemoryChannel.info, {{"capacity", "1000"}, {"transactionCapacity", "10"}}).value(),
        world_.environment);
    auto disk = std::make_unique<testing::ScriptedChannel>();
    disk_ = disk.get();
    channel_ = std::make_unique<SpillableChannel>(SpillableChannel::Options{10, 0, std::chrono::milliseconds(0)},
                                                  std::move(memory).value(), std::move(disk), world_.environment);
    EXPECT_TRUE(channel_->start().ok());
    for (std::size_t i = 0; i < 500; ++i) EXPECT_TRUE(put(*channel_, numbered_ptr(i, 1)).ok());
  }

  testing::TestEnvironment world_{"c1"};
  testing::ScriptedChannel* disk_ = nullptr;
  std::unique_ptr<SpillableChannel> channel_;
};

TEST_F(SpillableStopTest, AStopWaitsOnceForManyStores) {
  disk_->hold_stores(true);
  std::jthread stopping([this] { channel_->stop(); });
  EXPECT_TRUE(testing::eventually([this] { return disk_->pending() == 500; })) << disk_->pending();
  disk_->hold_stores(false);
  while (disk_->complete_store()) {
  }
  stopping.join();
  EXPECT_EQ(channel_->lost_at_end(), 0);
  EXPECT_EQ(disk_->published(), numbers(0, 500));
}

TEST_F(SpillableStopTest, WhatFailedGoesToDiskTheSecondTimeInItsOrder) {
  disk_->hold_stores(true);
  std::jthread stopping([this] { channel_->stop(); });
  EXPECT_TRUE(testing::eventually([this] { return disk_->pending() == 500; })) << disk_->pending();
  disk_->hold_stores(false);
  for (int i = 0; i < 37; ++i) EXPECT_TRUE(disk_->complete_store());
  EXPECT_TRUE(disk_->complete_store({Code::io, "a folder broke"}));
  while (disk_->complete_store()) {
  }
  stopping.join();
  EXPECT_EQ(channel_->lost_at_end(), 0);
  EXPECT_EQ(disk_->published(), numbers(0, 500));
  EXPECT_FALSE(world_.log.contains("stay in memory"));
}

TEST_F(SpillableStopTest, ADiskThatTakesNothingMoreIsNamedWithWhatIsLost) {
  disk_->fail_reserve({Code::full, "/d: 0 bytes are free"});
  channel_->stop();
  EXPECT_EQ(channel_->lost_at_end(), 500);
  EXPECT_TRUE(world_.log.contains("500 events stay in memory: the disk does not take them: /d: 0 bytes are free"));
}

TEST_F(SpillableChannelTest, MemoryAloneIsVolatile) {
  open({{"overflowCapacity", "0"}});
  EXPECT_TRUE(channel_->is_volatile());
  put_numbers(0, 10);
  EXPECT_EQ(put(*channel_, numbered_ptr(10, 1)).code(), Code::full);
  EXPECT_EQ(drain(*channel_), numbers(0, 10));
}

TEST_F(SpillableChannelTest, CapacitiesChangeInPlaceAndPartsDoNot) {
  put_numbers(0, 10);
  const Settings::Map folders = {{"checkpointDir", "/c/check"},
                                 {"dataDirs", "/c/data"},
                                 {"minimumRequiredSpace", "0"},
                                 {"transactionCapacity", "100"}};
  Settings::Map larger = folders;
  larger["memoryCapacity"] = "20";
  larger["overflowCapacity"] = "100";
  EXPECT_TRUE(channel_->reconfigure(settings_of(larger)).ok());
  put_numbers(10, 10);
  EXPECT_EQ(spilled(), 0);
  larger["overflowCapacity"] = "0";
  EXPECT_THAT(channel_->reconfigure(settings_of(larger)).message(),
              HasSubstr("overflowCapacity from or to 0 can't change while the channel runs: restart the agent"));
  larger["overflowCapacity"] = "100";
  larger["memoryCapacity"] = "0";
  EXPECT_THAT(channel_->reconfigure(settings_of(larger)).message(), HasSubstr("memoryCapacity from or to 0"));
  EXPECT_EQ(drain(*channel_), numbers(0, 20));
}

TEST(SpillableChannelOptions, AreItsOwnAndThoseOfTheDisk) {
  EXPECT_NE(find_option(*factory().info, "checkpointDir"), nullptr);
  EXPECT_NE(find_option(*factory().info, "encryption.activeKey"), nullptr);
  EXPECT_FALSE(find_option(*factory().info, "capacity")->no_effect.empty());
  testing::TestEnvironment world("c1");
  auto neither = factory().create(settings_of({{"memoryCapacity", "0"}, {"overflowCapacity", "0"}}), world.environment);
  ASSERT_TRUE(neither.ok());
  EXPECT_EQ((*neither)->capacity(), 100'000'000);
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Memory, ChannelContract, ::testing::Values(subject(1)));
INSTANTIATE_TEST_SUITE_P(Disk, ChannelContract, ::testing::Values(subject(0)));
}  // namespace testing

}  // namespace standpipe

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channels/file/directory_guard.h"
#include "channels/file/file_channel.h"
#include "channels/file/flume/flume_folder.h"
#include "channels/file/flume/names.h"
#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe::file_channel::flume {
namespace {

using ::testing::Contains;
using testing::drain;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::numbered_ptr;
using testing::put;
using End = FlumeFolder::End;
using Operation = FaultyFileSystem::Operation;
using Files = std::map<std::string, std::string>;

const std::vector<std::string> kFolders = {"/f/checkpoint", "/f/data1", "/f/data2"};

/// A channel on folders that Flume left, on a disk that outlives it.
class TakeOverTest : public ::testing::Test {
 protected:
  Status open(Settings::Map more = {}) {
    channel_.reset();
    Settings::Map values{{"checkpointDir", "/f/checkpoint"},
                         {"dataDirs", "/f/data1,/f/data2"},
                         {"maxFileSize", "65536"},
                         {"minimumRequiredSpace", "0"}};
    for (auto& [key, value] : more) values[key] = value;
    channel_ =
        kFileChannel.create(Settings::parse(*kFileChannel.info, std::move(values)).value(), world_.environment).value();
    return channel_->start();
  }
  void kill() {
    faults_.fail_change(0, true);
    channel_.reset();
    faults_.heal();
  }

  /// Logs in two folders, a checkpoint, and something of every kind behind it.
  static void fill(FlumeFolder& flume, std::size_t body_size = 3000) {
    for (int i = 0; i < 20; ++i) flume.put({fmt::format("{:0{}}", 2 * i, body_size), std::to_string(2 * i + 1)});
    flume.take(5);
    flume.take(3, End::none);
    flume.roll();
    flume.put({"x", "y"}, End::none);
    flume.checkpoint();
    flume.put({"z"});
    flume.take(2);
    flume.take(2, End::none);
    flume.put({"never"}, End::none);
    flume.save();
  }

  Files files_of_flume() const {
    Files found;
    for (const auto& [path, content] : disk_.files()) {
      const std::string name = path.substr(path.rfind('/') + 1);
      if (path.find("taken-over") == std::string::npos && is_name_of_flume(name)) found[path] = content;
    }
    return found;
  }
  bool guarded() {
    for (const auto& [path, content] : disk_.files()) {
      if (path.find("taken-over") == std::string::npos && is_guard(disk_, path).value()) return true;
    }
    return false;
  }
  std::size_t old_files() const {
    std::size_t count = 0;
    for (const auto& [path, content] : disk_.files()) count += path.find("/flume-taken-over-1/") != std::string::npos;
    return count;
  }

  MemoryFileSystem disk_;
  FaultyFileSystem faults_{disk_};
  SystemClock clock_;
  testing::TestEnvironment world_{"c1", clock_, faults_};
  std::unique_ptr<Channel> channel_;
};

TEST_F(TakeOverTest, ItsEventsComeInOrderWithTheirHeadersAndTheOldFilesAreKept) {
  FlumeFolder flume(disk_, kFolders[0], {kFolders[1], kFolders[2]});
  fill(flume);
  const Files before = files_of_flume();
  const Status opened = open();
  ASSERT_TRUE(opened.ok()) << opened.to_string();
  EXPECT_EQ(channel_->size(), static_cast<std::int64_t>(flume.waiting().size()));
  EXPECT_EQ(world_.counters.counter("EventTakenOverCount").value(), channel_->size());
  {
    Lease lease = channel_->take(1000).value();
    ASSERT_GT(lease.size(), 0u);
    for (std::size_t i = 0; i < lease.size(); ++i) EXPECT_EQ(lease[i].headers->get("n"), lease[i].body);
  }
  EXPECT_EQ(drain(*channel_), flume.waiting());
  EXPECT_THAT(world_.log.lines(), Contains(HasSubstr(fmt::format("took over {} events", flume.waiting().size()))));
  for (const auto& [path, content] : before) {
    const std::size_t slash = path.rfind('/');
    EXPECT_EQ(disk_.files().at(path.substr(0, slash) + "/flume-taken-over-1" + path.substr(slash)), content) << path;
  }
  channel_->stop();
  ASSERT_TRUE(open().ok());
  EXPECT_THAT(drain(*channel_), IsEmpty());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 3)).ok());
  EXPECT_EQ(drain(*channel_), testing::numbers(0, 3));
}

/// The process ends at every call that changes something, with and without a power cut behind it: the events are there
/// once, and at no time could Flume start on what it would deliver a second time.
TEST_F(TakeOverTest, KilledAtEveryStepTheEventsAreThereOnce) {
  enum class Ending : unsigned char { kill, one_failure, power_cut, torn_cut };
  for (const Ending ending : {Ending::kill, Ending::one_failure, Ending::power_cut, Ending::torn_cut}) {
    std::size_t step = 0;
    for (bool reached = true; reached; ++step) {
      disk_.clear();
      FlumeFolder flume(disk_, kFolders[0], {kFolders[1], kFolders[2]});
      fill(flume);
      ASSERT_TRUE(disk_.sync_directory("/").ok() && disk_.sync_directory("/f").ok());
      const Files before = files_of_flume();
      faults_.fail_change(step, ending != Ending::one_failure);
      open().ignore();
      reached = faults_.change_failed();
      kill();
      if (ending == Ending::power_cut) disk_.power_cut();
      if (ending == Ending::torn_cut) disk_.power_cut_torn(static_cast<std::uint32_t>(step));
      if (!guarded()) {
        EXPECT_TRUE(files_of_flume() == before) << "step " << step;
      }
      const Status opened = open();
      ASSERT_TRUE(opened.ok()) << "step " << step << ": " << opened.to_string();
      ASSERT_EQ(drain(*channel_), flume.waiting()) << "step " << step << ", ending " << static_cast<int>(ending);
      EXPECT_EQ(old_files(), before.size());
      EXPECT_TRUE(guarded());
      for (const auto& [path, content] : disk_.files()) {
        EXPECT_THAT(path, Not(HasSubstr("/standpipe-taking-over/")));
        EXPECT_THAT(path, Not(HasSubstr("log-2147483647")));
      }
      kill();
      ASSERT_TRUE(open().ok());
      EXPECT_THAT(drain(*channel_), IsEmpty()) << "step " << step;
      channel_.reset();
    }
    EXPECT_GT(step, 60u);
  }
}

TEST_F(TakeOverTest, AFullDiskLeavesFlumesFilesAsTheyWere) {
  FlumeFolder flume(disk_, kFolders[0], {kFolders[1], kFolders[2]});
  fill(flume, 100'000);
  const Files before = files_of_flume();
  std::uint64_t used = 0;
  for (const auto& [path, content] : disk_.files()) used += content.size();
  disk_.set_capacity(used + 1'000'000);
  const Status refused = open();
  EXPECT_EQ(refused.code(), Code::full);
  EXPECT_THAT(refused.message(), HasSubstr("its files are as they were"));
  EXPECT_TRUE(files_of_flume() == before);
  EXPECT_FALSE(guarded());
  channel_.reset();
  disk_.set_capacity(std::uint64_t{1} << 40);
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(drain(*channel_), flume.waiting());
}

TEST_F(TakeOverTest, ADamagedEventCostsItselfAndIsCounted) {
  FlumeFolder flume(disk_, kFolders[0], {kFolders[1], kFolders[2]});
  flume.put({"one", "two", "three"});
  flume.save();
  disk_.change(flume.path_of(1), [](std::string& content) { content[content.rfind("two")] = 'T'; });
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(drain(*channel_), (std::vector<std::string>{"one", "three"}));
  EXPECT_EQ(world_.counters.counter("EventDamagedCount").value(), 1);
  EXPECT_THAT(world_.log.lines(), Contains(HasSubstr("its checksum does not agree")));
}

TEST_F(TakeOverTest, AFlumeThatRunsKeepsItsFolders) {
  FlumeFolder flume(disk_, kFolders[0], {kFolders[1], kFolders[2]});
  fill(flume);
  const Files before = files_of_flume();
  const auto lock = disk_.lock("/f/data2/in_use.lock", "");
  ASSERT_TRUE(lock.ok());
  EXPECT_THAT(open().message(), HasSubstr("can't lock /f/data2"));
  EXPECT_TRUE(files_of_flume() == before);
}

TEST_F(TakeOverTest, TheBackupOfTheCheckpointIsUsedAndMovedToo) {
  FlumeFolder flume(disk_, kFolders[0], {kFolders[1], kFolders[2]});
  fill(flume);
  ASSERT_TRUE(disk_.make_directories("/f/backup").ok());
  for (const auto& [path, content] : disk_.files()) {
    if (!path.starts_with("/f/checkpoint/")) continue;
    ASSERT_TRUE(write_file_atomically(disk_, "/f/backup" + path.substr(path.rfind('/')), content).ok());
  }
  ASSERT_TRUE(write_file_atomically(disk_, "/f/backup/backupComplete", "").ok());
  disk_.change("/f/checkpoint/checkpoint", [](std::string& content) { content.resize(5); });
  ASSERT_TRUE(open({{"useDualCheckpoints", "true"}, {"backupCheckpointDir", "/f/backup"}}).ok());
  EXPECT_EQ(drain(*channel_), flume.waiting());
  EXPECT_TRUE(disk_.files().contains("/f/backup/flume-taken-over-1/checkpoint"));
  EXPECT_FALSE(disk_.files().contains("/f/backup/checkpoint"));
}

TEST_F(TakeOverTest, AFolderOfAnUnfinishedOneMayNotBeLeftOut) {
  FlumeFolder flume(disk_, kFolders[0], {kFolders[1], kFolders[2]});
  fill(flume);
  faults_.inject({.operation = Operation::rename, .path_contains = "log-1", .after = 0});
  EXPECT_FALSE(open().ok());
  faults_.heal();
  ASSERT_TRUE(disk_.files().contains("/f/checkpoint/standpipe-take-over"));
  EXPECT_THAT(open({{"dataDirs", "/f/data1"}}).message(), HasSubstr("/f/data2, which is not among dataDirs any more"));
  disk_.change("/f/checkpoint/standpipe-take-over", [](std::string& content) { content[60] ^= 1; });
  EXPECT_THAT(open().message(), HasSubstr("/f/checkpoint/standpipe-take-over: it is damaged"));
  disk_.change("/f/checkpoint/standpipe-take-over", [](std::string& content) { content[60] ^= 1; });
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(drain(*channel_), flume.waiting());
}

/// A configuration without folders runs on what Flume left in its default ones, and only the first channel does.
TEST_F(TakeOverTest, FlumesDefaultFoldersBecomeThoseOfTheChannelThatTookThemOver) {
  ::setenv("HOME", "/home/u", 1);
  const std::string base = "/home/u/.flume/file-channel";
  FlumeFolder flume(disk_, base + "/checkpoint", {base + "/data"});
  flume.put({"a", "b"});
  flume.save();
  const auto make = [&](const std::string& name) {
    world_.environment.component = name;
    auto channel =
        kFileChannel
            .create(Settings::parse(*kFileChannel.info, {{"minimumRequiredSpace", "0"}}).value(), world_.environment)
            .value();
    const Status started = channel->start();
    EXPECT_TRUE(started.ok()) << started.to_string();
    return channel;
  };
  faults_.inject({.operation = Operation::rename, .path_contains = "/data/log-1"});
  world_.environment.component = "c1";
  auto failing =
      kFileChannel
          .create(Settings::parse(*kFileChannel.info, {{"minimumRequiredSpace", "0"}}).value(), world_.environment)
          .value();
  EXPECT_FALSE(failing->start().ok());
  failing.reset();
  faults_.heal();
  auto other = make("c2");
  EXPECT_THAT(drain(*other), IsEmpty());
  EXPECT_TRUE(disk_.files().contains(base + "/c2/data/standpipe-channel"));
  auto first = make("c1");
  EXPECT_EQ(first->size(), 2);
  first.reset();
  first = make("c1");
  EXPECT_EQ(drain(*first), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(disk_.files().contains(base + "/c1/data/standpipe-channel"));
}

TEST_F(TakeOverTest, WhatIsTakenOverIsEncryptedWhereTheChannelIs) {
  FlumeFolder flume(disk_, kFolders[0], {kFolders[1], kFolders[2]});
  flume.put({"a secret that nobody may read", "and another one"});
  flume.save();
  ASSERT_TRUE(disk_.make_directories("/keys").ok());
  ASSERT_TRUE(write_file_atomically(disk_, "/keys/k1", std::string(64, '7'), 0600).ok());
  const Settings::Map keys{{"encryption.keyProvider", "file"},
                           {"encryption.activeKey", "k1"},
                           {"encryption.keyProvider.keys", "k1"},
                           {"encryption.keyProvider.keys.k1.file", "/keys/k1"}};
  const Status opened = open(keys);
  ASSERT_TRUE(opened.ok()) << opened.to_string();
  for (const auto& [path, content] : disk_.files()) {
    if (path.find("/segment-") == std::string::npos) continue;
    EXPECT_EQ(content.find("secret"), std::string::npos) << path;
  }
  kill();
  ASSERT_TRUE(open(keys).ok());
  EXPECT_EQ(drain(*channel_), flume.waiting());
}

TEST_F(TakeOverTest, AnEmptyChannelOfFlumesIsTakenOverToo) {
  FlumeFolder flume(disk_, kFolders[0], {kFolders[1], kFolders[2]});
  flume.put({"gone"});
  flume.take(1);
  flume.checkpoint();
  flume.save();
  ASSERT_TRUE(open().ok());
  EXPECT_THAT(drain(*channel_), IsEmpty());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 3)).ok());
  kill();
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(drain(*channel_), testing::numbers(0, 3));
}

}  // namespace
}  // namespace standpipe::file_channel::flume

#include "channels/file/file_channel.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channels/file/segment_format.h"
#include "contract/channel_contract.h"
#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using testing::bodies;
using testing::drain;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::HasSubstr;
using testing::numbered_ptr;
using testing::numbers;
using testing::put;
using Operation = FaultyFileSystem::Operation;

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

/// A channel on a disk in memory that survives it; faults come in between.
class FileChannelTest : public ::testing::Test {
 protected:
  static Settings::Map folders() {
    return {{"checkpointDir", "/c/checkpoint"},
            {"dataDirs", "/c/data"},
            {"maxFileSize", "65536"},
            {"minimumRequiredSpace", "0"}};
  }

  /// A new life on the same disk; the old one, if any, is dropped without being stopped in order.
  Status open(Settings::Map more = {}) {
    channel_.reset();
    Settings::Map values = folders();
    for (auto& [key, value] : more) values[key] = value;
    channel_ = kFileChannel.create(settings_of(values), world_.environment).value();
    return channel_->start();
  }
  /// The process dies: what it has open writes nothing any more.
  void kill() {
    faults_.inject({.operation = Operation::write});
    faults_.inject({.operation = Operation::sync});
    faults_.inject({.operation = Operation::truncate});
    faults_.inject({.operation = Operation::rename});
    faults_.inject({.operation = Operation::remove});
    channel_.reset();
    faults_.heal();
  }
  std::vector<std::string> segments() const {
    std::vector<std::string> found;
    for (const auto& [path, content] : disk_.files()) {
      if (path.find("segment-") != std::string::npos) found.push_back(path);
    }
    return found;
  }
  std::vector<std::string> drain_all() { return drain(*channel_); }

  MemoryFileSystem disk_;
  FaultyFileSystem faults_{disk_};
  SystemClock clock_;
  testing::TestEnvironment world_{"c1", clock_, faults_};
  std::unique_ptr<Channel> channel_;
};

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

TEST_F(FileChannelTest, APowerCutLosesNothingAcknowledged) {
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

}  // namespace
}  // namespace standpipe

namespace standpipe::testing {
INSTANTIATE_TEST_SUITE_P(File, ChannelContract, ::testing::Values(contract_subject()));
}  // namespace standpipe::testing

#include "sinks/hdfs/hdfs_sink.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>

#include "support/test_environment.h"
#include "support/test_outlet.h"

namespace standpipe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kNow = 1'700'000'000'000;  // 2023-11-14 22:13:20 UTC

class HdfsSinkTest : public ::testing::Test {
 protected:
  Status make(Settings::Map values) {
    values.emplace("hdfs.path", "file://" + out_.path() + "/%Y-%m-%d");
    values.emplace("hdfs.fileType", "DataStream");
    values.emplace("hdfs.timeZone", "UTC");
    auto settings = Settings::parse(kHdfsSinkInfo, values);
    if (!settings.ok()) return settings.status();
    auto sink = kHdfsSink.create(*settings, world_.environment);
    if (!sink.ok()) return sink.status();
    sink_ = std::move(sink).value();
    return sink_->start();
  }

  Turn turn() {
    const auto turn = sink_->process(outlet_, {});
    EXPECT_TRUE(turn.ok()) << turn.status().message();
    return turn.ok() ? *turn : Turn{};
  }

  /// Every file under the output folder: path relative to it -> content.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(out_.path())) {
      if (!entry.is_regular_file()) continue;
      found[std::filesystem::relative(entry.path(), out_.path())] = *read_file(real_file_system(), entry.path());
    }
    return found;
  }

  testing::TemporaryDirectory out_;
  VirtualClock clock_{kNow};
  testing::TestEnvironment world_{"k1", clock_, real_file_system()};
  testing::TestOutlet outlet_;
  std::unique_ptr<Sink> sink_;
};

TEST_F(HdfsSinkTest, WritesLinesUnderTheDayOfTheirTimestamp) {
  ASSERT_TRUE(make({}).ok());
  outlet_.put_all({"one", "two"}, {{"timestamp", "1700000000000"}});
  outlet_.put("three", {{"timestamp", "1700086400000"}});
  EXPECT_TRUE(turn().worked);
  EXPECT_THAT(outlet_.committed(), ElementsAre("one", "two", "three"));
  const std::map<std::string, std::string> open = {{"2023-11-14/FlumeData.1700000000001.tmp", "one\ntwo\n"},
                                                   {"2023-11-15/FlumeData.1700000000001.tmp", "three\n"}};
  EXPECT_EQ(files(), open);
  sink_->stop();
  const std::map<std::string, std::string> closed = {{"2023-11-14/FlumeData.1700000000001", "one\ntwo\n"},
                                                     {"2023-11-15/FlumeData.1700000000001", "three\n"}};
  EXPECT_EQ(files(), closed);
  EXPECT_EQ(world_.count(counter_names::kDrainSuccess), 3);
  EXPECT_EQ(world_.count(counter_names::kConnectionCreated), 2);
  EXPECT_EQ(world_.count(counter_names::kConnectionClosed), 2);
}

TEST_F(HdfsSinkTest, RollsByNumberBeforeTheNextEvent) {
  ASSERT_TRUE(make({{"hdfs.rollCount", "2"}, {"hdfs.rollSize", "0"}}).ok());
  outlet_.put_all({"1", "2", "3", "4"}, {{"timestamp", "1700000000000"}});
  turn();
  const std::map<std::string, std::string> expected = {{"2023-11-14/FlumeData.1700000000001", "1\n2\n"},
                                                       {"2023-11-14/FlumeData.1700000000002.tmp", "3\n4\n"}};
  EXPECT_EQ(files(), expected);
}

TEST_F(HdfsSinkTest, RollsBySizeOfTheBodies) {
  ASSERT_TRUE(make({{"hdfs.rollCount", "0"}, {"hdfs.rollSize", "10"}}).ok());
  outlet_.put_all({"12345", "12345", "x"}, {{"timestamp", "1700000000000"}});
  turn();
  const std::map<std::string, std::string> expected = {{"2023-11-14/FlumeData.1700000000001", "12345\n12345\n"},
                                                       {"2023-11-14/FlumeData.1700000000002.tmp", "x\n"}};
  EXPECT_EQ(files(), expected);
}

TEST_F(HdfsSinkTest, ClosesByAgeWithoutAnotherEventAndAsksToBeWoken) {
  ASSERT_TRUE(make({}).ok());
  outlet_.put("one", {{"timestamp", "1700000000000"}});
  turn();
  const Turn idle = turn();
  EXPECT_FALSE(idle.worked);
  ASSERT_TRUE(idle.wake_by);
  EXPECT_EQ(*idle.wake_by, clock_.steady_now() + seconds(30));
  clock_.advance(milliseconds(29'999));
  turn();
  EXPECT_TRUE(files().contains("2023-11-14/FlumeData.1700000000001.tmp"));
  clock_.advance(milliseconds(1));
  EXPECT_FALSE(turn().wake_by);
  EXPECT_TRUE(files().contains("2023-11-14/FlumeData.1700000000001"));
}

}  // namespace
}  // namespace standpipe

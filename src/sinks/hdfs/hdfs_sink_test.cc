#include "sinks/hdfs/hdfs_sink.h"

#include <algorithm>
#include <map>
#include <sstream>

#include <gmock/gmock.h>

#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "support/test_environment.h"
#include "support/test_outlet.h"

namespace standpipe {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Operation = FaultyFileSystem::Operation;

constexpr std::int64_t kNow = 1'700'000'000'000;  // 2023-11-14 22:13:20 UTC
const Headers kToday{{"timestamp", "1700000000000"}};

/// The sink on a file system in memory that can fail and lose power, under a clock that the test moves.
class HdfsSinkTest : public ::testing::Test {
 protected:
  HdfsSinkTest() {
    EXPECT_TRUE(memory_.make_directories("/out").ok());
    EXPECT_TRUE(memory_.sync_directory("/").ok());
    boot("boot-1");
  }

  void boot(std::string_view id) {
    ASSERT_TRUE(memory_.make_directories("/proc/sys/kernel/random").ok());
    ASSERT_TRUE(write_file_atomically(memory_, "/proc/sys/kernel/random/boot_id", id).ok());
  }

  /// DataStream lines under /out/<day>, never rolled, unless `values` says otherwise.
  Status make(Settings::Map values) {
    values.emplace("hdfs.path", "file:///out/%Y-%m-%d");
    values.emplace("hdfs.fileType", "DataStream");
    values.emplace("hdfs.timeZone", "UTC");
    values.emplace("hdfs.rollInterval", "0");
    values.emplace("hdfs.rollSize", "0");
    values.emplace("hdfs.rollCount", "0");
    settings_ = values;
    return restart();
  }

  Status restart() {
    auto settings = Settings::parse(kHdfsSinkInfo, settings_);
    if (!settings.ok()) return settings.status();
    auto sink = kHdfsSink.create(*settings, world_.environment);
    if (!sink.ok()) return sink.status();
    sink_ = std::move(sink).value();
    return sink_->start();
  }

  /// The process dies: nothing that it would do at its end reaches the disk.
  void kill() {
    for (const auto operation : {Operation::open, Operation::write, Operation::sync, Operation::truncate,
                                 Operation::rename, Operation::remove, Operation::sync_directory}) {
      files_.inject({.operation = operation});
    }
    sink_.reset();
    files_.heal();
  }

  Turn turn() {
    const auto turn = sink_->process(outlet_, {});
    EXPECT_TRUE(turn.ok()) << turn.status().message();
    return turn.ok() ? *turn : Turn{};
  }

  /// Every file under /out.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> found;
    for (const auto& [path, content] : memory_.files()) {
      if (path.starts_with("/out/")) found[path.substr(5)] = content;
    }
    return found;
  }

  /// All lines of all files, sorted.
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    for (const auto& [path, content] : files()) {
      std::istringstream stream(content);
      for (std::string line; std::getline(stream, line);) found.push_back(line);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  MemoryFileSystem memory_;
  FaultyFileSystem files_{memory_};
  VirtualClock clock_{kNow};
  testing::TestEnvironment world_{"k1", clock_, files_};
  testing::TestOutlet outlet_;
  Settings::Map settings_;
  std::unique_ptr<Sink> sink_;
};

// -- where events go

TEST_F(HdfsSinkTest, WritesLinesUnderTheDayOfTheirTimestamp) {
  ASSERT_TRUE(make({}).ok());
  outlet_.put_all({"one", "two"}, kToday);
  outlet_.put("three", {{"timestamp", "1700086400000"}});
  EXPECT_TRUE(turn().worked);
  EXPECT_THAT(outlet_.committed(), UnorderedElementsAre("one", "two", "three"));
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001.tmp", "one\ntwo\n"),
                                   Pair("2023-11-15/FlumeData.1700000000001.tmp", "three\n")));
  sink_->stop();
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001", "one\ntwo\n"),
                                   Pair("2023-11-15/FlumeData.1700000000001", "three\n")));
  EXPECT_EQ(world_.count(counter_names::kDrainSuccess), 3);
  EXPECT_EQ(world_.count(counter_names::kConnectionCreated), 2);
  EXPECT_EQ(world_.count(counter_names::kConnectionClosed), 2);
}

TEST_F(HdfsSinkTest, NamesFollowTheirSettings) {
  ASSERT_TRUE(make({{"hdfs.path", "file:///out/%{app}"},
                    {"hdfs.filePrefix", "%{basename}.[%{host}]"},
                    {"hdfs.fileSuffix", ".%Y.log"},
                    {"hdfs.inUsePrefix", "_"},
                    {"hdfs.inUseSuffix", ".part"}})
                  .ok());
  outlet_.put("x", {{"app", "a/b"}, {"basename", "web"}, {"host", "h1"}});
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("a/b/_web.[h1].1700000000001.%Y.log.part", "x\n")));
  sink_->stop();
  EXPECT_THAT(files(), ElementsAre(Pair("a/b/web.[h1].1700000000001.%Y.log", "x\n")));
}

TEST_F(HdfsSinkTest, SuffixMayHoldEscapesAndNamesMayBeExact) {
  ASSERT_TRUE(make({{"hdfs.fileSuffix", ".%H.log"},
                    {"hdfs.fileSuffixEscapes", "true"},
                    {"hdfs.fileNames", "unique"},
                    {"hdfs.filePrefix", "web"},
                    {"hdfs.emptyInUseSuffix", "true"},
                    {"hdfs.rollCount", "1"}})
                  .ok());
  outlet_.put_all({"1", "2", "3"}, kToday);
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/web-1.22.log", "2\n"), Pair("2023-11-14/web-2.22.log", "3\n"),
                                   Pair("2023-11-14/web.22.log", "1\n")));
}

TEST_F(HdfsSinkTest, AnExactNameThatIsTakenIsRefusedAndNothingIsOverwritten) {
  ASSERT_TRUE(memory_.make_directories("/out/2023-11-14").ok());
  ASSERT_TRUE(write_file_atomically(memory_, "/out/2023-11-14/web", "old").ok());
  ASSERT_TRUE(make({{"hdfs.fileNames", "exact"}, {"hdfs.filePrefix", "web"}}).ok());
  outlet_.put("1", kToday);
  const auto result = sink_->process(outlet_, {});
  EXPECT_THAT(result.status().message(), HasSubstr("/out/2023-11-14/web exists already"));
  EXPECT_EQ(outlet_.waiting(), 1u);
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/web", "old")));
}

TEST_F(HdfsSinkTest, ANameInUseByAnotherAgentIsSteppedOver) {
  ASSERT_TRUE(memory_.make_directories("/out/2023-11-14").ok());
  const std::string theirs = "/out/2023-11-14/FlumeData.1700000000001.tmp";
  ASSERT_TRUE(write_file_atomically(memory_, theirs, "theirs").ok());
  ASSERT_TRUE(make({}).ok());
  outlet_.put("ours", kToday);
  turn();
  kill();
  ASSERT_TRUE(restart().ok());
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001.tmp", "theirs"),
                                   Pair("2023-11-14/FlumeData.1700000000002", "ours\n")));
}

TEST_F(HdfsSinkTest, LocalTimeAndRounding) {
  ASSERT_TRUE(make({{"hdfs.path", "file:///out/%H%M"},
                    {"hdfs.useLocalTimeStamp", "true"},
                    {"hdfs.round", "true"},
                    {"hdfs.roundValue", "10"},
                    {"hdfs.roundUnit", "minute"}})
                  .ok());
  outlet_.put("x");
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("2210/FlumeData.1700000000001.tmp", "x\n")));
}

// -- when files end

TEST_F(HdfsSinkTest, RollsByNumberBeforeTheNextEvent) {
  ASSERT_TRUE(make({{"hdfs.rollCount", "2"}}).ok());
  outlet_.put_all({"1", "2", "3", "4"}, kToday);
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001", "1\n2\n"),
                                   Pair("2023-11-14/FlumeData.1700000000002.tmp", "3\n4\n")));
}

TEST_F(HdfsSinkTest, RollsBySizeOfTheBodies) {
  ASSERT_TRUE(make({{"hdfs.rollSize", "10"}}).ok());
  outlet_.put_all({"12345", "12345", "x"}, kToday);
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001", "12345\n12345\n"),
                                   Pair("2023-11-14/FlumeData.1700000000002.tmp", "x\n")));
}

TEST_F(HdfsSinkTest, ClosesByAgeWithoutAnotherEventAndAsksToBeWoken) {
  ASSERT_TRUE(make({{"hdfs.rollInterval", "30"}}).ok());
  outlet_.put("one", kToday);
  EXPECT_EQ(turn().wake_by, clock_.steady_now() + seconds(30));
  EXPECT_FALSE(turn().worked);
  clock_.advance(milliseconds(29'999));
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001.tmp", "one\n")));
  clock_.advance(milliseconds(1));
  EXPECT_FALSE(turn().wake_by);
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001", "one\n")));
}

TEST_F(HdfsSinkTest, ClosesAnIdleFileFromItsLastFlushOn) {
  ASSERT_TRUE(make({{"hdfs.idleTimeout", "60"}}).ok());
  outlet_.put("one", kToday);
  turn();
  clock_.advance(seconds(50));
  outlet_.put("two", kToday);
  turn();
  clock_.advance(seconds(50));
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001.tmp", "one\ntwo\n")));
  clock_.advance(seconds(10));
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001", "one\ntwo\n")));
}

TEST_F(HdfsSinkTest, ClosesTheLeastRecentlyUsedOfTooManyFiles) {
  ASSERT_TRUE(make({{"hdfs.path", "file:///out/%{h}"}, {"hdfs.maxOpenFiles", "2"}}).ok());
  outlet_.put("1", {{"h", "a"}});
  outlet_.put("2", {{"h", "b"}});
  outlet_.put("3", {{"h", "a"}});
  outlet_.put("4", {{"h", "c"}});
  turn();
  EXPECT_THAT(files(),
              ElementsAre(Pair("a/FlumeData.1700000000001.tmp", "1\n3\n"), Pair("b/FlumeData.1700000000001", "2\n"),
                          Pair("c/FlumeData.1700000000001.tmp", "4\n")));
  EXPECT_EQ(outlet_.committed().size(), 4u);
}

TEST_F(HdfsSinkTest, AYearOfHourlyFiles) {
  ASSERT_TRUE(make({{"hdfs.path", "file:///out/%Y/%m/%d"},
                    {"hdfs.filePrefix", "%H"},
                    {"hdfs.useLocalTimeStamp", "true"},
                    {"hdfs.rollInterval", "3600"}})
                  .ok());
  constexpr int kHours = 365 * 24;
  for (int hour = 0; hour < kHours; ++hour) {
    outlet_.put(std::to_string(hour));
    turn();
    clock_.advance(hours(1));
  }
  turn();
  const auto written = files();
  EXPECT_EQ(written.size(), static_cast<std::size_t>(kHours));
  EXPECT_TRUE(
      std::none_of(written.begin(), written.end(), [](const auto& file) { return file.first.ends_with(".tmp"); }));
  EXPECT_TRUE(written.contains("2023/12/31/23.1704064400001"));
}

// -- what is promised

TEST_F(HdfsSinkTest, ManyLeasesShareOneSync) {
  ASSERT_TRUE(make({{"hdfs.batchSize", "10"}}).ok());
  outlet_.put_all(std::vector<std::string>(500, "line"), kToday);
  turn();
  EXPECT_EQ(outlet_.committed().size(), 500u);
  const std::size_t before = files_.calls(Operation::sync);
  outlet_.put_all(std::vector<std::string>(500, "line"), kToday);
  turn();
  EXPECT_EQ(files_.calls(Operation::sync), before + 1) << "50 leases, one file";
}

TEST_F(HdfsSinkTest, WithoutFileSyncNothingIsSynced) {
  ASSERT_TRUE(make({{"hdfs.fileSync", "false"}}).ok());
  const std::size_t before = files_.calls(Operation::sync) + files_.calls(Operation::sync_directory);
  outlet_.put("line", kToday);
  turn();
  sink_->stop();
  EXPECT_EQ(files_.calls(Operation::sync) + files_.calls(Operation::sync_directory), before);
  EXPECT_EQ(outlet_.committed().size(), 1u);
}

/// Whatever was committed before the power went is in the files after it, and every file is finished.
TEST_F(HdfsSinkTest, CommittedEventsSurviveAPowerCut) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    ASSERT_TRUE(make({{"hdfs.rollCount", "7"}, {"hdfs.filePrefix", "s" + std::to_string(seed)}}).ok());
    for (std::uint32_t i = 0; i < 5; ++i) {
      for (std::uint32_t k = 0; k < 1 + (seed * 7 + i * 3) % 11; ++k) {
        outlet_.put("e" + std::to_string(seed) + "-" + std::to_string(i) + "-" + std::to_string(k), kToday);
      }
      turn();
    }
    // Taken and written, but the sync fails: these may be lost, since they were not committed.
    files_.inject({.operation = Operation::sync});
    outlet_.put("late" + std::to_string(seed), kToday);
    EXPECT_FALSE(sink_->process(outlet_, {}).ok());
    kill();
    memory_.power_cut_torn(seed);
    boot("boot-" + std::to_string(seed));
    ASSERT_TRUE(restart().ok());
    const auto found = lines();
    for (const std::string& body : outlet_.committed()) {
      EXPECT_TRUE(std::binary_search(found.begin(), found.end(), body)) << body;
    }
    for (const auto& [name, content] : files()) {
      EXPECT_FALSE(name.ends_with(".tmp")) << name;
      EXPECT_TRUE(content.empty() || content.back() == '\n') << name;
    }
    turn();  // the late one comes again
  }
}

TEST_F(HdfsSinkTest, AFileGetsItsFinalNameWhenItIsWhole) {
  ASSERT_TRUE(make({{"hdfs.rollCount", "2"}}).ok());
  outlet_.put("1", kToday);
  turn();
  files_.inject({.operation = Operation::sync, .path_contains = "/out"});
  outlet_.put_all({"2", "3"}, kToday);
  EXPECT_FALSE(sink_->process(outlet_, {}).ok()) << "the file that rolls was not synced";
  kill();
  memory_.power_cut_torn(1);
  for (const auto& [name, content] : files()) EXPECT_TRUE(name.ends_with(".tmp")) << name << " holds " << content;
}

TEST_F(HdfsSinkTest, AKilledProcessLeavesNoDuplicatesInItsOrphans) {
  ASSERT_TRUE(make({}).ok());
  outlet_.put_all({"1", "2"}, kToday);
  turn();
  files_.inject({.operation = Operation::sync, .path_contains = "/out"});
  outlet_.put_all({"3", "4"}, kToday);
  EXPECT_FALSE(sink_->process(outlet_, {}).ok());
  kill();
  EXPECT_THAT(outlet_.committed(), ElementsAre("1", "2"));
  ASSERT_TRUE(restart().ok());
  turn();
  EXPECT_THAT(lines(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(HdfsSinkTest, AfterAFailedSyncTheFileIsNeverSyncedAgain) {
  ASSERT_TRUE(make({}).ok());
  outlet_.put("1", kToday);
  turn();
  files_.inject({.operation = Operation::sync, .path_contains = "/out", .times = 1});
  outlet_.put("2", kToday);
  EXPECT_EQ(sink_->process(outlet_, {}).status().code(), Code::io);
  EXPECT_EQ(outlet_.waiting(), 1u);
  turn();
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001", "1\n"),
                                   Pair("2023-11-14/FlumeData.1700000000002.tmp", "2\n")));
}

TEST_F(HdfsSinkTest, AFullDiskFailsCleanlyAndResumes) {
  ASSERT_TRUE(make({}).ok());
  outlet_.put("one", kToday);
  turn();
  memory_.set_capacity(0);
  outlet_.put("two", kToday);
  EXPECT_EQ(sink_->process(outlet_, {}).status().code(), Code::full);
  EXPECT_EQ(outlet_.waiting(), 1u);
  memory_.set_capacity(1 << 20);
  clock_.advance(seconds(200));  // hdfs.retryInterval
  turn();
  EXPECT_THAT(lines(), ElementsAre("one", "two"));
  EXPECT_THAT(outlet_.committed(), ElementsAre("one", "two"));
}

// -- one bad bucket

TEST_F(HdfsSinkTest, ABadBucketHoldsUpNoOtherAndKeepsItsOrder) {
  ASSERT_TRUE(make({{"hdfs.path", "file:///out/%{h}"}}).ok());
  files_.inject({.operation = Operation::open, .path_contains = "/out/bad"});
  outlet_.put("b1", {{"h", "bad"}});
  outlet_.put("g1", {{"h", "good"}});
  const Turn first = turn();
  EXPECT_EQ(first.wake_by, clock_.steady_now() + seconds(1));
  outlet_.put("b2", {{"h", "bad"}});
  outlet_.put("g2", {{"h", "good"}});
  turn();
  EXPECT_THAT(outlet_.committed(), ElementsAre("g1", "g2"));
  EXPECT_EQ(outlet_.leased(), 2u);
  EXPECT_TRUE(world_.log.contains("events for /out/bad/FlumeData can't be written"));
  files_.heal();
  clock_.advance(seconds(1));
  turn();
  EXPECT_THAT(outlet_.committed(), ElementsAre("g1", "g2", "b1", "b2"));
  EXPECT_EQ(files().at("bad/FlumeData.1700000000002.tmp"), "b1\nb2\n");
}

TEST_F(HdfsSinkTest, WhenNothingWorksAllGoesBackAndTheTurnFails) {
  ASSERT_TRUE(make({}).ok());
  files_.inject({.operation = Operation::open, .path_contains = "/out"});
  outlet_.put_all({"1", "2"}, kToday);
  EXPECT_FALSE(sink_->process(outlet_, {}).ok());
  EXPECT_EQ(outlet_.waiting(), 2u);
  EXPECT_EQ(outlet_.leased(), 0u);
}

TEST_F(HdfsSinkTest, EventsThatFitNoFolderStayAndBlockOnlyThemselves) {
  ASSERT_TRUE(make({{"hdfs.path", "file:///out/%{h}/%Y"}}).ok());
  outlet_.put("no timestamp", {{"h", "a"}});
  outlet_.put("climbs", {{"h", "../../etc"}, {"timestamp", "1700000000000"}});
  outlet_.put("zero", {{"h", std::string("a\0b", 3)}, {"timestamp", "x"}});
  outlet_.put("good", {{"h", "a"}, {"timestamp", "1700000000000"}});
  outlet_.put("long", {{"h", std::string(300, 'x')}, {"timestamp", "1700000000000"}});
  turn();
  EXPECT_THAT(outlet_.committed(), ElementsAre("good"));
  EXPECT_EQ(outlet_.leased(), 4u);
  EXPECT_EQ(world_.count(counter_names::kPoison), 4);
  EXPECT_THAT(files(), ElementsAre(Pair("a/2023/FlumeData.1700000000001.tmp", "good\n")));
  EXPECT_TRUE(world_.log.contains("onPoison = quarantine"));
}

class ListQuarantine final : public Quarantine {
 public:
  Status put(const EventRef& event, const Status& reason) override {
    events.emplace_back(event.body, reason.message());
    return {};
  }
  std::vector<std::pair<std::string, std::string>> events;
};

TEST_F(HdfsSinkTest, PoisonGoesToTheQuarantineWhereThereIsOne) {
  ListQuarantine quarantine;
  world_.environment.quarantine = &quarantine;
  ASSERT_TRUE(make({{"hdfs.path", "file:///out"}, {"hdfs.fileType", "SequenceFile"}}).ok());
  outlet_.put("1", kToday);
  outlet_.put("bad key", {{"timestamp", "yesterday"}});
  outlet_.put("2", kToday);
  turn();
  EXPECT_THAT(quarantine.events, ElementsAre(Pair("bad key", HasSubstr("yesterday"))));
  EXPECT_THAT(outlet_.committed(), UnorderedElementsAre("1", "bad key", "2"));
  EXPECT_EQ(world_.count(counter_names::kQuarantined), 1);
}

TEST_F(HdfsSinkTest, NoEventLeavesThePathRoot) {
  ASSERT_TRUE(make({{"hdfs.path", "file:///%{h}"}, {"hdfs.pathRoot", "/out"}}).ok());
  outlet_.put("in", {{"h", "out/a"}});
  outlet_.put("out", {{"h", "outside"}});
  turn();
  EXPECT_THAT(outlet_.committed(), ElementsAre("in"));
}

TEST_F(HdfsSinkTest, TwoPlacesThatReadTheSameInARowAreTwoBuckets) {
  ASSERT_TRUE(make({{"hdfs.path", "file:///out/%{a}"}, {"hdfs.filePrefix", "%{b}"}}).ok());
  outlet_.put("one", {{"a", "x\ny"}, {"b", "z"}});
  outlet_.put("two", {{"a", "x"}, {"b", "y\nz"}});
  turn();
  EXPECT_EQ(files().size(), 2u);
}

TEST_F(HdfsSinkTest, NoNamePutTogetherLeavesItsFolder) {
  ASSERT_TRUE(make({{"hdfs.path", "file:///out/a"}, {"hdfs.filePrefix", "%{h}"}, {"hdfs.inUsePrefix", "."}}).ok());
  outlet_.put("in", {{"h", "sub/name"}});
  outlet_.put("up", {{"h", "./evil"}});
  turn();
  EXPECT_THAT(outlet_.committed(), ElementsAre("in"));
  for (const auto& [path, content] : memory_.files()) EXPECT_THAT(path, ::testing::Not(HasSubstr("evil")));
}

// -- finishing

TEST_F(HdfsSinkTest, ARenameThatFailsHoldsNobodyUpAndIsTriedAgain) {
  ASSERT_TRUE(make({{"hdfs.rollCount", "1"}, {"hdfs.retryInterval", "60"}, {"hdfs.closeTries", "3"}}).ok());
  files_.inject({.operation = Operation::rename, .path_contains = "/out", .times = 2});
  outlet_.put_all({"1", "2"}, kToday);
  turn();
  EXPECT_EQ(outlet_.committed().size(), 2u);
  EXPECT_TRUE(files().contains("2023-11-14/FlumeData.1700000000001.tmp"));
  clock_.advance(seconds(60));
  turn();
  EXPECT_TRUE(files().contains("2023-11-14/FlumeData.1700000000001"));
}

TEST_F(HdfsSinkTest, AfterCloseTriesAFileIsLeftForTheNextStart) {
  ASSERT_TRUE(make({{"hdfs.rollCount", "1"}, {"hdfs.closeTries", "1"}}).ok());
  files_.inject({.operation = Operation::rename, .path_contains = "/out"});
  outlet_.put_all({"1", "2"}, kToday);
  turn();
  EXPECT_TRUE(world_.log.contains("left for the next start"));
  sink_->stop();
  files_.heal();
  ASSERT_TRUE(restart().ok());
  EXPECT_THAT(files(), ElementsAre(Pair("2023-11-14/FlumeData.1700000000001", "1\n"),
                                   Pair("2023-11-14/FlumeData.1700000000002", "2\n")));
}

TEST_F(HdfsSinkTest, StopsInAnyStateAndStartsAgain) {
  ASSERT_TRUE(make({}).ok());
  sink_->stop();
  sink_->stop();
  EXPECT_EQ(sink_->process(outlet_, {}).status().code(), Code::stopped);
  ASSERT_TRUE(sink_->start().ok());
  outlet_.put("1", kToday);
  turn();
  EXPECT_EQ(outlet_.committed().size(), 1u);
}

// -- settings

TEST_F(HdfsSinkTest, RefusesWhatCannotWork) {
  EXPECT_THAT(make({{"hdfs.path", "hdfs://nn/a"}}).message(), HasSubstr("known to Flume, not yet here"));
  EXPECT_THAT(make({{"hdfs.path", "file://host/a"}}).message(), HasSubstr("host"));
  EXPECT_THAT(make({{"hdfs.codeC", "gzip"}}).message(), HasSubstr("CompressedStream"));
  EXPECT_THAT(make({{"hdfs.fileType", "CompressedStream"}}).message(), HasSubstr("hdfs.codeC"));
  EXPECT_THAT(make({{"hdfs.codeC", "lzo"}, {"hdfs.fileType", "SequenceFile"}}).message(), HasSubstr("lzop"));
  EXPECT_THAT(make({{"hdfs.writeFormat", "Mine"}, {"hdfs.fileType", "SequenceFile"}}).message(), HasSubstr("Writable"));
  EXPECT_THAT(make({{"serializer", "mine"}}).message(), HasSubstr("header_and_text"));
  EXPECT_THAT(make({{"hdfs.batchSize", "0"}}).message(), HasSubstr("hdfs.batchSize"));
  EXPECT_THAT(make({{"hdfs.round", "true"}, {"hdfs.roundUnit", "hour"}, {"hdfs.roundValue", "25"}}).message(),
              HasSubstr("24"));
}

TEST_F(HdfsSinkTest, APathWithoutSchemeIsLocalAndSaidLoudly) {
  ASSERT_TRUE(make({{"hdfs.path", "/out/x"}}).ok());
  EXPECT_TRUE(world_.log.contains("WARN hdfs.path /out/x names no file system: files go to the LOCAL folder /out/x"));
}

TEST_F(HdfsSinkTest, TakesEveryPropertyOfHdfsAndTheJvm) {
  EXPECT_TRUE(make({{"hdfs.kerberosPrincipal", "flume/_HOST@EXAMPLE.COM"},
                    {"hdfs.kerberosKeytab", "/etc/flume.keytab"},
                    {"hdfs.proxyUser", "web"},
                    {"hdfs.minBlockReplicas", "1"},
                    {"hdfs.threadsPoolSize", "10"},
                    {"hdfs.rollTimerPoolSize", "1"},
                    {"hdfs.callTimeout", "15000"},
                    {"hdfs.useRawLocalFileSystem", "true"},
                    {"serializer.appendNewline", "false"},
                    {"hdfs.codeC", "None"}})
                  .ok());
}

}  // namespace
}  // namespace standpipe

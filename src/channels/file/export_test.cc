#include "channels/file/export.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channels/file/file_channel.h"
#include "channels/file/flume/backlog.h"
#include "channels/file/flume/log_writer.h"
#include "channels/file/locate.h"
#include "codec/avro/container_reader.h"
#include "codec/avro/datum.h"
#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe::file_channel {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::put;
using Operation = FaultyFileSystem::Operation;

/// A channel with events of every kind: some gone, some with headers, some large.
class ExportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    channel_ = kFileChannel
                   .create(Settings::parse(*kFileChannel.info, {{"checkpointDir", "/c/checkpoint"},
                                                                {"dataDirs", "/c/data1,/c/data2"},
                                                                {"maxFileSize", "65536"},
                                                                {"minimumRequiredSpace", "0"}})
                               .value(),
                           world_.environment)
                   .value();
    ASSERT_TRUE(channel_->start().ok());
    for (int i = 0; i < 200; ++i) {
      auto batch = std::make_shared<Batch>();
      const auto block = batch->add_headers(Headers{{"n", std::to_string(i)}, {"empty", ""}});
      batch->add_copy(fmt::format("{:0{}}", i, 1 + i * 20), block);
      batch->add_copy(std::string("\0\xff", 2));
      ASSERT_TRUE(put(*channel_, batch).ok());
    }
    ASSERT_TRUE(channel_->take(50).value().commit().ok());
    Lease lease = channel_->take(10).value();
    ASSERT_TRUE(lease.commit(3, 5).ok());
  }

  struct Event {
    std::string body;
    Headers headers;
    friend bool operator==(const Event&, const Event&) = default;
  };
  /// What the channel holds; it is stopped then.
  std::vector<Event> waiting() {
    std::vector<Event> events;
    std::vector<Lease> leases;
    for (;;) {
      Lease lease = channel_->take(1000).value();
      if (lease.size() == 0) break;
      for (std::size_t i = 0; i < lease.size(); ++i) events.push_back({std::string(lease[i].body), *lease[i].headers});
      leases.push_back(std::move(lease));
    }
    leases.clear();
    channel_->stop();
    return events;
  }
  Result<Exported> run(Result<std::unique_ptr<ExportTarget>> target) {
    if (!target.ok()) return target.status();
    const auto folders = locate_folders(files_, std::vector<std::string>{"/c"});
    if (!folders.ok()) return folders.status();
    return export_events(*folders, {}, world_.environment, **target);
  }

  MemoryFileSystem disk_;
  FaultyFileSystem files_{disk_};
  SystemClock clock_;
  testing::TestEnvironment world_{"c1", clock_, files_};
  std::unique_ptr<Channel> channel_;
};

TEST_F(ExportTest, FlumesFilesHoldExactlyWhatWaits) {
  const std::vector<Event> expected = waiting();
  const auto exported = run(export_to_flume(files_, "/out"));
  ASSERT_TRUE(exported.ok()) << exported.status().to_string();
  EXPECT_EQ(exported->events, expected.size());
  EXPECT_EQ(expected.size(), 348u);
  const auto backlog = flume::read_backlog(files_, world_.log, {"/out/checkpoint", {"/out/data"}, {}});
  ASSERT_TRUE(backlog.ok()) << backlog.status().to_string();
  ASSERT_EQ(backlog->waiting.size(), expected.size());
  flume::EventReader reader(files_, backlog->logs);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto found = reader.read(backlog->waiting[i]);
    ASSERT_TRUE(found.ok() && found->event);
    EXPECT_EQ((Event{std::string(found->event->body), found->event->headers}), expected[i]);
  }
  // The channel keeps what it has.
  ASSERT_TRUE(channel_->start().ok());
  EXPECT_EQ(waiting(), expected);
  EXPECT_THAT(run(export_to_flume(files_, "/out")).status().message(), HasSubstr("/out is there already"));
}

TEST_F(ExportTest, AnAvroFileHoldsExactlyWhatWaits) {
  const std::vector<Event> expected = waiting();
  const auto exported = run(export_to_avro(files_, "/out.avro"));
  ASSERT_TRUE(exported.ok()) << exported.status().to_string();
  const std::string file = disk_.files().at("/out.avro");
  auto reader = avro::ContainerReader::open([&](std::uint64_t offset, char* target, std::size_t size) {
    return Result<std::size_t>(offset < file.size() ? file.copy(target, size, offset) : 0);
  });
  ASSERT_TRUE(reader.ok());
  for (const Event& event : expected) {
    const auto datum = reader->next();
    ASSERT_TRUE(datum.ok() && *datum);
    avro::DatumReader bytes(**datum);
    Event found;
    std::string_view body;
    ASSERT_TRUE(avro::get_event(bytes, found.headers, body));
    found.body = body;
    ASSERT_EQ(found, event);
  }
  EXPECT_FALSE(*reader->next());
}

TEST_F(ExportTest, AFailureLeavesNothingUnderTheName) {
  waiting();
  for (const char* call : {"/out.avro", "/c/data1/segment"}) {
    files_.inject({.operation = call[1] == 'c' ? Operation::open : Operation::write, .path_contains = call});
    EXPECT_FALSE(run(export_to_avro(files_, "/out.avro")).ok());
    for (const auto& [path, content] : disk_.files()) EXPECT_FALSE(path.starts_with("/out")) << path;
    files_.heal();
  }
  EXPECT_TRUE(run(export_to_avro(files_, "/out.avro")).ok());
}

TEST_F(ExportTest, AChannelThatRunsIsLeftAlone) {
  EXPECT_THAT(run(export_to_avro(files_, "/out.avro")).status().message(), HasSubstr("can't lock /c/checkpoint"));
  EXPECT_FALSE(disk_.files().contains("/out.avro"));
}

TEST_F(ExportTest, FoldersAreFoundByWhatIsInThem) {
  waiting();
  const auto folders = locate_folders(files_, std::vector<std::string>{"/c/data2/", "/c/checkpoint", "/c/data1"});
  ASSERT_TRUE(folders.ok()) << folders.status().to_string();
  EXPECT_EQ(folders->checkpoint, "/c/checkpoint");
  EXPECT_EQ(folders->data, (std::vector<std::string>{"/c/data2", "/c/data1"}));
  EXPECT_THAT(locate_folders(files_, std::vector<std::string>{"/c/data1"}).status().message(),
              HasSubstr("no checkpointDir"));
  EXPECT_THAT(locate_folders(files_, std::vector<std::string>{"/c/checkpoint"}).status().message(),
              HasSubstr("none of dataDirs"));
  ASSERT_TRUE(disk_.make_directories("/other/x").ok());
  EXPECT_THAT(locate_folders(files_, std::vector<std::string>{"/other"}).status().message(),
              HasSubstr("/other holds no file channel"));
}

TEST(FlumeLogWriter, LogsEndBeforeTheirLimitAndHoldWholeTransactions) {
  MemoryFileSystem disk;
  testing::TestEnvironment world("c1");
  ASSERT_TRUE(disk.make_directories("/f/data").ok() && disk.make_directories("/f/checkpoint").ok());
  flume::LogWriter writer(disk, "/f/data", 10'000);
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(writer.add(Headers{{"a", "b"}}, std::to_string(i)).ok());
  ASSERT_TRUE(writer.add({}, std::string(20'000, 'x')).ok());
  ASSERT_TRUE(writer.finish().ok());
  const auto backlog = flume::read_backlog(disk, world.log, {"/f/checkpoint", {"/f/data"}, {}});
  ASSERT_TRUE(backlog.ok());
  EXPECT_EQ(backlog->waiting.size(), 5001u);
  EXPECT_GT(backlog->logs.size(), 20u);
  for (const auto& [path, content] : disk.files()) {
    EXPECT_TRUE(content.size() <= 10'000 || content.size() > 20'000) << path;
  }
}

}  // namespace
}  // namespace standpipe::file_channel

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "channels/file/file_channel.h"
#include "io/file_system.h"
#include "support/command_answer.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::AllOf;
using testing::Answer;
using testing::answer_of;
using ::testing::HasSubstr;
using ::testing::Not;

Answer tool(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"tool", "file-channel"});
  return answer_of(run_standpipe, arguments);
}

Answer flume_tool(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "tool");
  return answer_of(run_flume_ng, arguments);
}

/// A file channel on the machine's files with ten events, of which sinks have taken two.
class FileChannelTool : public ::testing::Test {
 protected:
  std::unique_ptr<Channel> open(testing::TestEnvironment& world, bool encrypted) const {
    Settings::Map values = {
        {"checkpointDir", folder() + "/checkpoint"}, {"dataDirs", folder() + "/data"}, {"minimumRequiredSpace", "0"}};
    if (encrypted) {
      values["encryption.keyProvider"] = "FILE";
      values["encryption.activeKey"] = "k2026";
      values["encryption.keyProvider.keys"] = "k2026";
      values["encryption.keyProvider.keys.k2026.file"] = key_file();
    }
    auto channel = kFileChannel.create(Settings::parse(*kFileChannel.info, values).value(), world.environment).value();
    EXPECT_TRUE(channel->start().ok());
    return channel;
  }
  void fill(bool encrypted = false) const {
    if (encrypted) {
      EXPECT_TRUE(write_file_atomically(real_file_system(), key_file(), std::string(64, 'd'), 0600).ok());
    }
    testing::TestEnvironment world("c1");
    const auto channel = open(world, encrypted);
    for (int i = 0; i < 2; ++i) {
      Batch batch;
      for (int j = 0; j < 5; ++j) batch.add_copy(fmt::format("event {}", i * 5 + j));
      const auto shared = std::make_shared<const Batch>(std::move(batch));
      auto put = channel->reserve(*shared).value();
      ASSERT_TRUE(put->store(shared).wait().ok());
      put->publish();
    }
    ASSERT_TRUE(channel->take(2).value().commit().ok());
    channel->stop();
  }
  /// Into the body of event 3, "event 3", where it is in clear.
  void damage() const {
    std::fstream file(segment(), std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::size_t at = bytes.find("event 3");
    ASSERT_NE(at, std::string::npos);
    file.seekp(static_cast<std::streamoff>(at));
    file.put('E');
  }
  std::string folder() const { return directory_.file("channel"); }
  std::string segment() const { return folder() + "/data/segment-0000000000000001"; }
  std::string key_file() const { return directory_.file("key"); }

  const testing::TemporaryDirectory directory_;
};

TEST_F(FileChannelTool, InspectTellsWhatStandsThere) {
  fill();
  const Answer text = tool({"inspect", folder()});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("channel c1 of agent a1"), HasSubstr("not in use\n"),
                              HasSubstr("events waiting: 8, from number 2 on; the oldest is at most"),
                              HasSubstr("taken: 1 range of numbers below 10"), HasSubstr("snapshot: generation"),
                              HasSubstr(folder() + "/data: 1 segments"), HasSubstr("segment-0000000000000001 ")));
  const Answer json = tool({"inspect", "--format", "json", folder() + "/data", folder() + "/checkpoint"});
  EXPECT_EQ(json.status, 0);
  const auto object = nlohmann::json::parse(json.out);
  EXPECT_EQ(object["eventsWaiting"], 8);
  EXPECT_EQ(object["channel"], "c1");
  EXPECT_EQ(object["dataDirs"][0]["segments"][0]["key"], "");
  EXPECT_LT(object["oldestEventAgeAtMostMs"], 600'000);
  EXPECT_TRUE(object["problems"].empty());
}

TEST_F(FileChannelTool, VerifyFindsDamageAndRepairPutsItAside) {
  fill();
  EXPECT_EQ(tool({"verify", folder()}).status, 0);
  EXPECT_THAT(tool({"verify", folder()}).out, HasSubstr("10 events check, 8 of them wait; nothing is damaged"));
  damage();
  const Answer found = tool({"verify", folder()});
  EXPECT_EQ(found.status, 1);
  EXPECT_THAT(found.out, HasSubstr(fmt::format("damage: {}: 7 bytes at ", segment())));
  EXPECT_THAT(found.out, HasSubstr("(body), event 3\n9 events check, 7 of them wait\n"));
  const auto json = nlohmann::json::parse(tool({"verify", "--format=json", folder()}).out);
  EXPECT_EQ(json["damaged"], true);
  EXPECT_EQ(json["damages"][0]["firstEvent"], 3);
  EXPECT_EQ(json["damages"][0]["waitingEvents"], 1);

  const Answer repaired = tool({"repair", folder()});
  EXPECT_EQ(repaired.status, 0) << repaired.err;
  EXPECT_THAT(repaired.out, HasSubstr("(body) are copied to damaged/; events 3 to 3 are given up"));
  const Answer after = tool({"verify", folder()});
  EXPECT_EQ(after.status, 0);
  EXPECT_THAT(after.out, HasSubstr("which sinks have taken already"));
  EXPECT_EQ(tool({"repair", folder()}).out, "nothing to repair\n");
  EXPECT_THAT(tool({"inspect", folder()}).out, HasSubstr("7 bytes of damage in damaged/"));
}

TEST_F(FileChannelTool, EncryptedRecordsAreCheckedAndOpenedWithTheKey) {
  fill(true);
  EXPECT_THAT(tool({"inspect", folder()}).out, HasSubstr(", key k2026\n"));
  const Answer closed = tool({"verify", folder()});
  EXPECT_EQ(closed.status, 0);
  EXPECT_THAT(closed.out, HasSubstr("10 are encrypted: their bytes check, --key would open them"));
  const Answer opened = tool({"verify", "--key", "k2026=" + key_file(), folder()});
  EXPECT_EQ(opened.status, 0) << opened.out << opened.err;
  EXPECT_THAT(opened.out, Not(HasSubstr("are encrypted")));
  const std::string other = directory_.file("other");
  ASSERT_TRUE(write_file_atomically(real_file_system(), other, std::string(64, 'e'), 0600).ok());
  const Answer wrong = tool({"verify", "--key", "k2026=" + other, folder()});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.out, HasSubstr("encrypted record that no key fits"));
  EXPECT_THAT(wrong.out + wrong.err, Not(HasSubstr(std::string(64, 'e'))));
}

TEST_F(FileChannelTool, AnExportSaysWhichKeyItNeeds) {
  fill(true);
  const std::string output = directory_.file("out.avro");
  const Answer closed = tool({"export", "--to", "avro", "--output", output, folder()});
  EXPECT_EQ(closed.status, 1);
  EXPECT_THAT(closed.err, HasSubstr(segment() + " holds events encrypted with key k2026: say with --key k2026=FILE"));
  EXPECT_THAT(closed.err, Not(HasSubstr("tool.channels")));
  const Answer opened = tool({"export", "--to", "avro", "--output", output, "--key", "k2026=" + key_file(), folder()});
  EXPECT_EQ(opened.status, 0) << opened.err;
  EXPECT_THAT(opened.out, HasSubstr("exported 8 events"));
}

/// Another process has the channel open: looking works, repairing is refused.
TEST_F(FileChannelTool, LooksBesideARunningAgentAndDoesNotRepairThen) {
  fill();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    testing::TestEnvironment world("c1");
    const auto channel = open(world, false);
    if (::write(ready[1], "r", 1) != 1) std::_Exit(1);
    ::pause();
    std::_Exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const std::string holder = fmt::format("process {}, agent a1, channel c1", child);
  EXPECT_THAT(tool({"inspect", folder()}).out, HasSubstr("in use by " + holder));
  EXPECT_EQ(tool({"verify", folder()}).status, 0);
  const Answer refused = tool({"repair", folder()});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("stop the agent first"), HasSubstr(holder)));
  const Answer exporting = tool({"export", "--to", "avro", "--output", directory_.file("out.avro"), folder()});
  EXPECT_EQ(exporting.status, 1);
  EXPECT_THAT(exporting.err, HasSubstr("/channel/data is in use by " + holder + ": stop the agent first"));
  EXPECT_THAT(exporting.err, Not(HasSubstr("folder of its own")));
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_THAT(tool({"inspect", folder()}).out, HasSubstr("not in use")) << "the lock's text outlives its holder";
  EXPECT_EQ(tool({"repair", folder()}).status, 0);
}

TEST_F(FileChannelTool, WhatMakesNoSenseIsRefused) {
  for (const std::string verb : {"inspect", "verify", "repair"}) {
    EXPECT_EQ(tool({verb}).status, 2);
    EXPECT_THAT(tool({verb}).err, HasSubstr("no folder is named"));
    EXPECT_EQ(tool({verb, "--format", "xml", folder()}).status, 2);
    EXPECT_EQ(tool({verb, directory_.path()}).status, 2);
    EXPECT_THAT(tool({verb, directory_.path()}).err, HasSubstr("holds no file channel"));
    EXPECT_EQ(tool({verb, "--key", "x", folder()}).status, 2);
  }
}

TEST_F(FileChannelTool, FlumesIntegrityTool) {
  fill();
  const Answer whole = flume_tool({"fcintegritytool", "-l", folder() + "/data"});
  EXPECT_EQ(whole.status, 0) << whole.err;
  EXPECT_THAT(whole.out,
              AllOf(HasSubstr("---------- Summary --------------------\nNumber of Events in the Channel = 10"),
                    HasSubstr("Number of Corrupt Events = 0")));
  damage();
  const Answer damaged =
      flume_tool({"FCINTEGRITYTOOL", "--dataDirs", folder() + "/data", "-e", "x.y.Validator$Builder"});
  EXPECT_EQ(damaged.status, 0);
  EXPECT_THAT(damaged.out, AllOf(HasSubstr("damage: " + segment()), HasSubstr("Number of Valid Put Events = 9"),
                                 HasSubstr("Number of Corrupt Events = 1"),
                                 HasSubstr("--eventValidator x.y.Validator$Builder has no effect")));
  const Answer absent = flume_tool({"fcintegritytool", "-l", folder() + "/nowhere"});
  EXPECT_EQ(absent.status, 1);
  EXPECT_THAT(absent.err, HasSubstr("Data directory, " + folder() + "/nowhere does not exist."));
  EXPECT_THAT(flume_tool({"fcintegritytool", "-l", folder() + "/data", "-Dlimit=3"}).out,
              HasSubstr("Info: -Dlimit has no effect"));
  EXPECT_EQ(flume_tool({"fcintegritytool"}).status, 1);
  EXPECT_EQ(flume_tool({"fcintegritytool", "-h"}).status, 1);
  EXPECT_THAT(flume_tool({}).out, HasSubstr("fcintegritytool"));
  EXPECT_EQ(flume_tool({}).status, 1);
  EXPECT_THAT(flume_tool({"hammer"}).err, HasSubstr("Cannot find tool matching hammer"));
  const std::string flume = directory_.file("flume");
  ASSERT_TRUE(real_file_system().make_directories(flume).ok());
  ASSERT_TRUE(write_file_atomically(real_file_system(), flume + "/log-1", "x").ok());
  EXPECT_THAT(flume_tool({"fcintegritytool", "-l", flume}).err, HasSubstr("was written by Flume"));
}

}  // namespace
}  // namespace standpipe

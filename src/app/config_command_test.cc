// standpipe config and agents with -z, against a ZooKeeper server in this process.
#include "app/config_command.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/commands.h"
#include "app/last_configuration.h"
#include "app/terminal.h"
#include "io/file_system.h"
#include "support/command_answer.h"
#include "support/test_environment.h"
#include "support/zookeeper_server.h"

namespace standpipe {
namespace {

using testing::Answer;
using testing::answer_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::TemporaryDirectory;
using testing::ZookeeperTestServer;

constexpr std::string_view kSound =
    "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n"
    "a1.sources.r1.type = seq\na1.sources.r1.channels = c1\n"
    "a1.channels.c1.type = memory\n"
    "a1.sinks.k1.type = null\na1.sinks.k1.channel = c1\n";

class ConfigCommandTest : public ::testing::Test {
 protected:
  Answer config(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-n", "a1", "-z", server_.connect_string()});
    return bare(arguments);
  }
  static Answer bare(const std::vector<std::string>& arguments) { return answer_of(run_config, arguments); }
  std::string file(std::string_view text) {
    const std::string path = folder_.file("a1.conf");
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  ZookeeperTestServer server_;
  TemporaryDirectory folder_;
};

TEST_F(ConfigCommandTest, PushMakesTheNodeAndThenReplacesWhatIsThere) {
  const auto first = config({"push", file(kSound)});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("zookeeper:/flume/a1: written"));
  EXPECT_EQ(server_.data("/flume/a1"), kSound);
  EXPECT_THAT(config({"push", file(kSound)}).out, HasSubstr("holds this text already"));
  const std::string changed = std::string(kSound) + "a1.channels.c1.capacity = 777\n";
  EXPECT_EQ(config({"push", file(changed), "-p", "/fleet/eu/"}).status, 0);
  EXPECT_EQ(server_.data("/fleet/eu/a1"), changed);
  EXPECT_EQ(server_.data("/flume/a1"), kSound);
}

TEST_F(ConfigCommandTest, PushRefusesErrorsUnlessForcedAndWarningsWhenStrict) {
  const std::string broken = std::string(kSound) + "a1.sinks.k1.type = nul\n";
  const auto refused = config({"push", file(broken)});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.out, HasSubstr("a1.conf:9: error: a1.sinks.k1.type"));
  EXPECT_THAT(refused.err, HasSubstr("--force"));
  EXPECT_FALSE(server_.has("/flume/a1"));
  EXPECT_EQ(config({"push", file(broken), "--force"}).status, 0);
  EXPECT_EQ(server_.data("/flume/a1"), broken);
  const std::string odd = std::string(kSound) + "a1.sinks.k1.batchsize = 3\n";
  EXPECT_EQ(config({"push", file(odd), "--strict"}).status, 1);
  EXPECT_EQ(server_.data("/flume/a1"), broken);
  EXPECT_EQ(config({"push", file(odd)}).status, 0);
  const auto other = config({"push", file("b1.sources = r1\n")});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("has nothing to run for agent 'a1'"));
}

TEST_F(ConfigCommandTest, PushWritesUtf8AndSaysWhichSecretsEverybodyMayRead) {
  EXPECT_EQ(config({"push", file("\xEF\xBB\xBF# gr\xFC\xDF\n" + std::string(kSound))}).status, 0);
  EXPECT_EQ(server_.data("/flume/a1"), "# gr\xC3\xBC\xC3\x9F\n" + std::string(kSound));
  const std::string secret = std::string(kSound) + "b1.x.y.password = sesame-99\nb1.x.z.password = ${env:P}\n";
  const auto open = config({"push", file(secret)});
  EXPECT_THAT(open.out, HasSubstr("a1.conf:9: note: b1.x.y.password can be read"));
  EXPECT_THAT(open.out, Not(HasSubstr("b1.x.z.password can be read")));
  EXPECT_THAT(open.out, Not(HasSubstr("sesame-99")));
}

TEST_F(ConfigCommandTest, PushRefusesWhatNoServerTakes) {
  const auto large = config({"push", file(std::string(kSound) + "#" + std::string(1'000'000, 'x') + "\n")});
  EXPECT_EQ(large.status, 2);
  EXPECT_THAT(large.err, HasSubstr("jute.maxbuffer"));
}

TEST_F(ConfigCommandTest, PullPrintsOrWritesAPrivateFile) {
  EXPECT_EQ(config({"pull"}).status, 3);
  server_.put("/flume/a1", "# as it is\r\nx=\xFF");
  EXPECT_EQ(config({"pull"}).out, "# as it is\r\nx=\xFF");
  const std::string path = folder_.file("pulled");
  EXPECT_EQ(config({"pull", "-o", path}).out, "");
  EXPECT_EQ(*read_file(real_file_system(), path), "# as it is\r\nx=\xFF");
  EXPECT_EQ(real_file_system().info(path)->permissions & 0777u, 0600u);
}

TEST_F(ConfigCommandTest, DiffComparesPropertiesAndShowsNoSecret) {
  server_.put("/flume/a1", "# old\na.b.c = 1\na.b.password = one\na.b.gone = x\n");
  const std::string path = file("a.b.password = two\na.b.c=1\na.b.new = a\\tb\n");
  const auto differs = config({"diff", path});
  EXPECT_EQ(differs.status, 1);
  EXPECT_EQ(differs.out, "--- zookeeper:/flume/a1\n+++ " + path +
                             "\n- a.b.gone=x\n+ a.b.new=a\\tb\n"
                             "- a.b.password=(not shown)\n+ a.b.password=(not shown)\n");
  const auto same = config({"diff", file("a.b.gone: x\na.b.c 1\na.b.password = one\n")});
  EXPECT_EQ(same.status, 0);
  EXPECT_THAT(same.out, IsEmpty());
}

TEST_F(ConfigCommandTest, DiffWithoutAFileComparesWithWhatRanHereLast) {
  server_.put("/flume/a1", "a.b.c = 2\n");
  const std::string state = "-Dstandpipe.state.dir=" + folder_.path();
  EXPECT_EQ(config({"diff", state}).status, 2) << "nothing ran yet";
  const ConfigText ran{"zookeeper:/flume/a1", "a.b.c = 1\n"};
  ASSERT_TRUE(store_last_configuration(folder_.path(), std::span(&ran, 1)).ok());
  const auto differs = config({"diff", state});
  EXPECT_EQ(differs.status, 1);
  EXPECT_THAT(differs.out, HasSubstr("- a.b.c=1\n+ a.b.c=2\n"));
}

TEST_F(ConfigCommandTest, ZookeeperThatIsAwayIsStatusThree) {
  server_.away(true);
  const auto away = config({"pull", "-Dstandpipe.zookeeper.connect.timeout.ms=100"});
  EXPECT_EQ(away.status, 3);
  EXPECT_THAT(away.err, HasSubstr("no session with ZooKeeper"));
}

TEST_F(ConfigCommandTest, WhatMakesNoSenseIsSaid) {
  const std::pair<std::vector<std::string>, const char*> all[] = {
      {{}, "push, pull or diff"},
      {{"frob", "-n", "a1", "-z", "h"}, "not 'frob'"},
      {{"pull", "-z", "h"}, "--name"},
      {{"pull", "-n", "a1"}, "--zkConnString"},
      {{"push", "-n", "a1", "-z", "h"}, "needs a file"},
      {{"pull", "f", "-n", "a1", "-z", "h"}, "takes no file"},
      {{"diff", "f", "-o", "x", "-n", "a1", "-z", "h"}, "--output belongs to config pull"},
      {{"diff", "f", "--force", "-n", "a1", "-z", "h"}, "belong to config push"},
      {{"push", "f", "g", "-n", "a1", "-z", "h"}, "'g' is another"},
      {{"pull", "-n", "..", "-z", "h"}, "is no path"},
      {{"pull", "-n", "a1", "-z", "h:x"}, "is no port"}};
  for (const auto& [arguments, says] : all) {
    const auto outcome = bare(arguments);
    EXPECT_EQ(outcome.status, kExitUsage) << says;
    EXPECT_THAT(outcome.err, HasSubstr(says));
  }
  EXPECT_THAT(bare({"push", "--help"}).out, HasSubstr("exit status: 0 done"));
}

TEST_F(ConfigCommandTest, AnAgentWaitsForItsConfigurationAndThenGivesUp) {
  const std::string server = server_.connect_string();
  server_.away(true);
  const std::vector<std::string> line{"agent",
                                      "-n",
                                      "a1",
                                      "-z",
                                      server,
                                      "-Dstandpipe.state.dir=" + folder_.path(),
                                      "-Dstandpipe.zookeeper.connect.timeout.ms=100"};
  const auto away = answer_of(run_flume_ng, line);
  EXPECT_EQ(away.status, 1);
  EXPECT_THAT(away.err, HasSubstr("none that ran before is in " + folder_.path()));
  EXPECT_THAT(away.err, HasSubstr("no session with ZooKeeper " + server + " within 100 ms"));
  server_.away(false);
  std::vector<std::string> patient = line;
  patient.pop_back();
  const auto missing = answer_of(run_flume_ng, patient);
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.err, HasSubstr("there is no such node; standpipe config push puts one there"));
  std::vector<std::string> secure = line;
  secure.emplace_back("-Dzookeeper.client.secure=true");
  EXPECT_THAT(answer_of(run_flume_ng, secure).err, HasSubstr("no TLS"));
  EXPECT_THAT(answer_of(run_flume_ng, {"agent", "-n", "a1", "-z", "h:x"}).err, HasSubstr("'x' is no port"));
  EXPECT_THAT(answer_of(run_flume_ng, {"agent", "-n", "a/../b", "-z", "h"}).err, HasSubstr("is no path"));
}

TEST_F(ConfigCommandTest, ADryRunChecksWhatStandsInZookeeper) {
  server_.put("/flume/a1", std::string(kSound) + "a1.sinks.k1.type = nul\n");
  const auto checked = answer_of(run_flume_ng, {"agent", "-d", "-n", "a1", "-z", server_.connect_string(),
                                                "-Dstandpipe.state.dir=" + folder_.path()});
  EXPECT_EQ(checked.status, 2);
  EXPECT_THAT(checked.out, HasSubstr("zookeeper:/flume/a1:9: error: a1.sinks.k1.type"));
}

}  // namespace
}  // namespace standpipe

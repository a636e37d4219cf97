#include "sources/exec/exec_source.h"

#include <gmock/gmock.h>

#include <fstream>
#include <future>
#include <thread>

#include "base/clock.h"
#include "support/recording_ingest.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

/// Gone, or waiting to be reaped by whoever inherited it.
bool has_ended(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return !(stat >> number >> name >> state) || state == "Z";
}

class ExecSourceTest : public ::testing::Test {
 protected:
  void TearDown() override { stop(); }

  void start(Settings::Map values) {
    values.emplace("batchTimeout", "20");
    const auto settings = Settings::parse(*kExecSource.info, std::move(values));
    ASSERT_TRUE(settings.ok()) << settings.status().message();
    auto made = kExecSource.create(*settings, env.environment);
    ASSERT_TRUE(made.ok()) << made.status().message();
    source = std::move(made).value();
    ASSERT_TRUE(source->start(ingest).ok());
    thread = std::jthread([this](std::stop_token token) { result = source->run(token); });
  }
  void start_shell(std::string command, Settings::Map values = {}) {
    values.emplace("shell", "/bin/sh -c");
    values.emplace("command", std::move(command));
    start(std::move(values));
  }

  void stop() {
    if (!thread.joinable()) return;
    thread.request_stop();
    thread.join();
    source->stop();
  }

  bool wait_for(const std::function<bool()>& ready) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!ready()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool wait_for_log(std::string_view part) {
    return wait_for([&] { return env.log.contains(part); });
  }

  testing::TestEnvironment env;
  testing::RecordingIngest ingest;
  std::unique_ptr<Source> source;
  Status result;
  std::jthread thread;
};

TEST_F(ExecSourceTest, TakesTheLinesOfACommand) {
  start({{"command", "  echo   one  two "}});
  ASSERT_TRUE(ingest.wait_for_events(1));
  EXPECT_THAT(ingest.bodies(), ElementsAre("one two"));
  EXPECT_TRUE(wait_for_log("Command [  echo   one  two ] exited with 0"));
  EXPECT_EQ(env.count(counter_names::kEventReceived), 1);
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 1);
}

TEST_F(ExecSourceTest, KnowsEveryLineEnd) {
  start_shell(R"(printf 'a\nb\r\nc\rd\n\n\re')");
  ASSERT_TRUE(wait_for_log("exited with 0"));
  EXPECT_THAT(ingest.bodies(), ElementsAre("a", "b", "c", "d", "", "", "e"));
}

TEST_F(ExecSourceTest, KnowsALineEndThatIsCutInTwo) {
  start_shell(R"(printf 'a\r'; sleep 0.05; printf '\nb\n'; sleep 0.05; printf 'c\r'; sleep 0.05; printf 'd')");
  ASSERT_TRUE(wait_for_log("exited with 0"));
  EXPECT_THAT(ingest.bodies(), ElementsAre("a", "b", "c", "d"));
}

TEST_F(ExecSourceTest, HandsOverWhatWaitedLongEnough) {
  start_shell("echo one; sleep 1000", {{"batchSize", "1000"}});
  EXPECT_TRUE(ingest.wait_for_events(1));
}

TEST_F(ExecSourceTest, GathersABatch) {
  start_shell("for i in 1 2 3; do echo $i; sleep 0.02; done; sleep 1000",
              {{"batchSize", "3"}, {"batchTimeout", "60000"}});
  ASSERT_TRUE(ingest.wait_for_events(3));
  EXPECT_THAT(ingest.batch_sizes(), ElementsAre(3));
}

TEST_F(ExecSourceTest, DecodesTheCharset) {
  start_shell(R"(printf 'na\357ve\n')", {{"charset", "ISO-8859-1"}});
  ASSERT_TRUE(ingest.wait_for_events(1));
  EXPECT_THAT(ingest.bodies(), ElementsAre("na\xC3\xAFve"));
}

TEST_F(ExecSourceTest, LosesNothingWhileTheChannelIsFull) {
  ingest.answer_with({Code::full, "channel c1 is full"});
  start_shell("seq 1 400000");  // 2.7 MB: more than pipe and read-ahead hold
  ASSERT_TRUE(ingest.wait_for_deliveries(2));
  EXPECT_TRUE(env.log.contains("waits until its output can be stored: channel c1 is full"));
  EXPECT_FALSE(env.log.contains("exited"));
  ingest.answer_with({});
  ASSERT_TRUE(wait_for_log("exited with 0"));
  const std::vector<std::string> bodies = ingest.bodies();
  ASSERT_EQ(bodies.size(), 400'000u);
  for (std::size_t i = 0; i < bodies.size(); ++i) ASSERT_EQ(bodies[i], std::to_string(i + 1));
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 400'000);
}

TEST_F(ExecSourceTest, KeepsOrderWhileReceiptsAreOpen) {
  ingest.hold();
  start_shell("seq 1 1000; sleep 0.05; seq 1001 2000", {{"batchSize", "1"}});
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  EXPECT_EQ(ingest.deliveries(), 1u);
  ingest.release();
  ASSERT_TRUE(wait_for_log("exited with 0"));
  const std::vector<std::string> bodies = ingest.bodies();
  ASSERT_EQ(bodies.size(), 2000u);
  for (std::size_t i = 0; i < bodies.size(); ++i) ASSERT_EQ(bodies[i], std::to_string(i + 1));
}

TEST_F(ExecSourceTest, DropsOnlyWhatCanNeverBeStored) {
  ingest.answer_with({Code::poison, "too large"});
  start_shell("echo a");
  EXPECT_TRUE(wait_for_log("an event of command [echo a] can never be stored"));
}

TEST_F(ExecSourceTest, DropsNoneOfTheOthersOfItsBatch) {
  ingest.refuse("bad");
  start_shell("echo a; echo bad; echo c");
  EXPECT_TRUE(ingest.wait_for_events(2));
  EXPECT_TRUE(wait_for_log("an event of command"));
  EXPECT_EQ(ingest.bodies(), (std::vector<std::string>{"a", "c"}));
}

TEST_F(ExecSourceTest, RunsItAgain) {
  start({{"command", "echo again"}, {"restart", "true"}, {"restartThrottle", "1"}});
  // Often: the end of the output and the end of the command come in either order, or between two looks.
  ASSERT_TRUE(ingest.wait_for_events(400));
  EXPECT_TRUE(env.log.contains("Restarting in 1ms, exit code 0"));
}

TEST_F(ExecSourceTest, LogsErrorsWhenAsked) {
  start_shell("echo oops >&2; printf last >&2; exit 3", {{"logStdErr", "true"}});
  ASSERT_TRUE(wait_for_log("exited with 3"));
  EXPECT_TRUE(env.log.contains("StderrLogger[1] = 'oops'"));
  EXPECT_TRUE(env.log.contains("StderrLogger[2] = 'last'"));
}

TEST_F(ExecSourceTest, DrainsErrorsThatNobodyWants) {
  start_shell("dd if=/dev/zero bs=1024 count=300 2>/dev/null >&2; echo done");
  ASSERT_TRUE(ingest.wait_for_events(1));
  EXPECT_FALSE(env.log.contains("StderrLogger"));
}

TEST_F(ExecSourceTest, NamesACommandThatCantBeRun) {
  start({{"command", "/no/such/program -x"}});
  thread.join();
  EXPECT_EQ(result.code(), Code::not_found);
  EXPECT_NE(result.message().find("/no/such/program"), std::string::npos);
}

TEST_F(ExecSourceTest, TriesACommandThatCantBeRunAgain) {
  start({{"command", "/no/such/program"}, {"restart", "true"}, {"restartThrottle", "60000"}});
  EXPECT_TRUE(wait_for_log("restarting in 60000ms"));
}

TEST_F(ExecSourceTest, EndsGrandchildren) {
  const std::string pid_file = env.directory.file("pid");
  start_shell("sleep 1000 & echo $! > " + pid_file + "; echo ready; wait");
  ASSERT_TRUE(ingest.wait_for_events(1));
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  ASSERT_GT(pid, 0);
  stop();
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(wait_for([&] { return has_ended(pid); }));
}

TEST_F(ExecSourceTest, EndsWhatIgnoresTheFirstSignal) {
  start_shell("trap '' TERM; echo ready; while :; do sleep 1000; done");
  ASSERT_TRUE(ingest.wait_for_events(1));
  stop();
  EXPECT_TRUE(wait_for_log("exited with 137"));
}

TEST_F(ExecSourceTest, StoresWhatWasPrintedBeforeTheStop) {
  start_shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done", {{"batchSize", "1"}});
  ASSERT_TRUE(ingest.wait_for_events(1));
  stop();
  EXPECT_THAT(ingest.bodies(), ElementsAre("ready", "bye"));
}

TEST_F(ExecSourceTest, StopsWhileAReceiptIsOpen) {
  ingest.hold();
  start_shell("echo a; sleep 1000");
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  stop();
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(env.log.contains("were read and are not stored"));
  ingest.release();
}

TEST_F(ExecSourceTest, WaitsForMemory) {
  env.budget.force_charge(env.budget.limit());
  start_shell("echo a");
  EXPECT_FALSE(env.log.contains("exited"));
  env.budget.release(env.budget.limit());
  EXPECT_TRUE(ingest.wait_for_events(1));
}

TEST_F(ExecSourceTest, RefusesAnUnknownCharset) {
  const auto settings = Settings::parse(*kExecSource.info, {{"command", "true"}, {"charset", "nonsense"}});
  EXPECT_EQ(kExecSource.create(*settings, env.environment).status().code(), Code::invalid);
}

}  // namespace
}  // namespace standpipe

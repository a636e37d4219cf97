#include "sources/stress/stress_source.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/clock.h"
#include "support/recording_ingest.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

class StressSourceTest : public ::testing::Test {
 protected:
  void start(Settings::Map values, Clock* clock = nullptr) {
    environment =
        std::make_unique<testing::TestEnvironment>("r1", clock != nullptr ? *clock : system_clock, real_file_system());
    values.emplace("backoffSleepIncrement", "1");
    const auto settings = Settings::parse(*kStressSource.info, std::move(values));
    ASSERT_TRUE(settings.ok()) << settings.status().message();
    source = kStressSource.create(*settings, environment->environment).value();
    ASSERT_TRUE(source->start(ingest).ok());
    thread = std::jthread([this](std::stop_token token) { EXPECT_TRUE(source->run(token).ok()); });
  }

  void stop() {
    thread.request_stop();
    thread.join();
    source->stop();
  }

  SystemClock system_clock;
  std::unique_ptr<testing::TestEnvironment> environment;
  testing::RecordingIngest ingest;
  std::unique_ptr<Source> source;
  std::jthread thread;
};

TEST_F(StressSourceTest, MakesAsManyAsItMayTry) {
  start({{"size", "3"}, {"maxTotalEvents", "5"}, {"batchSize", "2"}});
  ASSERT_TRUE(ingest.wait_for_events(5));
  stop();
  EXPECT_THAT(ingest.batch_sizes(), ElementsAre(2, 2, 1));
  EXPECT_EQ(ingest.bodies()[4], "\x7f\x7f\x7f");
  EXPECT_EQ(environment->count(counter_names::kEventAccepted), 5);
}

TEST_F(StressSourceTest, CountsOnlyWhatWasStoredWhereAsked) {
  ingest.answer_with({Code::full, "full"});
  start({{"maxSuccessfulEvents", "2"}});
  ASSERT_TRUE(ingest.wait_for_deliveries(3));
  ingest.answer_with({});
  ASSERT_TRUE(ingest.wait_for_events(2));
  stop();
  EXPECT_EQ(ingest.bodies().size(), 2u);
  EXPECT_GE(environment->count(counter_names::kEventReceived), 5);
}

TEST_F(StressSourceTest, KeepsToTheRate) {
  VirtualClock clock;
  start({{"maxEventsPerSecond", "10"}, {"batchSize", "5"}}, &clock);
  ASSERT_TRUE(ingest.wait_for_events(5));
  const auto wait_until_it_waits = [&clock] {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (clock.waiters() == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  };
  wait_until_it_waits();
  EXPECT_EQ(ingest.bodies().size(), 5u);
  clock.advance(500ms);
  ASSERT_TRUE(ingest.wait_for_events(10));
  wait_until_it_waits();
  EXPECT_EQ(ingest.bodies().size(), 10u);
  stop();
}

}  // namespace
}  // namespace standpipe

#include "sources/seq/seq_source.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/clock.h"
#include "support/recording_ingest.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;

class SeqSourceTest : public ::testing::Test {
 protected:
  void start(Settings::Map values) {
    values.emplace("backoffSleepIncrement", "1");
    const auto settings = Settings::parse(*kSeqSource.info, std::move(values));
    ASSERT_TRUE(settings.ok()) << settings.status().message();
    source = kSeqSource.create(*settings, env.environment).value();
    ASSERT_TRUE(source->start(ingest).ok());
    thread = std::jthread([this](std::stop_token token) { EXPECT_TRUE(source->run(token).ok()); });
  }

  testing::TestEnvironment env;
  testing::RecordingIngest ingest;
  std::unique_ptr<Source> source;
  std::jthread thread;
};

TEST_F(SeqSourceTest, CountsFromZeroToTheLimit) {
  start({{"totalEvents", "5"}, {"batchSize", "2"}});
  ASSERT_TRUE(ingest.wait_for_events(5));
  thread.request_stop();
  thread.join();
  EXPECT_THAT(ingest.bodies(), ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_THAT(ingest.batch_sizes(), ElementsAre(2, 2, 1));
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 5);
  EXPECT_EQ(env.count(counter_names::kAppendBatchAccepted), 3);
}

TEST_F(SeqSourceTest, TriesTheSameNumbersAgain) {
  ingest.answer_with({Code::full, "full"});
  start({{"totalEvents", "2"}});
  ASSERT_TRUE(ingest.wait_for_deliveries(3));
  ingest.answer_with({});
  ASSERT_TRUE(ingest.wait_for_events(2));
  EXPECT_THAT(ingest.bodies(), ElementsAre("0", "1"));
}

TEST_F(SeqSourceTest, StopsWhileAReceiptIsOpen) {
  ingest.hold();
  start({});
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  thread.request_stop();
  thread.join();
  source->stop();
  source->stop();
}

}  // namespace
}  // namespace standpipe

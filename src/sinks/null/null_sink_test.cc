#include "sinks/null/null_sink.h"

#include <gmock/gmock.h>

#include "support/one_batch_outlet.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;

TEST(NullSink, CommitsWhatItTakesAndSaysSoNowAndThen) {
  testing::TestEnvironment env("k1");
  const auto settings = Settings::parse(*kNullSink.info, {{"batchSize", "10"}, {"logEveryNEvents", "12"}});
  const auto sink = kNullSink.create(*settings, env.environment).value();
  testing::OneBatchOutlet outlet(std::vector<std::string>(25, "x"));
  ASSERT_TRUE(sink->start().ok());
  for (int turn = 0; turn < 3; ++turn) {
    const auto result = sink->process(outlet, {});
    ASSERT_TRUE(result.ok());
    EXPECT_TRUE(result->worked);
  }
  EXPECT_EQ(outlet.committed(), 25u);
  EXPECT_FALSE(sink->process(outlet, {})->worked);
  EXPECT_THAT(env.log.lines(), ElementsAre("INFO Null sink k1 successful processed 12 events.",
                                           "INFO Null sink k1 successful processed 24 events."));
  EXPECT_EQ(env.count(counter_names::kDrainSuccess), 25);
  sink->stop();
  sink->stop();
}

TEST(NullSink, RefusesABatchOfNothing) {
  EXPECT_EQ(Settings::parse(*kNullSink.info, {{"batchSize", "0"}}).status().code(), Code::invalid);
}

}  // namespace
}  // namespace standpipe

#include "sinks/logger/logger_sink.h"

#include <gmock/gmock.h>

#include "support/one_batch_outlet.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;

TEST(LoggerSink, LogsEveryEventInOrder) {
  testing::TestEnvironment env("k1");
  const auto settings = Settings::parse(*kLoggerSink.info, {{"maxBytesToLog", "18"}});
  const auto sink = kLoggerSink.create(*settings, env.environment).value();
  testing::OneBatchOutlet outlet({"Hello", "0123456789abcdef++"});
  ASSERT_TRUE(sink->start().ok());
  ASSERT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_THAT(
      env.log.lines(),
      ElementsAre("INFO Event: { headers:{} body: 48 65 6C 6C 6F                                  Hello }",
                  "INFO Event: { headers:{} body: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 0123456789abcdef",
                  "INFO 00000010 2B 2B                                           ++ }"));
  EXPECT_EQ(outlet.committed(), 2u);
  EXPECT_EQ(env.count(counter_names::kDrainSuccess), 2);
}

}  // namespace
}  // namespace standpipe

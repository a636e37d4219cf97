#include "channels/memory/memory_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "core/sink_runner.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using testing::bodies;
using testing::drain;
using ::testing::ElementsAre;
using testing::eventually;
using testing::numbered;
using testing::numbered_ptr;
using testing::numbers;
using testing::put;

Settings settings_of(Settings::Map values) { return Settings::parse(*kMemoryChannel.info, std::move(values)).value(); }

/// Collects bodies; one event at a time or more.
class CollectingSink final : public BatchSink {
 public:
  CollectingSink(Environment& environment, std::vector<std::string>& seen, std::mutex& mutex)
      : BatchSink(environment, 10), seen_(seen), mutex_(mutex) {}
  Status write(const Lease& lease, std::stop_token) override {
    std::lock_guard lock(mutex_);
    for (std::string& body : bodies(lease)) seen_.push_back(std::move(body));
    return {};
  }

 private:
  std::vector<std::string>& seen_;
  std::mutex& mutex_;
};

TEST(MemoryChannel, CarriesEventsFromAnIngestToASink) {
  testing::TestEnvironment source("r1");
  testing::TestEnvironment channel_world("c1");
  testing::TestEnvironment sink_world("k1");
  EngineThread engine(source.system_clock);
  auto channel = std::make_shared<MemoryChannel>(settings_of({}), channel_world.environment);
  ChannelRunner channel_runner("c1", channel, channel_world.environment);
  std::vector<std::string> seen;
  std::mutex mutex;
  auto sink = SinkRunner::for_sink("k1", std::make_unique<CollectingSink>(sink_world.environment, seen, mutex),
                                   channel_runner.named(), sink_world.environment, {channel_runner.gate()});
  IngestPlan plan;
  plan.selector = make_replicating_selector(1);
  plan.channels = {channel_runner.named()};
  SourceIngest ingest(source.environment, engine, std::move(plan));

  sink->start();
  channel_runner.start();
  ASSERT_TRUE(eventually([&] { return channel_runner.health().state == LifeState::running; }));
  for (std::size_t i = 0; i < 1000; i += 50) EXPECT_TRUE(ingest.deliver(numbered(i, 50)).wait().ok());
  EXPECT_TRUE(eventually([&] { return channel->size() == 0; }));
  EXPECT_TRUE(sink->stop());
  EXPECT_TRUE(channel_runner.stop());
  EXPECT_EQ(seen, numbers(0, 1000));
  EXPECT_EQ(sink_world.count(counter_names::kDrainSuccess), 1000);
  EXPECT_EQ(channel_world.count(counter_names::kPutSuccess), 1000);
  EXPECT_EQ(channel_world.count(counter_names::kTakeSuccess), 1000);
}

}  // namespace
}  // namespace standpipe

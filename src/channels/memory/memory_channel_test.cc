#include "channels/memory/memory_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "contract/channel_contract.h"
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

testing::ChannelUnderTest contract_subject() {
  return {.make =
              [](std::int64_t capacity, Environment& environment) {
                // Takes are capped at transactionCapacity, which the suite does not want.
                return kMemoryChannel
                    .create(settings_of({{"capacity", std::to_string(capacity)},
                                         {"transactionCapacity", std::to_string(capacity)}}),
                            environment)
                    .value();
              },
          .transactional = true};
}

struct Subject {
  explicit Subject(Settings::Map values) : channel(settings_of(std::move(values)), world.environment) {
    EXPECT_TRUE(channel.start().ok());
  }
  testing::TestEnvironment world{"c1"};
  MemoryChannel channel;
};

TEST(MemoryChannel, HasFlumesDefaults) {
  Subject subject(Settings::Map{});
  EXPECT_EQ(subject.channel.capacity(), 100);
  EXPECT_EQ(subject.channel.transaction_capacity(), 100);
  EXPECT_EQ(subject.channel.keep_alive(), std::chrono::seconds(3));
  EXPECT_TRUE(subject.channel.is_volatile());
}

TEST(MemoryChannel, ATransactionCapacityAboveTheCapacityIsCutWithAWarning) {
  Subject subject(Settings::Map{{"capacity", "10"}, {"transactionCapacity", "1000"}});
  EXPECT_EQ(subject.channel.transaction_capacity(), 10);
  EXPECT_TRUE(subject.world.log.contains("transactionCapacity 1000 is larger than capacity 10"));
}

TEST(MemoryChannel, CountsRealBytes) {
  Subject subject(Settings::Map{{"byteCapacity", "100"}});
  Batch sixty;
  sixty.add_copy(std::string(50, 'x'), sixty.add_headers({{"name", "value1"}}));
  const auto batch = std::make_shared<const Batch>(std::move(sixty));
  ASSERT_TRUE(put(subject.channel, batch).ok());
  EXPECT_EQ(put(subject.channel, batch).code(), Code::full);
  EXPECT_EQ(drain(subject.channel).size(), 1u);
  EXPECT_TRUE(put(subject.channel, batch).ok()) << "the bytes came back";
  Batch large;
  large.add_copy(std::string(101, 'x'));
  EXPECT_EQ(put(subject.channel, std::make_shared<const Batch>(std::move(large))).code(), Code::poison);
}

TEST(MemoryChannel, AByteCapacityOfZeroIsNoLimit) {
  Subject subject(Settings::Map{{"byteCapacity", "0"}});
  Batch large;
  large.add_copy(std::string(1 << 20, 'x'));
  EXPECT_TRUE(put(subject.channel, std::make_shared<const Batch>(std::move(large))).ok());
}

TEST(MemoryChannel, ResizesInPlace) {
  Subject subject(Settings::Map{{"capacity", "10"}});
  ASSERT_TRUE(put(subject.channel, numbered_ptr(0, 10)).ok());
  ASSERT_TRUE(subject.channel.reconfigure(settings_of({{"capacity", "5"}})).ok());
  EXPECT_EQ(subject.channel.size(), 10) << "nothing is thrown away";
  EXPECT_EQ(put(subject.channel, numbered_ptr(10, 1)).code(), Code::full);
  Lease lease = subject.channel.take(6).value();
  ASSERT_TRUE(lease.commit().ok());
  EXPECT_EQ(put(subject.channel, numbered_ptr(10, 2)).code(), Code::full);
  ASSERT_TRUE(subject.channel.reconfigure(settings_of({{"capacity", "20"}})).ok());
  EXPECT_TRUE(put(subject.channel, numbered_ptr(10, 2)).ok());
}

TEST(MemoryChannel, ShowsTheAgeOfItsOldestEvent) {
  VirtualClock clock;
  testing::TestEnvironment world("c1", clock, real_file_system());
  MemoryChannel channel(settings_of({}), world.environment);
  ASSERT_TRUE(channel.start().ok());
  const auto age = [&] {
    for (const auto& value : world.counters.read()) {
      if (value.name == counter_names::kOldestEventAge) return value.number;
    }
    return -1.0;
  };
  EXPECT_EQ(age(), 0);
  ASSERT_TRUE(put(channel, numbered_ptr(0, 1)).ok());
  clock.advance(std::chrono::milliseconds(1500));
  ASSERT_TRUE(put(channel, numbered_ptr(1, 1)).ok());
  EXPECT_EQ(age(), 1500);
  Lease oldest = channel.take(1).value();
  EXPECT_EQ(age(), 1500) << "leased is still inside";
  ASSERT_TRUE(oldest.commit().ok());
  EXPECT_EQ(age(), 0);
}

TEST(MemoryChannel, IsFullWhenTheProcessHasNoMemoryLeft) {
  testing::TestEnvironment world("c1");
  MemoryChannel channel(settings_of({}), world.environment);
  ASSERT_TRUE(channel.start().ok());
  world.budget.force_charge(world.budget.limit());
  EXPECT_TRUE(put(channel, numbered_ptr(0, 1)).ok()) << "an empty one could never drain itself free";
  EXPECT_EQ(put(channel, numbered_ptr(1, 1)).code(), Code::full);
  world.budget.release(world.budget.limit());
  EXPECT_TRUE(put(channel, numbered_ptr(1, 1)).ok());
}

TEST(MemoryChannel, DropsAndCountsWhatHasNoRoomWhereItIsToldTo) {
  testing::TestEnvironment world("c1");
  MemoryChannel channel(settings_of({{"capacity", "3"}, {"transactionCapacity", "3"}, {"onFull", "drop"}}),
                        world.environment);
  ASSERT_TRUE(channel.start().ok());
  for (std::size_t i = 0; i < 9; i += 2) EXPECT_TRUE(put(channel, numbered_ptr(i, 2)).ok());
  EXPECT_EQ(channel.size(), 2);
  EXPECT_EQ(world.count("EventDropCount"), 8);
  EXPECT_EQ(world.count(counter_names::kPutSuccess), 2);
  EXPECT_EQ(drain(channel), numbers(0, 2));
  EXPECT_TRUE(put(channel, numbered_ptr(9, 1)).ok());
  EXPECT_EQ(drain(channel), numbers(9, 1));
  channel.stop();
  EXPECT_EQ(put(channel, numbered_ptr(0, 1)).code(), Code::stopped);
  ASSERT_TRUE(channel.reconfigure(settings_of({{"capacity", "3"}, {"transactionCapacity", "3"}})).ok());
  ASSERT_TRUE(channel.start().ok());
  ASSERT_TRUE(put(channel, numbered_ptr(0, 3)).ok());
  EXPECT_EQ(put(channel, numbered_ptr(3, 1)).code(), Code::full);
}

}  // namespace
}  // namespace standpipe

namespace standpipe::testing {
INSTANTIATE_TEST_SUITE_P(Memory, ChannelContract, ::testing::Values(contract_subject()));
}  // namespace standpipe::testing

#include "core/runner.h"

#include <atomic>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/supervisor.h"
#include "support/engine_parts.h"
#include "support/queue_channel.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::eventually;
using testing::numbered;
using testing::QueueChannel;

/// Waits on real conditions, so that a thread can be held anywhere.
class Latch {
 public:
  void open() {
    open_ = true;
    open_.notify_all();
  }
  void wait() { open_.wait(false); }

 private:
  std::atomic<bool> open_{false};
};

struct SourceProbe {
  std::atomic<int> starts{0};
  std::atomic<int> stops{0};
  std::atomic<int> failing_starts{0};  // so many starts fail
  std::atomic<bool> fail_run{false};
  std::atomic<bool> throw_in_run{false};
  std::atomic<bool> finish{false};
  std::size_t deliver = 0;
  Latch* hang = nullptr;
};

class ProbeSource final : public Source {
 public:
  explicit ProbeSource(std::shared_ptr<SourceProbe> probe) : probe_(std::move(probe)) {}
  Status start(Ingest& ingest) override {
    ingest_ = &ingest;
    if (++probe_->starts <= probe_->failing_starts) return {Code::unavailable, "port taken"};
    return {};
  }
  Status run(std::stop_token stop) override {
    for (std::size_t i = 0; i < probe_->deliver; ++i) TRY(ingest_->deliver(numbered(i, 1)).wait(stop));
    if (probe_->throw_in_run.exchange(false)) throw std::runtime_error("a library gave up");
    if (probe_->fail_run.exchange(false)) return {Code::io, "broken"};
    if (probe_->finish) return {};
    if (probe_->hang != nullptr) probe_->hang->wait();
    return Source::run(stop);
  }
  void stop() override { ++probe_->stops; }

 private:
  std::shared_ptr<SourceProbe> probe_;
  Ingest* ingest_ = nullptr;
};

struct SinkProbe {
  std::atomic<int> turns{0};
  std::atomic<int> failures{0};  // so many turns fail
  std::atomic<bool> throw_in_turn{false};
  std::atomic<int> failing_starts{0};
  std::atomic<bool> started{false};
  std::atomic<bool> undecided{false};
  std::atomic<Outlet*> outlet{nullptr};
  std::optional<milliseconds> wake_after;
  Latch* hang = nullptr;
  Clock* clock = nullptr;
};

class ProbeSink final : public Sink {
 public:
  explicit ProbeSink(std::shared_ptr<SinkProbe> probe) : probe_(std::move(probe)) {}
  Status start() override {
    if (probe_->failing_starts > 0) {
      --probe_->failing_starts;
      return {Code::unavailable, "no folder"};
    }
    probe_->started = true;
    return {};
  }
  void stop() override { probe_->started = false; }
  Result<Turn> process(Outlet& outlet, std::stop_token) override {
    probe_->outlet = &outlet;
    ++probe_->turns;
    if (probe_->hang != nullptr) probe_->hang->wait();
    if (probe_->undecided) return Turn{.undecided = true};
    TRY_ASSIGN(Lease lease, outlet.take(100));
    if (probe_->throw_in_turn.exchange(false)) throw std::runtime_error("a library gave up");
    if (probe_->failures > 0) {
      --probe_->failures;
      return Status(Code::unavailable, "down");
    }
    TRY(lease.commit());
    Turn turn{.worked = !lease.empty()};
    if (probe_->wake_after) turn.wake_by = probe_->clock->steady_now() + *probe_->wake_after;
    return turn;
  }

 private:
  std::shared_ptr<SinkProbe> probe_;
};

class RunnerTest : public ::testing::Test {
 protected:
  RunnerTest() {
    sink_probe_->clock = &clock_;
    IngestPlan plan;
    plan.selector = make_replicating_selector(1);
    plan.channels = {{"c1", channel_}};
    ingest_ = std::make_shared<SourceIngest>(world_.environment, engine_, std::move(plan));
  }

  std::unique_ptr<SourceRunner> source(ChannelGates gates = {}) {
    return std::make_unique<SourceRunner>("r1", std::make_unique<ProbeSource>(source_probe_), ingest_,
                                          world_.environment, std::move(gates));
  }
  std::unique_ptr<SinkRunner> sink(ChannelGates gates = {}) {
    return SinkRunner::for_sink("k1", std::make_unique<ProbeSink>(sink_probe_), {"c1", channel_},
                                sink_world_.environment, std::move(gates));
  }
  static bool reaches(const Runner& runner, LifeState state) {
    return eventually([&] { return runner.health().state == state; });
  }
  void deliver(std::size_t events) { EXPECT_TRUE(ingest_->deliver(numbered(0, events)).wait().ok()); }

  VirtualClock clock_;
  testing::TestEnvironment world_{"r1", clock_, real_file_system()};
  testing::TestEnvironment sink_world_{"k1", clock_, real_file_system()};
  EngineThread engine_{clock_};
  std::shared_ptr<QueueChannel> channel_ = std::make_shared<QueueChannel>();
  std::shared_ptr<SourceIngest> ingest_;
  std::shared_ptr<SourceProbe> source_probe_ = std::make_shared<SourceProbe>();
  std::shared_ptr<SinkProbe> sink_probe_ = std::make_shared<SinkProbe>();
};

TEST_F(RunnerTest, ASourceWhoseEventNeverFitsSaysSoForAWhile) {
  channel_->most_bytes = 8;
  auto runner = source();
  runner->start();
  ASSERT_TRUE(reaches(*runner, LifeState::running));
  EXPECT_TRUE(runner->health().error.ok());
  Batch batch;
  batch.add_copy("far too large");
  EXPECT_EQ(ingest_->deliver(std::move(batch)).wait().code(), Code::poison);
  EXPECT_THAT(runner->health().error.message(), ::testing::HasSubstr("can never fit"));
  EXPECT_EQ(runner->health().state, LifeState::running);
  clock_.advance(std::chrono::seconds(30));
  EXPECT_TRUE(runner->health().error.ok());
  runner->stop();
}

TEST_F(RunnerTest, AChannelThatRunsAndTakesNothingSaysWhy) {
  ChannelRunner runner("c1", channel_, world_.environment);
  channel_->disk_full = true;
  runner.start();
  ASSERT_TRUE(reaches(runner, LifeState::running));
  EXPECT_EQ(runner.health().error.message(), "the disk is full");
  channel_->disk_full = false;
  EXPECT_TRUE(runner.health().error.ok());
}

TEST_F(RunnerTest, AFailedSourceStartIsTriedAgainEveryThreeSeconds) {
  source_probe_->failing_starts = 2;
  auto runner = source();
  runner->start();
  ASSERT_TRUE(reaches(*runner, LifeState::error));
  EXPECT_THAT(runner->health().error.message(), ::testing::HasSubstr("port taken"));
  EXPECT_EQ(source_probe_->starts, 1);
  EXPECT_TRUE(eventually([&] { return clock_.waiters() == 2; }));  // the engine thread and the runner
  clock_.advance(milliseconds(2999));
  EXPECT_EQ(source_probe_->starts, 1);
  clock_.advance(milliseconds(1));
  ASSERT_TRUE(eventually([&] { return source_probe_->starts == 2 && clock_.waiters() == 2; }));
  clock_.advance(milliseconds(3000));
  ASSERT_TRUE(reaches(*runner, LifeState::running));
  EXPECT_TRUE(runner->health().error.ok());
  EXPECT_EQ(source_probe_->stops, 2) << "stop() after each failed start";
  EXPECT_GT(world_.count(counter_names::kStartTime), 0);
  EXPECT_EQ(world_.count(counter_names::kStopTime), 0);
  EXPECT_TRUE(runner->stop());
  EXPECT_EQ(runner->health().state, LifeState::stopped);
  EXPECT_EQ(world_.count(counter_names::kStopTime), clock_.now_ms());
  EXPECT_TRUE(runner->stop()) << "legal twice";
}

TEST_F(RunnerTest, ASourceThatBreaksIsStartedAgain) {
  source_probe_->fail_run = true;
  auto runner = source();
  runner->start();
  ASSERT_TRUE(reaches(*runner, LifeState::error));
  EXPECT_TRUE(eventually([&] { return clock_.waiters() == 2; }));
  clock_.advance(milliseconds(3000));
  EXPECT_TRUE(reaches(*runner, LifeState::running));
  EXPECT_TRUE(runner->stop());
}

TEST_F(RunnerTest, ASourceThatThrowsIsStartedAgain) {
  source_probe_->throw_in_run = true;
  auto runner = source();
  runner->start();
  ASSERT_TRUE(reaches(*runner, LifeState::error));
  EXPECT_THAT(runner->health().error.message(), ::testing::HasSubstr("a library gave up"));
  EXPECT_TRUE(eventually([&] { return clock_.waiters() == 2; }));
  clock_.advance(milliseconds(3000));
  EXPECT_TRUE(reaches(*runner, LifeState::running));
  EXPECT_TRUE(runner->stop());
}

TEST_F(RunnerTest, ASinkThatThrowsLosesNothingAndIsTriedAgain) {
  sink_probe_->throw_in_turn = true;
  deliver(5);
  auto runner = sink();
  runner->start();
  ASSERT_TRUE(reaches(*runner, LifeState::error));
  EXPECT_THAT(runner->health().error.message(), ::testing::HasSubstr("a library gave up"));
  EXPECT_EQ(channel_->size(), 5);
  EXPECT_TRUE(eventually([&] { return clock_.waiters() == 2; }));
  clock_.advance(milliseconds(1000));
  EXPECT_TRUE(eventually([&] { return channel_->size() == 0; }));
  EXPECT_TRUE(reaches(*runner, LifeState::running));
  EXPECT_TRUE(runner->stop());
}

TEST_F(RunnerTest, ASourceThatIsDoneIsNotStartedAgain) {
  source_probe_->finish = true;
  auto runner = source();
  runner->start();
  ASSERT_TRUE(reaches(*runner, LifeState::finished));
  EXPECT_TRUE(runner->stop());
  EXPECT_EQ(source_probe_->starts, 1);
}

TEST_F(RunnerTest, AStoppedRunnerCanBeStartedAgain) {
  source_probe_->deliver = 3;
  auto runner = source();
  for (int i = 1; i <= 2; ++i) {
    runner->start();
    ASSERT_TRUE(eventually([&] { return channel_->size() == 3 * i; }));
    EXPECT_TRUE(runner->stop());
  }
}

TEST_F(RunnerTest, SourcesAndSinksWaitForTheirChannels) {
  channel_->fail_start({Code::io, "locked"});
  ChannelRunner channel("c1", channel_, world_.environment);
  source_probe_->deliver = 5;
  auto from = source({channel.gate()});
  auto to = sink({channel.gate()});
  from->start();
  to->start();
  channel.start();
  ASSERT_TRUE(reaches(channel, LifeState::error));
  EXPECT_EQ(from->health().state, LifeState::starting);
  EXPECT_EQ(source_probe_->starts, 0);
  EXPECT_FALSE(sink_probe_->started);
  channel_->fail_start({});
  EXPECT_TRUE(eventually([&] { return clock_.waiters() == 2; }));
  clock_.advance(milliseconds(3000));
  EXPECT_TRUE(reaches(*from, LifeState::running));
  EXPECT_TRUE(eventually([&] { return sink_probe_->started && channel_->size() == 0; }));
}

TEST_F(RunnerTest, ARunnerThatWaitsForItsChannelStops) {
  channel_->fail_start({Code::io, "locked"});
  ChannelRunner channel("c1", channel_, world_.environment);
  auto to = sink({channel.gate()});
  channel.start();
  to->start();
  ASSERT_TRUE(reaches(channel, LifeState::error));
  EXPECT_TRUE(to->stop());
  EXPECT_TRUE(channel.stop());
}

TEST_F(RunnerTest, AnIdleSinkSleepsUntilAnEventArrives) {
  auto runner = sink();
  runner->start();
  ASSERT_TRUE(eventually([&] { return sink_probe_->turns >= 1 && clock_.waiters() == 2; }));
  const int turns = sink_probe_->turns;
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(sink_probe_->turns, turns) << "an idle sink polls";
  deliver(250);
  EXPECT_TRUE(eventually([&] { return channel_->size() == 0; }));
  EXPECT_TRUE(runner->stop());
}

TEST_F(RunnerTest, AnIdleSinkIsCalledWhenItWantsToBe) {
  sink_probe_->wake_after = milliseconds(30'000);
  auto runner = sink();
  runner->start();
  for (int turn = 1; turn <= 3; ++turn) {
    ASSERT_TRUE(eventually([&] { return sink_probe_->turns == turn && clock_.waiters() == 2; }));
    clock_.advance(milliseconds(30'000));
  }
  EXPECT_TRUE(runner->stop());
}

TEST_F(RunnerTest, AnIdleSinkIsCalledWhenWhatItWaitsForIsThere) {
  auto runner = sink();
  runner->start();
  for (int turn = 1; turn <= 3; ++turn) {
    ASSERT_TRUE(eventually([&] { return sink_probe_->turns == turn && clock_.waiters() == 2; }));
    sink_probe_->outlet.load()->wake();
  }
  EXPECT_TRUE(eventually([&] { return sink_probe_->turns == 4; }));
  EXPECT_TRUE(runner->stop());
}

TEST_F(RunnerTest, AskingTheDestinationIsNoSuccess) {
  sink_probe_->failures = 2;
  auto runner = sink();
  runner->start();
  ASSERT_TRUE(eventually([&] { return sink_probe_->turns == 1 && clock_.waiters() == 2; }));
  sink_probe_->undecided = true;
  clock_.advance(milliseconds(1000));
  ASSERT_TRUE(eventually([&] { return sink_probe_->turns == 2 && clock_.waiters() == 2; }));
  EXPECT_EQ(runner->health().state, LifeState::error);
  sink_probe_->undecided = false;
  sink_probe_->outlet.load()->wake();
  ASSERT_TRUE(eventually([&] { return sink_probe_->turns == 3 && clock_.waiters() == 2; }));
  clock_.advance(milliseconds(1999));  // the second pause in a row
  EXPECT_EQ(sink_probe_->turns, 3);
  clock_.advance(milliseconds(1));
  EXPECT_TRUE(reaches(*runner, LifeState::running));
  EXPECT_TRUE(runner->stop());
}

TEST_F(RunnerTest, AFailingSinkBacksOffASecondMoreEachTimeUpToFive) {
  sink_probe_->failures = 7;
  auto runner = sink();
  runner->start();
  int turns = 1;
  for (const int pause : {1000, 2000, 3000, 4000, 5000, 5000, 5000}) {
    ASSERT_TRUE(eventually([&] { return sink_probe_->turns == turns && clock_.waiters() == 2; })) << pause;
    EXPECT_EQ(runner->health().state, LifeState::error);
    EXPECT_EQ(runner->health().error.message(), "down");
    deliver(1);  // an event does not cut the pause short
    clock_.advance(milliseconds(pause - 1));
    EXPECT_EQ(sink_probe_->turns, turns);
    clock_.advance(milliseconds(1));
    ++turns;
  }
  EXPECT_TRUE(reaches(*runner, LifeState::running));
  EXPECT_TRUE(runner->health().error.ok());
  EXPECT_TRUE(runner->stop());
}

TEST_F(RunnerTest, ASinkThatCantStartIsTriedAgain) {
  sink_probe_->failing_starts = 1;
  auto runner = sink();
  runner->start();
  ASSERT_TRUE(reaches(*runner, LifeState::error));
  EXPECT_TRUE(eventually([&] { return clock_.waiters() == 2; }));
  clock_.advance(milliseconds(3000));
  EXPECT_TRUE(reaches(*runner, LifeState::running));
  EXPECT_EQ(sink_world_.count(counter_names::kStartFail), 1);
}

TEST_F(RunnerTest, ASinkThatHangsIsAbandonedInBoundedTime) {
  static Latch latch;  // outlives the abandoned thread's need of it
  sink_probe_->hang = &latch;
  auto runner = sink();
  runner->start();
  ASSERT_TRUE(eventually([&] { return sink_probe_->turns == 1; }));
  std::jthread time([&](std::stop_token stop) {
    while (!stop.stop_requested()) clock_.advance(milliseconds(100));
  });
  EXPECT_FALSE(runner->stop());
  time.request_stop();
  time.join();
  EXPECT_EQ(runner->health().state, LifeState::abandoned);
  EXPECT_FALSE(runner->stop()) << "still";
  // Let it end before its world goes: a process would exit here.
  latch.open();
  EXPECT_TRUE(eventually([&] { return runner->stop(); }));
}

// -- the supervisor ---------------------------------------------------------------------------------------------------

TEST_F(RunnerTest, TheSupervisorStopsSourcesFirstAndDrains) {
  Supervisor supervisor(world_.log, clock_);
  ChannelRunner& channel = supervisor.add(std::make_unique<ChannelRunner>("c1", channel_, world_.environment));
  source_probe_->deliver = 1000;
  supervisor.add(source({channel.gate()}));
  supervisor.add(sink({channel.gate()}));
  supervisor.start();
  ASSERT_TRUE(eventually([&] { return sink_probe_->turns > 1; }));
  const StopReport report = supervisor.stop();
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(channel_->size(), 0);
  EXPECT_FALSE(sink_probe_->started);
  for (const ComponentHealth& component : supervisor.health()) {
    EXPECT_EQ(component.health.state, LifeState::stopped) << component.label;
  }
}

TEST_F(RunnerTest, StopWaitsUntilASlowSinkHasDrainedAll) {
  Latch latch;
  sink_probe_->hang = &latch;
  Supervisor supervisor(world_.log, clock_);
  ChannelRunner& channel = supervisor.add(std::make_unique<ChannelRunner>("c1", channel_, world_.environment));
  supervisor.add(sink({channel.gate()}));
  supervisor.start();
  deliver(250);  // three turns
  ASSERT_TRUE(eventually([&] { return sink_probe_->turns == 1; }));
  std::jthread opener([&] {
    EXPECT_TRUE(eventually([&] { return clock_.waiters() == 2; }));  // engine, and who stops
    latch.open();
  });
  EXPECT_TRUE(supervisor.stop().clean());
}

TEST_F(RunnerTest, WhatCouldNotBeDrainedInTimeIsReported) {
  Supervisor supervisor(world_.log, clock_);
  ChannelRunner& channel = supervisor.add(std::make_unique<ChannelRunner>("c1", channel_, world_.environment));
  sink_probe_->failures = 1'000'000;
  supervisor.add(sink({channel.gate()}));
  supervisor.start();
  deliver(7);
  std::jthread time([&] {
    EXPECT_TRUE(eventually([&] { return clock_.waiters() == 3; }));  // engine, back-off, drain
    clock_.advance(milliseconds(10'000));
  });
  const StopReport report = supervisor.stop();
  EXPECT_EQ(report.left_behind.at("c1"), 7);
  EXPECT_TRUE(report.abandoned.empty());
  EXPECT_TRUE(world_.log.contains("channel c1 still held 7 events"));
}

/// Durable, as long as its stop succeeds in bringing to disk what it holds.
class HalfSavedChannel final : public testing::QueueChannel {
 public:
  HalfSavedChannel() { loses_on_stop = false; }
  void stop() override { stopped_ = true; }
  std::int64_t lost_at_end() const override { return stopped_ ? size() : 0; }

 private:
  std::atomic<bool> stopped_{false};
};

TEST_F(RunnerTest, WhatAChannelCouldNotSaveWhileItStoppedIsReported) {
  const auto channel = std::make_shared<HalfSavedChannel>();
  ASSERT_TRUE(testing::put(*channel, testing::numbered_ptr(0, 5)).ok());
  Supervisor supervisor(world_.log, clock_);
  supervisor.add(std::make_unique<ChannelRunner>("c1", channel, world_.environment));
  supervisor.start();
  const StopReport report = supervisor.stop();
  EXPECT_FALSE(report.clean());
  EXPECT_EQ(report.left_behind.at("c1"), 5);
  EXPECT_TRUE(world_.log.contains("channel c1 still held 5 events in memory: they are lost"));
}

TEST_F(RunnerTest, WhatIsAddedToARunningSupervisorStartsAndWhatIsRemovedStops) {
  Supervisor supervisor(world_.log, clock_);
  supervisor.start();
  ChannelRunner& channel = supervisor.add(std::make_unique<ChannelRunner>("c1", channel_, world_.environment));
  supervisor.add(source({channel.gate()}));
  EXPECT_TRUE(reaches(*supervisor.source("r1"), LifeState::running));
  EXPECT_EQ(supervisor.sink("k1"), nullptr);
  supervisor.add(sink({channel.gate()}));
  EXPECT_TRUE(reaches(*supervisor.sink("k1"), LifeState::running));
  deliver(5);
  EXPECT_TRUE(supervisor.drain(*channel_, clock_.steady_now() + std::chrono::seconds(10)));
  EXPECT_EQ(supervisor.remove_source("r1"), "");
  EXPECT_EQ(supervisor.remove_sink("k1"), "");
  EXPECT_EQ(supervisor.remove_sink("k1"), "");
  EXPECT_EQ(supervisor.remove_channel("c1"), "");
  EXPECT_TRUE(supervisor.health().empty());
}

}  // namespace
}  // namespace standpipe

#include "contract/processor_contract.h"

#include <condition_variable>
#include <map>
#include <thread>
namespace standpipe::testing {
namespace {

using std::chrono::milliseconds;

/// Flume's failover: 2 s, 4 s, 8 s …, from the beginning after a delivery.
class FailoverPauses final : public PauseRule {
 public:
  explicit FailoverPauses(milliseconds most) : most_(most) {}
  milliseconds failed(Clock::Steady) override {
    next_ = std::min(2 * next_, most_);
    return next_;
  }
  void delivered() override { next_ = milliseconds(1000); }

 private:
  const milliseconds most_;
  milliseconds next_{1000};
};

/// Flume's load balancing: the same, from the beginning only after an hour without a failure.
class SeriesPauses final : public PauseRule {
 public:
  explicit SeriesPauses(milliseconds most) : most_(most) {}
  milliseconds failed(Clock::Steady now) override {
    if (now >= end_ + std::chrono::hours(1)) next_ = milliseconds(1000);
    next_ = std::min(2 * next_, most_);
    end_ = now + next_;
    return next_;
  }

 private:
  const milliseconds most_;
  milliseconds next_{1000};
  Clock::Steady end_{};
};

constexpr milliseconds kMost{10'000};

template <typename Rule>
std::function<std::unique_ptr<PauseRule>()> pauses() {
  return [] { return std::make_unique<Rule>(kMost); };
}

const ProcessorUnderTest kAll[] = {
    {.type = "default", .settings = {}, .sinks = 1, .preferred = 0},
    {.type = "failover",
     .settings = {{"priority.k1", "5"}, {"priority.k2", "10"}, {"priority.k3", "1"}, {"maxpenalty", "10000"}},
     .rule = pauses<FailoverPauses>(),
     .preferred = 1,
     .longest_pause = kMost},
    {.type = "load_balance", .settings = {}},
    {.type = "load_balance", .settings = {{"selector", "random"}}},
    {.type = "load_balance",
     .settings = {{"backoff", "true"}, {"selector.maxTimeOut", "10000"}},
     .rule = pauses<SeriesPauses>(),
     .longest_pause = kMost},
    {.type = "load_balance",
     .settings = {{"selector", "random"}, {"backoff", "true"}, {"selector.maxTimeOut", "10000"}},
     .rule = pauses<SeriesPauses>(),
     .longest_pause = kMost},
};

std::string name_of(const ::testing::TestParamInfo<ProcessorUnderTest>& info) {
  std::string name = info.param.type;
  if (info.param.settings.contains("selector")) name += "_random";
  if (info.param.settings.contains("backoff")) name += "_backoff";
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ProcessorContract, ::testing::ValuesIn(kAll), name_of);

/// Calls back at its time, on a thread of its own: the network loop that brings answers.
class Alarm {
 public:
  Alarm() : thread_([this](std::stop_token stop) { run(stop); }) {}

  void at(Clock::Steady when, std::function<void()> call) {
    std::lock_guard lock(mutex_);
    calls_.emplace(when, std::move(call));
    changed_.notify_all();
  }

 private:
  void run(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      if (calls_.empty()) {
        changed_.wait(lock, stop, [this] { return !calls_.empty(); });
        continue;
      }
      const auto next = calls_.begin()->first;
      if (std::chrono::steady_clock::now() < next) {
        changed_.wait_until(lock, stop, next, [&] { return calls_.begin()->first < next; });
        continue;
      }
      const auto call = calls_.extract(calls_.begin()).mapped();
      lock.unlock();
      call();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<Clock::Steady, std::function<void()>> calls_;
  std::jthread thread_;
};

/// A thousand times as fast as time passes, so that pauses and answers take milliseconds.
class HurriedClock final : public Clock {
 public:
  std::int64_t now_ms() override { return system_.now_ms(); }
  Steady steady_now() override { return began_ + kHurry * (system_.steady_now() - began_); }
  bool wait_until(Lock& lock, std::condition_variable_any& changed, std::stop_token stop, Steady deadline,
                  const std::function<bool()>& ready) override {
    return system_.wait_until(lock, changed, stop, deadline == Steady::max() ? deadline : real(deadline), ready);
  }
  Steady real(Steady hurried) const { return began_ + (hurried - began_) / kHurry; }

 private:
  static constexpr int kHurry = 1000;
  SystemClock system_;
  const Steady began_ = system_.steady_now();
};

/// Under a real runner, with answers from another thread: nobody may sleep through one.
class ProcessorUnderARunner : public ProcessorContract {};

TEST_P(ProcessorUnderARunner, LosesNothingAndSleepsThroughNoAnswer) {
  const std::uint64_t seed = first_seed();
  SCOPED_TRACE("STANDPIPE_SEED=" + std::to_string(seed));
  random_.seed(seed);
  HurriedClock clock;
  TestEnvironment world("g1", clock, real_file_system());
  channel_ = std::make_shared<QueueChannel>();
  ledger_ = std::make_unique<EventLedger>();
  auto alarm = std::make_unique<Alarm>();
  const auto wake = [&](Outlet& outlet, Clock::Steady when) { alarm->at(clock.real(when), [&] { outlet.wake(); }); };
  SinkRunner runner("g1", make_group({clock, *ledger_, wake}, seed, world), world.environment);
  runner.start();
  for (int spell = 0; spell < 50; ++spell) {
    for (FickleSink* sink : sinks_) sink->set_mood(draw_mood());
    fill(1 + random_() % 20);
    const std::size_t turns = sinks_[0]->turns();
    EXPECT_TRUE(eventually([&] { return sinks_[0]->turns() > turns || channel_->size() == 0; }));
  }
  set_moods(Mood::well_later());
  EXPECT_TRUE(eventually([&] { return channel_->size() == 0; })) << channel_->size() << " events are left";
  EXPECT_TRUE(runner.stop());
  alarm = nullptr;  // it wakes nobody any more
  expect_all_well();
}

INSTANTIATE_TEST_SUITE_P(All, ProcessorUnderARunner, ::testing::ValuesIn(kAll), name_of);

}  // namespace
}  // namespace standpipe::testing

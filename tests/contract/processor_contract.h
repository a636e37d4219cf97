#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/sink_runner.h"
#include "support/engine_parts.h"
#include "support/fickle_sink.h"
#include "support/queue_channel.h"
#include "support/test_environment.h"

namespace standpipe::testing {

/// One rule for the sinks of a group, with the pauses it promises.
struct ProcessorUnderTest {
  std::string type;
  Settings::Map settings;
  std::size_t sinks = 3;
  /// The pauses after a sink's failures; null: none.
  std::function<std::unique_ptr<PauseRule>()> rule = [] { return nullptr; };
  /// The sink that does all the work while all are well; none: each of them some.
  std::optional<std::size_t> preferred = std::nullopt;
  /// The longest of the pauses.
  std::chrono::milliseconds longest_pause{0};
};

inline void PrintTo(const ProcessorUnderTest& processor, std::ostream* out) { *out << processor.type; }

/// What every sink processor must do with sinks that fail at once, fail late, hang and take part of a batch: nothing
/// lost, nothing twice unless its delivery was undecided, the oldest events first, whoever failed left alone for as
/// long as was promised, and no turn without a reason. A test drives the group as a runner does, on a virtual clock;
/// its sinks and their ledger look for what must not be (support/fickle_sink.h).
class ProcessorContract : public ::testing::TestWithParam<ProcessorUnderTest> {
 protected:
  static std::uint64_t first_seed() {
    const char* given = std::getenv("STANDPIPE_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }

  static std::string name_of_sink(std::size_t index) { return "k" + std::to_string(index + 1); }

  bool alone() const { return GetParam().sinks == 1; }

  /// A group of new sinks on a new channel.
  void begin(std::uint64_t seed) {
    world_ = std::make_unique<TestEnvironment>("g1", clock_, real_file_system());
    group_ = nullptr;
    random_.seed(seed);
    channel_ = std::make_shared<QueueChannel>();
    channel_->add_event_waker(bell_);
    ledger_ = std::make_unique<EventLedger>();
    group_ = make_group({clock_, *ledger_}, seed, *world_);
    ASSERT_TRUE(group_->start().ok());
    failures_in_a_row_ = 0;
  }

  std::unique_ptr<SinkProcessor> make_group(const FickleSink::World& world, std::uint64_t seed, TestEnvironment& test) {
    sinks_.clear();
    GroupMembers members;
    for (std::size_t i = 0; i < GetParam().sinks; ++i) {
      std::string name = name_of_sink(i);
      auto sink = std::make_unique<FickleSink>(name, world, GetParam().rule(), seed * 31 + i);
      sinks_.push_back(sink.get());
      members.push_back(std::make_unique<GroupMember>(std::move(name), std::move(sink), NamedChannel{"c1", channel_},
                                                      test.environment));
    }
    const ComponentInfo& info = *find_component(sink_processor_infos(), ComponentKind::sink_processor, GetParam().type);
    return make_sink_processor(Settings::parse(info, GetParam().settings).value(), std::move(members), test.log,
                               test.environment.clock)
        .value();
  }

  void set_moods(const Mood& mood) {
    for (FickleSink* sink : sinks_) sink->set_mood(mood);
  }

  void fill(std::size_t events) {
    const std::size_t first = ledger_->put_so_far();
    ledger_->put(events);
    ASSERT_TRUE(put(*channel_, numbered_ptr(first, events)).ok());
  }

  /// One turn and the wait after it, as the runner's. `until`: somebody else wakes it then.
  void turn(Clock::Steady until) {
    const std::size_t before = ledger_->changes();
    bell_.rung = false;
    const Result<Turn> turn = group_->process({});
    ++turns_;
    look_for_spinning();
    if (!turn.ok()) {
      failures_in_a_row_ = std::min(failures_in_a_row_ + 1, 5);
      clock_.advance(std::chrono::seconds(failures_in_a_row_));
      return;
    }
    if (!turn->undecided) failures_in_a_row_ = 0;
    if (turn->worked) {
      if (ledger_->changes() == before) ledger_->complain("a turn that did nothing says that it worked");
      return;
    }
    wait(*turn, until);
  }

  void look_for_spinning() {
    const std::pair now{clock_.steady_now(), ledger_->arrivals().size()};
    in_vain_ = now == last_ ? in_vain_ + 1 : 0;
    last_ = now;
    if (in_vain_ > 3 * GetParam().sinks) ledger_->complain("it is called again and again, and nothing arrives");
  }

  void wait(const Turn& turn, Clock::Steady until) {
    if (bell_.rung) return;
    if (turn.wake_by.has_value()) until = std::min(until, *turn.wake_by);
    for (const FickleSink* sink : sinks_) until = std::min(until, sink->next_answer().value_or(until));
    if (until == Clock::Steady::max()) return ledger_->complain("nobody will ever call it again");
    if (until <= clock_.steady_now()) return ledger_->complain("it wants to be called again with nothing to do");
    clock_.advance(std::chrono::ceil<std::chrono::milliseconds>(until - clock_.steady_now()));
  }

  /// Turns until that time, or until something is wrong.
  void turn_until(Clock::Steady end) {
    while (clock_.steady_now() < end && fine()) turn(end);
  }

  /// Turns until the channel is empty; not for longer than a well group may take.
  void drain() {
    // Whoever hangs is given up first, and whoever failed on the way has a pause before it is tried.
    const auto patience = std::chrono::minutes(2) + 2 * GetParam().longest_pause +
                          static_cast<int>(ledger_->put_so_far()) * FickleSink::kLatestAnswer;  // one event at a time
    const Clock::Steady end = clock_.steady_now() + patience;
    while (channel_->size() > 0 && fine()) {
      ASSERT_LT(clock_.steady_now(), end) << channel_->size() << " events are still there";
      turn(Clock::Steady::max());
    }
  }

  bool fine() const { return ledger_->complaints().empty(); }

  void expect_all_well() {
    EXPECT_THAT(ledger_->complaints(), ::testing::IsEmpty());
    EXPECT_TRUE(ledger_->all_committed());
    EXPECT_EQ(channel_->size(), 0);
  }

  /// Weather: what the destinations are like for a while.
  Mood draw_mood() {
    const Mood moods[] = {Mood::well_at_once(), Mood::well_later(), Mood::fails_at_once(),
                          Mood::fickle(),       Mood::fickle(),     Mood::gone()};
    Mood mood = moods[random_() % std::size(moods)];
    mood.lets_go = alone() || random_() % 2 == 0;  // nobody takes its leases from a sink that is alone
    return mood;
  }

  /// Events were put, or came back.
  struct Bell final : Waker {
    void wake() override { rung = true; }
    bool rung = false;
  };

  VirtualClock clock_;
  Bell bell_;
  std::unique_ptr<TestEnvironment> world_;
  std::mt19937_64 random_;
  std::shared_ptr<QueueChannel> channel_;
  std::unique_ptr<EventLedger> ledger_;
  std::vector<FickleSink*> sinks_;
  std::unique_ptr<SinkProcessor> group_;
  int failures_in_a_row_ = 0;
  std::size_t turns_ = 0;
  std::size_t in_vain_ = 0;
  std::pair<Clock::Steady, std::size_t> last_;
};

TEST_P(ProcessorContract, LosesNothingAndRepeatsOnlyWhatWasUndecided) {
  constexpr std::size_t kLives = 40;
  std::size_t duplicates = 0;
  for (std::uint64_t seed = first_seed(), last = seed + kLives; seed < last; ++seed) {
    SCOPED_TRACE("STANDPIPE_SEED=" + std::to_string(seed));
    begin(seed);
    for (int spell = 0; spell < 30 && fine(); ++spell) {
      for (FickleSink* sink : sinks_) {
        if (random_() % 3 == 0) sink->set_mood(draw_mood());
      }
      fill(1 + random_() % 20);
      turn_until(clock_.steady_now() + std::chrono::milliseconds(1 + random_() % 15'000));
    }
    set_moods(random_() % 2 == 0 ? Mood::well_at_once() : Mood::well_later());
    drain();
    expect_all_well();
    duplicates += ledger_->duplicates();
    if (HasFailure()) return;
  }
  EXPECT_GT(duplicates, 0u) << "nothing was ever undecided: the sinks did not do what they are for";
}

TEST_P(ProcessorContract, KeepsTheOrderWhileSinksFailAtOnce) {
  const std::uint64_t seed = first_seed();
  SCOPED_TRACE("STANDPIPE_SEED=" + std::to_string(seed));
  begin(seed);
  set_moods(Mood::fails_at_once());
  fill(500);
  drain();
  expect_all_well();
  const std::vector<std::size_t> arrivals = ledger_->arrivals();
  EXPECT_EQ(arrivals.size(), 500u) << "some came twice";
  EXPECT_TRUE(std::is_sorted(arrivals.begin(), arrivals.end()));
}

TEST_P(ProcessorContract, OutlastsAnOutageOfAllSinks) {
  begin(1);
  set_moods(Mood::gone());
  fill(100);
  turn_until(clock_.steady_now() + std::chrono::hours(1));
  EXPECT_LT(turns_, 3600u / 4) << "5 s between turns, after the first ones";
  EXPECT_EQ(channel_->size(), 100);
  set_moods(Mood::well_at_once());
  drain();
  expect_all_well();
  EXPECT_EQ(ledger_->duplicates(), 0u);
}

TEST_P(ProcessorContract, RestsWhileThereIsNothingToDo) {
  begin(1);
  set_moods(Mood::well_at_once());
  turn_until(clock_.steady_now() + std::chrono::hours(1));
  EXPECT_LE(turns_, 2u);
  if (alone()) return;
  sinks_[GetParam().preferred.value_or(0)]->set_mood(Mood::gone());
  const std::size_t before = turns_;
  turn_until(clock_.steady_now() + std::chrono::hours(1));
  EXPECT_LE(turns_ - before, 3600u / 4) << "for the sake of one that is gone";
  EXPECT_THAT(ledger_->complaints(), ::testing::IsEmpty());
}

TEST_P(ProcessorContract, DoesNotSpinOnASinkThatRefusesWhileTheOthersWait) {
  begin(1);
  set_moods({.says_nothing = 1});
  sinks_[0]->set_mood({.refuses = 1});
  fill(100);
  turn_until(clock_.steady_now() + std::chrono::minutes(10));
  EXPECT_THAT(ledger_->complaints(), ::testing::IsEmpty());
  set_moods(Mood::well_later());
  drain();
  expect_all_well();
}

TEST_P(ProcessorContract, UsesTheRightSinksWhenAllAreWellAgain) {
  begin(1);
  set_moods(Mood::gone());
  fill(10);
  turn_until(clock_.steady_now() + std::chrono::minutes(10));
  set_moods(Mood::well_at_once());
  drain();
  turn_until(clock_.steady_now() + GetParam().longest_pause);
  fill(1);  // a trial for whoever waits for one
  drain();
  std::vector<std::size_t> before;
  for (std::size_t i = 0; i < sinks_.size(); ++i) before.push_back(ledger_->arrivals_at(name_of_sink(i)));
  fill(300);
  drain();
  expect_all_well();
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    const std::size_t arrived = ledger_->arrivals_at(name_of_sink(i)) - before[i];
    if (!GetParam().preferred.has_value())
      EXPECT_GT(arrived, 0u) << "sink " << i + 1;
    else
      EXPECT_EQ(arrived, i == *GetParam().preferred ? 300u : 0u) << "sink " << i + 1;
  }
}

TEST_P(ProcessorContract, StopsInAnyStateAndGoesOnAfterwards) {
  const std::uint64_t seed = first_seed();
  SCOPED_TRACE("STANDPIPE_SEED=" + std::to_string(seed));
  begin(seed);
  group_->stop();
  group_->stop();
  ASSERT_TRUE(group_->start().ok());
  for (int life = 0; life < 20 && fine(); ++life) {
    for (FickleSink* sink : sinks_) sink->set_mood(draw_mood());
    fill(20);
    turn_until(clock_.steady_now() + std::chrono::seconds(random_() % 10));
    group_->stop();
    const Lease all = channel_->take(1'000'000).value();
    EXPECT_EQ(static_cast<std::int64_t>(all.size()), channel_->size()) << "a stopped sink holds events";
    ASSERT_TRUE(group_->start().ok());
  }
  set_moods(Mood::well_later());
  drain();
  expect_all_well();
}

}  // namespace standpipe::testing

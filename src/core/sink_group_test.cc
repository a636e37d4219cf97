#include "core/sink_group.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_parts.h"
#include "support/queue_channel.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::numbered_ptr;
using testing::put;
using testing::QueueChannel;

/// One event a turn; keeps what a test wants to know in the struct that outlives it.
struct Probe {
  Status failure;
  Status start_failure;
  bool keep_leases = false;  // leaves its leases open and settles them in the next turn
  bool silent = false;       // has asked its destination, and there is no answer: takes one event and keeps it
  int turns = 0;
  int starts = 0;
  std::vector<std::string> written;
  std::vector<Lease> open;
  std::vector<Code> late_commits;
  std::optional<Clock::Steady> wake_by;
};

class ProbeSink final : public Sink {
 public:
  explicit ProbeSink(Probe& probe) : probe_(probe) {}
  Status start() override {
    ++probe_.starts;
    return probe_.start_failure;
  }
  void stop() override { probe_.open.clear(); }
  Result<Turn> process(Outlet& outlet, std::stop_token) override {
    ++probe_.turns;
    if (probe_.silent) return wait_for_answer(outlet);
    if (!probe_.failure.ok() && !probe_.keep_leases) probe_.open.clear();
    for (Lease& lease : probe_.open) probe_.late_commits.push_back(lease.commit().code());
    probe_.open.clear();
    TRY_ASSIGN(Lease lease, outlet.take(1));
    if (!probe_.failure.ok()) {
      if (probe_.keep_leases && !lease.empty()) probe_.open.push_back(std::move(lease));
      return probe_.failure;
    }
    Turn turn{.worked = !lease.empty(), .wake_by = probe_.wake_by};
    if (lease.empty()) return turn;
    probe_.written.emplace_back(lease[0].body);
    if (probe_.keep_leases)
      probe_.open.push_back(std::move(lease));
    else
      TRY(lease.commit());
    return turn;
  }

 private:
  Result<Turn> wait_for_answer(Outlet& outlet) {
    if (probe_.open.empty()) {
      TRY_ASSIGN(Lease lease, outlet.take(1));
      if (!lease.empty()) probe_.open.push_back(std::move(lease));
    }
    return Turn{.wake_by = probe_.wake_by, .undecided = true};
  }

  Probe& probe_;
};

class SinkGroupTest : public ::testing::Test {
 protected:
  std::unique_ptr<GroupMember> member(std::string name, Probe& probe) {
    return std::make_unique<GroupMember>(std::move(name), std::make_unique<ProbeSink>(probe),
                                         NamedChannel{"c1", channel_}, world_.environment);
  }

  Result<std::unique_ptr<SinkProcessor>> make(std::string_view type, Settings::Map values, int members = 2) {
    GroupMembers all;
    if (members > 0) all.push_back(member("k1", a_));
    if (members > 1) all.push_back(member("k2", b_));
    const ComponentInfo& info = *find_component(sink_processor_infos(), ComponentKind::sink_processor, type);
    return make_sink_processor(Settings::parse(info, std::move(values)).value(), std::move(all), world_.log, clock_);
  }

  void fill(std::size_t events) {
    ASSERT_TRUE(put(*channel_, numbered_ptr(next_, events)).ok());
    next_ += events;
  }

  VirtualClock clock_;
  testing::TestEnvironment world_{"g1", clock_, real_file_system()};
  std::shared_ptr<QueueChannel> channel_ = std::make_shared<QueueChannel>();
  Probe a_;
  Probe b_;
  std::size_t next_ = 0;
};

TEST_F(SinkGroupTest, RefusesWrongNumbersOfSinks) {
  EXPECT_THAT(make("default", {}).status().message(), HasSubstr("choose failover or load_balance"));
  EXPECT_EQ(make("load_balance", {}, 1).status().code(), Code::invalid);
  EXPECT_EQ(make("failover", {}, 0).status().code(), Code::invalid);
  EXPECT_TRUE(make("default", {}, 1).ok());
}

TEST_F(SinkGroupTest, FailoverUsesTheLargestPriority) {
  auto group = make("failover", {{"priority.k1", "5"}, {"priority.k2", "10"}}).value();
  ASSERT_TRUE(group->start().ok());
  fill(2);
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_TRUE(a_.written.empty());
  EXPECT_THAT(b_.written, ElementsAre("0", "1"));
}

TEST_F(SinkGroupTest, FailoverWithoutPrioritiesGoesInOrder) {
  auto group = make("failover", {}).value();
  fill(1);
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_THAT(a_.written, ElementsAre("0"));
}

TEST_F(SinkGroupTest, AFailedSinkIsRetriedWithDoublingPenalties) {
  auto group = make("failover", {{"maxpenalty", "5000"}}).value();
  a_.failure = {Code::unavailable, "down"};
  for (const int penalty_s : {2, 4, 5, 5}) {
    fill(3);
    const int tried = a_.turns;
    EXPECT_TRUE(group->process({})->worked);
    EXPECT_EQ(a_.turns, tried + 1);
    clock_.advance(std::chrono::seconds(penalty_s) - milliseconds(1));
    EXPECT_TRUE(group->process({})->worked);
    EXPECT_EQ(a_.turns, tried + 1) << "tried too early";
    clock_.advance(milliseconds(1));
  }
  a_.failure = {};
  fill(2);
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_EQ(a_.written.size(), 2u);
}

TEST_F(SinkGroupTest, PenaltiesNeverOverflow) {
  auto group = make("failover", {}).value();
  a_.failure = {Code::unavailable, "down"};
  for (int i = 0; i < 70; ++i) {
    fill(2);
    EXPECT_TRUE(group->process({}).ok());
    const int tried = a_.turns;
    EXPECT_TRUE(group->process({}).ok());
    EXPECT_EQ(a_.turns, tried) << "failure " << i << ": no pause";
    clock_.advance(std::chrono::seconds(30));
  }
}

TEST_F(SinkGroupTest, AnIdleSinkOnTrialLeavesTheTurnToTheStandby) {
  auto group = make("failover", {}).value();
  a_.failure = {Code::unavailable, "down"};
  fill(1);
  EXPECT_TRUE(group->process({})->worked);
  a_.failure = {};
  clock_.advance(std::chrono::seconds(3));
  const int before = b_.turns;
  EXPECT_FALSE(group->process({})->worked);
  EXPECT_EQ(b_.turns, before + 1);
}

TEST_F(SinkGroupTest, LeasesOfAFailedSinkGoBackBeforeTheStandbyTakesOver) {
  auto group = make("failover", {}).value();
  a_.keep_leases = true;
  a_.failure = {Code::timeout, "hangs"};
  fill(1);
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_THAT(b_.written, ElementsAre("0"));
  ASSERT_EQ(a_.open.size(), 1u);
  // The late acknowledgement is refused, and shows as a duplicate.
  EXPECT_EQ(a_.open[0].commit().code(), Code::fenced);
  clock_.advance(std::chrono::seconds(3));
  (void)group->process({}).ok();
  EXPECT_EQ(world_.count(counter_names::kDuplicate), 1);
  EXPECT_EQ(channel_->size(), 0);
}

TEST_F(SinkGroupTest, AllFailedIsAFailure) {
  auto group = make("failover", {}).value();
  a_.failure = {Code::unavailable, "down"};
  b_.failure = {Code::unavailable, "down too"};
  fill(1);
  EXPECT_THAT(group->process({}).status().message(), HasSubstr("down too"));
  EXPECT_THAT(group->process({}).status().message(), HasSubstr("waits to be tried again"));
  EXPECT_EQ(channel_->size(), 1);
}

TEST_F(SinkGroupTest, AStartThatNobodyManagesLeavesNobodyOut) {
  a_.start_failure = {Code::unavailable, "no way"};
  b_.start_failure = {Code::unavailable, "neither"};
  auto group = make("failover", {}).value();
  for (int i = 0; i < 5; ++i) EXPECT_THAT(group->start().message(), HasSubstr("no way"));
  a_.start_failure = b_.start_failure = {};
  ASSERT_TRUE(group->start().ok());
  fill(1);
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_THAT(a_.written, ElementsAre("0"));
}

TEST_F(SinkGroupTest, AnUnansweredTrialHoldsUpNobodyAndOneBatchAtMost) {
  auto group = make("failover", {}).value();
  a_.failure = {Code::unavailable, "down"};
  fill(6);
  EXPECT_TRUE(group->process({})->worked);
  a_.failure = {};
  a_.silent = true;  // connected, and no answer
  clock_.advance(std::chrono::seconds(2));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(group->process({})->worked);
  EXPECT_THAT(b_.written, ElementsAre("0", "2", "3", "4"));
  a_.silent = false;
  a_.failure = {Code::timeout, "no answer"};
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_THAT(b_.written, ElementsAre("0", "2", "3", "4", "1"));
}

TEST_F(SinkGroupTest, WhileAllAreOnTrialEachIsAskedInItsTime) {
  auto group = make("failover", {}).value();
  a_.failure = b_.failure = {Code::unavailable, "down"};
  fill(2);
  EXPECT_FALSE(group->process({}).ok());
  a_.failure = {};
  a_.silent = true;
  clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(group->process({}).ok());
  clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(group->process({})->undecided) << "k1 has the event, k2 failed once more";
  const auto turn = group->process({});
  EXPECT_EQ(turn->wake_by, clock_.steady_now() + std::chrono::seconds(4)) << "k2 must not wait for k1's answer";
  b_.failure = {};
  clock_.advance(std::chrono::seconds(4));
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_THAT(b_.written, ElementsAre("1"));
}

TEST_F(SinkGroupTest, AGroupThatWaitsForAnAnswerComesBackWhenAnotherMayBeTried) {
  auto group = make("failover", {}).value();
  a_.failure = {Code::unavailable, "down"};
  b_.silent = true;
  b_.wake_by = clock_.steady_now() + std::chrono::seconds(20);
  fill(2);
  const auto turn = group->process({});
  ASSERT_TRUE(turn.ok());
  EXPECT_TRUE(turn->undecided);
  EXPECT_EQ(turn->wake_by, clock_.steady_now() + std::chrono::seconds(2));
  clock_.advance(std::chrono::seconds(2));
  a_.failure = {};
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_THAT(a_.written, ElementsAre("1"));
}

TEST_F(SinkGroupTest, ASinkThatIsDownIsToldOfFiveTimesAndThenOnceAMinute) {
  auto group = make("load_balance", {}).value();
  a_.failure = {Code::unavailable, "down"};
  fill(1000);
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(group->process({})->worked);
  const auto told = [&] {
    const auto lines = world_.log.lines();
    return std::count_if(lines.begin(), lines.end(),
                         [](const std::string& line) { return line.find("sink k1 failed") != std::string::npos; });
  };
  EXPECT_EQ(told(), 5);
  EXPECT_FALSE(world_.log.contains("works again"));
  for (int i = 0; i < 200; ++i) {  // every second of them tries k1
    clock_.advance(std::chrono::seconds(1));
    EXPECT_TRUE(group->process({})->worked);
  }
  EXPECT_EQ(told(), 8);
  a_.failure = {};
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_TRUE(world_.log.contains("sink k1 works again"));
}

TEST_F(SinkGroupTest, ALoadBalanceGroupWaitsForAllThatWereAsked) {
  auto group = make("load_balance", {}).value();
  a_.silent = b_.silent = true;
  fill(2);
  const auto turn = group->process({});
  ASSERT_TRUE(turn.ok());
  EXPECT_FALSE(turn->worked);
  EXPECT_TRUE(turn->undecided) << "of a group that failed before this would be no success";
}

TEST_F(SinkGroupTest, WhoFailsWhileTheOthersWaitForAnswersRests) {
  for (const std::string type : {"load_balance", "failover"}) {
    a_ = Probe();
    b_ = Probe();
    auto group = make(type, type == "failover" ? Settings::Map{{"maxpenalty", "0"}} : Settings::Map{}).value();
    a_.failure = {Code::unavailable, "down"};
    b_.silent = true;
    fill(3);
    // What k1 gives back would call for the next turn, and that one for the next.
    EXPECT_EQ(group->process({})->wake_by, clock_.steady_now() + std::chrono::seconds(1));
    EXPECT_TRUE(group->process({}).ok());
    EXPECT_EQ(a_.turns, 1);
    clock_.advance(std::chrono::seconds(1));
    EXPECT_EQ(group->process({})->wake_by, clock_.steady_now() + std::chrono::seconds(2));
    EXPECT_EQ(a_.turns, 2);
    group->stop();
  }
}

TEST_F(SinkGroupTest, LoadBalanceComesBackWhenASinkMayBeTriedAgain) {
  auto group = make("load_balance", {{"backoff", "true"}}).value();
  a_.failure = {Code::unavailable, "down"};
  b_.silent = true;
  fill(2);
  const auto turn = group->process({});
  ASSERT_TRUE(turn.ok());
  EXPECT_EQ(turn->wake_by, clock_.steady_now() + std::chrono::seconds(2));
}

TEST_F(SinkGroupTest, FailuresWithinAnHourAddUpUnderLoadBalance) {
  auto group = make("load_balance", {{"backoff", "true"}}).value();
  const auto fails_once = [&] {
    a_.failure = {Code::unavailable, "down"};
    const int before = a_.turns;
    while (a_.turns == before) {
      fill(1);
      EXPECT_TRUE(group->process({})->worked);
    }
    a_.failure = {};
  };
  const auto is_left_out = [&] {
    fill(2);
    const int before = a_.turns;
    EXPECT_TRUE(group->process({})->worked);
    EXPECT_TRUE(group->process({})->worked);
    return a_.turns == before;
  };
  fails_once();
  clock_.advance(std::chrono::seconds(2));
  EXPECT_FALSE(is_left_out());  // it delivers; which does not make the series end
  clock_.advance(std::chrono::minutes(59));
  fails_once();
  clock_.advance(std::chrono::seconds(3));
  EXPECT_TRUE(is_left_out()) << "the second of a series: 4 s";
  clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(is_left_out());
  clock_.advance(std::chrono::hours(1));
  fails_once();
  clock_.advance(std::chrono::seconds(2));
  EXPECT_FALSE(is_left_out()) << "the first of a new series: 2 s";
}

TEST_F(SinkGroupTest, ASinkThatCantStartIsAFailedOne) {
  a_.start_failure = {Code::unavailable, "no way"};
  auto group = make("failover", {}).value();
  EXPECT_TRUE(group->start().ok());
  fill(1);
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_THAT(b_.written, ElementsAre("0"));
  a_.start_failure = {};
  clock_.advance(std::chrono::seconds(3));
  fill(1);
  EXPECT_TRUE(group->process({})->worked);
  EXPECT_THAT(a_.written, ElementsAre("1"));
}

TEST_F(SinkGroupTest, LoadBalanceTakesTurns) {
  auto group = make("load_balance", {}).value();
  fill(4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(group->process({})->worked);
  EXPECT_THAT(a_.written, ElementsAre("0", "2"));
  EXPECT_THAT(b_.written, ElementsAre("1", "3"));
}

TEST_F(SinkGroupTest, LoadBalanceSharesATrickle) {
  auto group = make("load_balance", {}).value();
  for (int i = 0; i < 4; ++i) {
    fill(1);
    EXPECT_TRUE(group->process({})->worked);
    EXPECT_FALSE(group->process({})->worked);
  }
  EXPECT_EQ(a_.written.size(), 2u);
  EXPECT_EQ(b_.written.size(), 2u);
}

TEST_F(SinkGroupTest, LoadBalanceWithoutBackoffTriesAFailedSinkEveryTime) {
  auto group = make("load_balance", {}).value();
  a_.failure = {Code::unavailable, "down"};
  fill(4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(group->process({})->worked);
  EXPECT_EQ(a_.turns, 2);
  EXPECT_EQ(b_.written.size(), 4u);
}

TEST_F(SinkGroupTest, LoadBalanceWithBackoffLeavesAFailedSinkOut) {
  auto group = make("load_balance", {{"backoff", "true"}, {"selector.maxTimeOut", "3000"}}).value();
  a_.failure = {Code::unavailable, "down"};
  fill(20);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(group->process({})->worked);
  EXPECT_EQ(a_.turns, 1);
  clock_.advance(milliseconds(2000));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(group->process({})->worked);
  EXPECT_EQ(a_.turns, 2);
  clock_.advance(milliseconds(2999));  // 4 s, cut to 3
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(group->process({})->worked);
  EXPECT_EQ(a_.turns, 2);
  clock_.advance(milliseconds(1));
  a_.failure = {};
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(group->process({})->worked);
  EXPECT_EQ(a_.written.size(), 1u);
}

TEST_F(SinkGroupTest, RandomUsesEverySink) {
  auto group = make("load_balance", {{"selector", "random"}}).value();
  fill(200);
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(group->process({})->worked);
  EXPECT_GT(a_.written.size(), 50u);
  EXPECT_GT(b_.written.size(), 50u);
}

TEST_F(SinkGroupTest, AStandbyWithSomethingOpenIsTendedAndTakesNothing) {
  auto group = make("failover", {}).value();
  a_.failure = {Code::unavailable, "down"};
  b_.keep_leases = true;
  fill(3);
  EXPECT_TRUE(group->process({})->worked);  // k2 has a lease open
  a_.failure = {};
  clock_.advance(std::chrono::seconds(3));
  EXPECT_TRUE(group->process({})->worked);  // k1 is back; k2 settles
  EXPECT_THAT(a_.written, ElementsAre("1"));
  EXPECT_THAT(b_.written, ElementsAre("0")) << "the standby took more";
  EXPECT_THAT(b_.late_commits, ElementsAre(Code::ok));
  EXPECT_EQ(channel_->size(), 1);
}

TEST_F(SinkGroupTest, TheEarliestWishOfAnyMemberIsHeard) {
  auto group = make("failover", {}).value();
  b_.wake_by = clock_.steady_now() + std::chrono::minutes(5);
  a_.failure = {Code::unavailable, "down"};
  fill(1);
  EXPECT_TRUE(group->process({}).ok());
  a_.failure = {};
  clock_.advance(std::chrono::seconds(3));
  fill(1);
  const auto turn = group->process({});
  ASSERT_TRUE(turn.ok());
  EXPECT_EQ(turn->wake_by, b_.wake_by);
}

}  // namespace
}  // namespace standpipe

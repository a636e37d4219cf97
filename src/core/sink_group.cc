#include "core/sink_group.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "core/runner_body.h"

namespace standpipe {

namespace {

using std::chrono::milliseconds;

// -- tables -----------------------------------------------------------------------------------------------------------

constexpr std::string_view kDefaultClasses[] = {"org.apache.flume.sink.DefaultSinkProcessor"};
constexpr ComponentInfo kDefault{.kind = ComponentKind::sink_processor,
                                 .name = "default",
                                 .class_names = kDefaultClasses,
                                 .summary = "One sink alone."};

constexpr std::string_view kFailoverClasses[] = {"org.apache.flume.sink.FailoverSinkProcessor"};
constexpr Option kFailoverOptions[] = {
    {.name = "priority.*",
     .kind = Kind::integer,
     .help = "Priority of that sink: the largest one that works is used. Without it -1, -2, … in the group's order.",
     .lenient = true},
    {.name = "maxpenalty",
     .kind = Kind::duration,
     .fallback = "30000",
     .help = "A failed sink is tried again after 2, 4, 8 … seconds, at most this.",
     .unit = "ms",
     .lenient = true,
     .min = 0},
};
constexpr ComponentInfo kFailover{.kind = ComponentKind::sink_processor,
                                  .name = "failover",
                                  .class_names = kFailoverClasses,
                                  .summary = "The sink with the highest priority works; the others stand by.",
                                  .options = kFailoverOptions};

constexpr std::string_view kLoadBalanceClasses[] = {"org.apache.flume.sink.LoadBalancingSinkProcessor"};
constexpr Option kLoadBalanceOptions[] = {
    {.name = "selector",
     .kind = Kind::choice,
     .fallback = "round_robin",
     .help = "Whose turn is next.",
     .choices = "round_robin|random"},
    {.name = "backoff",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "Leaves a sink that failed out for a time that doubles with each failure."},
    {.name = "selector.maxTimeOut",
     .kind = Kind::duration,
     .fallback = "30000",
     .help = "The longest time that backoff leaves a sink out; 0 means the default.",
     .unit = "ms",
     .min = 0},
    {.name = "selector.*",
     .help = "Settings of a selector class of one's own.",
     .no_effect = "Java selector classes can't be loaded; only round_robin and random exist here"},
};
constexpr ComponentInfo kLoadBalance{.kind = ComponentKind::sink_processor,
                                     .name = "load_balance",
                                     .class_names = kLoadBalanceClasses,
                                     .summary = "The sinks take turns.",
                                     .options = kLoadBalanceOptions};

constexpr const ComponentInfo* kInfos[] = {&kDefault, &kFailover, &kLoadBalance};

/// 2 s, 4 s, 8 s … up to `most`; the number of failures may be anything.
milliseconds penalty(unsigned failures, milliseconds most) {
  constexpr unsigned kMaxShift = 20;  // beyond a week
  return std::min(most, milliseconds(1000LL << std::min(failures, kMaxShift)));
}

void wake_sooner(Turn& turn, const std::optional<Clock::Steady>& when) {
  if (!when.has_value()) return;
  turn.wake_by = turn.wake_by.has_value() ? std::min(*turn.wake_by, *when) : *when;
}

// -- default ----------------------------------------------------------------------------------------------------------

class DefaultProcessor final : public SinkProcessor {
 public:
  using SinkProcessor::SinkProcessor;
  Result<Turn> process(std::stop_token stop) override { return members_.front()->process(stop); }
};

// -- failover ---------------------------------------------------------------------------------------------------------

class FailoverProcessor final : public SinkProcessor {
 public:
  FailoverProcessor(GroupMembers members, std::vector<std::int64_t> priorities, milliseconds max_penalty, Log& log,
                    Clock& clock)
      : SinkProcessor(std::move(members)), max_penalty_(max_penalty), log_(log), clock_(clock) {
    for (std::size_t i = 0; i < members_.size(); ++i) ranks_.push_back({members_[i].get(), priorities[i], 0, {}});
    std::stable_sort(ranks_.begin(), ranks_.end(),
                     [](const Rank& a, const Rank& b) { return a.priority > b.priority; });
  }

  Result<Turn> process(std::stop_token stop) override {
    Status last;
    for (Rank& rank : ranks_) {
      const bool on_trial = rank.failures > 0;
      if (on_trial && clock_.steady_now() < rank.retry_at) continue;
      Result<Turn> turn = rank.member->process(stop);
      if (stop.stop_requested()) return turn;
      if (!turn.ok()) {
        last = turn.status();
        failed(*rank.member, last);
        continue;
      }
      // An idle turn proves nothing: a sink on trial stays on trial, and the standby gets its turn too.
      if (on_trial && !turn->worked && &rank != &ranks_.back() && another_is_well(rank)) continue;
      if (on_trial && turn->worked) recovered(rank);
      tend_others(rank.member, *turn, stop);
      return turn;
    }
    if (last.ok()) return Status(Code::unavailable, "every sink of the group failed and waits to be tried again");
    return last.with_context("every sink of the group failed; the last one");
  }

 protected:
  void failed(GroupMember& member, const Status& why) override {
    SinkProcessor::failed(member, why);
    Rank& rank = *std::find_if(ranks_.begin(), ranks_.end(), [&](const Rank& r) { return r.member == &member; });
    rank.failures = std::min(rank.failures + 1, 1000u);
    const milliseconds pause = penalty(rank.failures, max_penalty_);
    rank.retry_at = clock_.steady_now() + pause;
    log_.warn(
        fmt::format("sink {} failed and is left out for {} ms: {}", member.name(), pause.count(), why.message()));
  }

 private:
  struct Rank {
    GroupMember* member;
    std::int64_t priority;
    unsigned failures;
    Clock::Steady retry_at;
  };

  bool another_is_well(const Rank& rank) const {
    return std::any_of(ranks_.begin(), ranks_.end(), [&](const Rank& r) { return &r != &rank && r.failures == 0; });
  }

  void recovered(Rank& rank) {
    rank.failures = 0;
    log_.info(fmt::format("sink {} works again", rank.member->name()));
  }

  std::vector<Rank> ranks_;  // highest priority first
  milliseconds max_penalty_;
  Log& log_;
  Clock& clock_;
};

// -- load balance -----------------------------------------------------------------------------------------------------

class LoadBalanceProcessor final : public SinkProcessor {
 public:
  LoadBalanceProcessor(GroupMembers members, bool random, bool backoff, milliseconds max_time_out, Log& log,
                       Clock& clock)
      : SinkProcessor(std::move(members)),
        random_(random),
        backoff_(backoff),
        max_time_out_(max_time_out),
        log_(log),
        clock_(clock),
        states_(members_.size()) {}

  Result<Turn> process(std::stop_token stop) override {
    Status last;
    std::optional<Turn> idle;
    for (const std::size_t index : order()) {
      GroupMember& member = *members_[index];
      Result<Turn> turn = member.process(stop);
      if (turn.ok() && turn->worked) {
        ++next_;
        tend_others(&member, *turn, stop);
        return turn;
      }
      if (stop.stop_requested()) return turn;
      if (turn.ok()) {
        if (!idle.has_value()) idle.emplace();
        wake_sooner(*idle, turn->wake_by);
        continue;  // its channel is empty: the next one may have another channel
      }
      last = turn.status();
      failed(member, last);
    }
    if (idle.has_value()) {
      tend_others(nullptr, *idle, stop);
      return *idle;
    }
    if (last.ok()) return Status(Code::unavailable, "every sink of the group failed and waits to be tried again");
    return last.with_context("every sink of the group failed; the last one");
  }

 protected:
  void failed(GroupMember& member, const Status& why) override {
    SinkProcessor::failed(member, why);
    log_.warn(fmt::format("sink {} failed, the next one of its group is used: {}", member.name(), why.message()));
    if (!backoff_) return;
    const auto place =
        std::find_if(members_.begin(), members_.end(), [&](const auto& m) { return m.get() == &member; });
    State& state = states_[static_cast<std::size_t>(place - members_.begin())];
    const Clock::Steady now = clock_.steady_now();
    const bool recent = state.failures > 0 && now < state.restore_at + std::chrono::hours(1);
    state.failures = recent ? std::min(state.failures + 1, 16u) : 1;
    state.restore_at = now + penalty(state.failures, max_time_out_);
  }

 private:
  struct State {
    unsigned failures = 0;
    Clock::Steady restore_at{};
  };

  /// Who is tried in this turn, first one first.
  std::vector<std::size_t> order() {
    std::vector<std::size_t> allowed;
    const Clock::Steady now = clock_.steady_now();
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (states_[i].failures == 0 || states_[i].restore_at <= now) allowed.push_back(i);
    }
    if (allowed.empty()) return allowed;
    if (random_) {
      std::shuffle(allowed.begin(), allowed.end(), generator_);
    } else {
      std::rotate(allowed.begin(), allowed.begin() + static_cast<std::ptrdiff_t>(next_ % allowed.size()),
                  allowed.end());
    }
    return allowed;
  }

  bool random_;
  bool backoff_;
  milliseconds max_time_out_;
  Log& log_;
  Clock& clock_;
  std::vector<State> states_;
  // Advances with turns that brought something, so that a trickle, with an idle turn after each event, is shared too.
  std::size_t next_ = 0;
  std::minstd_rand generator_{std::random_device{}()};
};

std::vector<std::int64_t> priorities(const Settings& settings, const GroupMembers& members, Log& log) {
  const Settings::Map given = settings.below("priority.");
  std::vector<std::int64_t> result;
  std::int64_t next = 0;
  for (const auto& member : members) {
    const auto found = given.find(member->name());
    const auto priority = found == given.end() ? std::nullopt : parse_integer(found->second);
    if (priority.has_value() && std::find(result.begin(), result.end(), *priority) != result.end()) {
      log.warn(
          fmt::format("processor.priority.{}: {} is taken by another sink of the group; of the two the one listed "
                      "first is preferred",
                      member->name(), *priority));
    }
    result.push_back(priority.has_value() ? *priority : --next);
  }
  return result;
}

}  // namespace

// -- GroupMember ------------------------------------------------------------------------------------------------------

GroupMember::GroupMember(std::string name, std::unique_ptr<Sink> sink, NamedChannel channel, Environment& environment)
    : name_(std::move(name)),
      environment_(environment),
      outlet_(std::move(channel), environment),
      sink_(std::move(sink)) {}

Status GroupMember::start() {
  if (started_) return {};
  Status status = guarded([this] { return sink_->start(); });
  if (!status.ok()) {
    environment_.counters.counter(counter_names::kStartFail).add();
    sink_->stop();
    return status;
  }
  started_ = true;
  mark_started(environment_);
  return {};
}

Result<Turn> GroupMember::process(std::stop_token stop) {
  TRY(start());
  outlet_.pause(false);
  return turn(stop);
}

Result<Turn> GroupMember::tend(std::stop_token stop) {
  outlet_.pause(true);
  return turn(stop);
}

Result<Turn> GroupMember::turn(std::stop_token stop) {
  Result<Turn> turn = guarded([&] { return sink_->process(outlet_, stop); });
  wake_by_ = turn.ok() ? turn->wake_by : std::nullopt;
  return turn;
}

bool GroupMember::wants_tending() {
  if (!started_) return false;
  if (outlet_.has_open_leases()) return true;
  return wake_by_.has_value() && *wake_by_ <= environment_.clock.steady_now();
}

void GroupMember::stop() {
  sink_->stop();
  outlet_.revoke_all();
  if (started_) mark_stopped(environment_);
  started_ = false;
  wake_by_.reset();
}

// -- SinkProcessor ----------------------------------------------------------------------------------------------------

Status SinkProcessor::start() {
  Status first_failure;
  bool any = false;
  for (const auto& member : members_) {
    Status status = member->start();
    any = any || status.ok();
    if (status.ok()) continue;
    if (members_.size() > 1) failed(*member, status);
    if (first_failure.ok()) first_failure = status.with_context("sink " + member->name());
  }
  if (!any) return first_failure;
  first_failure.ignore();  // failed() told it, and the group runs without it
  return {};
}

void SinkProcessor::stop() {
  for (const auto& member : members_) member->stop();
}

void SinkProcessor::failed(GroupMember& member, const Status&) {
  if (!FAILPOINT("group.no_fence")) member.outlet().revoke_all();
}

const Status* SinkProcessor::held_up() const {
  for (const auto& member : members_) {
    if (const Status* why = member->held_up(); why != nullptr) return why;
  }
  return nullptr;
}

void SinkProcessor::tend_others(const GroupMember* active, Turn& turn, std::stop_token stop) {
  for (const auto& member : members_) {
    if (member.get() == active) continue;
    if (member->wants_tending()) {
      const Result<Turn> other = member->tend(stop);
      if (!other.ok()) failed(*member, other.status());
    }
    wake_sooner(turn, member->wake_by());
  }
}

// -- making one -------------------------------------------------------------------------------------------------------

std::span<const ComponentInfo* const> sink_processor_infos() { return kInfos; }

std::unique_ptr<SinkProcessor> make_default_processor(std::unique_ptr<GroupMember> member) {
  GroupMembers members;
  members.push_back(std::move(member));
  return std::make_unique<DefaultProcessor>(std::move(members));
}

Result<std::unique_ptr<SinkProcessor>> make_sink_processor(const Settings& settings, GroupMembers members, Log& log,
                                                           Clock& clock) {
  using Made = std::unique_ptr<SinkProcessor>;
  if (members.empty()) return Status(Code::invalid, "the group has no sinks: list them under `sinks`");
  if (&settings.info() == &kFailover) {
    auto ranks = priorities(settings, members, log);
    return Made(std::make_unique<FailoverProcessor>(std::move(members), std::move(ranks),
                                                    settings.duration("maxpenalty"), log, clock));
  }
  if (&settings.info() == &kLoadBalance) {
    if (members.size() < 2) {
      return Status(Code::invalid, "load_balance needs at least two sinks: add one, or remove the group");
    }
    milliseconds most = settings.duration("selector.maxTimeOut");
    if (most == milliseconds(0)) most = milliseconds(30'000);
    return Made(std::make_unique<LoadBalanceProcessor>(std::move(members), settings.choice("selector") == "random",
                                                       settings.boolean("backoff"), most, log, clock));
  }
  if (members.size() > 1) {
    return Status(Code::invalid, "processor.type default takes one sink: choose failover or load_balance");
  }
  return make_default_processor(std::move(members.front()));
}

}  // namespace standpipe

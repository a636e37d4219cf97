#include "core/sink_group.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "core/group_processor.h"
#include "core/runner_body.h"

namespace standpipe {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view kDefaultClasses[] = {"org.apache.flume.sink.DefaultSinkProcessor"};
constexpr ComponentInfo kDefault{.kind = ComponentKind::sink_processor,
                                 .name = "default",
                                 .class_names = kDefaultClasses,
                                 .summary = "One sink alone."};

constexpr const ComponentInfo* kInfos[] = {&kDefault, &kFailoverProcessorInfo, &kLoadBalanceProcessorInfo};

constexpr unsigned kToldEach = 5;
constexpr std::int64_t kTellEveryMs = 60'000;

class DefaultProcessor final : public SinkProcessor {
 public:
  using SinkProcessor::SinkProcessor;
  Status start() override { return members_.front()->start().with_context("sink " + members_.front()->name()); }
  Result<Turn> process(std::stop_token stop) override { return members_.front()->process(stop); }
};

}  // namespace

milliseconds failure_pause(unsigned failures, milliseconds most) {
  if (FAILPOINT("group.penalty_overflows")) {
    return std::min(most, milliseconds(static_cast<std::int32_t>((1u << (failures % 32)) * 1000u)));
  }
  constexpr unsigned kMaxShift = 31;  // 68 years, which still can be added to any time
  return std::min(most, milliseconds(1000LL << std::min(failures, kMaxShift)));
}

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

void GroupMember::failed(Log& log, const Status& why, milliseconds pause) {
  constexpr unsigned kMost = 1000;
  failures_ = std::min(failures_ + 1, kMost);
  retry_at_ = environment_.clock.steady_now() + pause;
  if (!may_tell(environment_.clock.now_ms())) return why.ignore();
  told_ = true;
  const std::string then = pause.count() > 0 ? fmt::format("is left out for {} ms", pause.count())
                                             : std::string("another one of its group is used");
  log.warn(fmt::format("sink {} failed, {}: {}", name_, then, why.message()));
}

/// One that is down for days may be tried with every batch; and one may fail with every other batch.
bool GroupMember::may_tell(std::int64_t now_ms) {
  const std::int64_t since_failure = now_ms - std::exchange(failed_at_ms_, now_ms);
  if (since_failure >= kTellEveryMs) told_in_a_row_ = 0;
  if (told_in_a_row_ >= kToldEach && now_ms - told_at_ms_ < kTellEveryMs) return false;
  ++told_in_a_row_;
  told_at_ms_ = now_ms;
  return true;
}

void GroupMember::delivered(Log& log) {
  failures_ = 0;
  if (std::exchange(told_, false)) log.info(fmt::format("sink {} works again", name_));
}

// -- SinkProcessor ----------------------------------------------------------------------------------------------------

void SinkProcessor::stop() {
  for (const auto& member : members_) member->stop();
}

const Status* SinkProcessor::held_up() const {
  for (const auto& member : members_) {
    if (const Status* why = member->held_up(); why != nullptr) return why;
  }
  return nullptr;
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
  if (&settings.info() == &kFailoverProcessorInfo) {
    return Made(make_failover_processor(settings, std::move(members), log, clock));
  }
  if (&settings.info() == &kLoadBalanceProcessorInfo) {
    if (members.size() < 2) {
      return Status(Code::invalid, "load_balance needs at least two sinks: add one, or remove the group");
    }
    return Made(make_load_balance_processor(settings, std::move(members), log, clock));
  }
  if (members.size() > 1) {
    return Status(Code::invalid, "processor.type default takes one sink: choose failover or load_balance");
  }
  return make_default_processor(std::move(members.front()));
}

}  // namespace standpipe

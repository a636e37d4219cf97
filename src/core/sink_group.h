#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/outlet.h"
#include "standpipe/option.h"
#include "standpipe/settings.h"
#include "standpipe/sink.h"

namespace standpipe {

/// A sink as member of a group (every sink is: most are alone in theirs): its outlet, whether it is started, how it has
/// fared, when it wants to be called again.
class GroupMember {
 public:
  GroupMember(std::string name, std::unique_ptr<Sink> sink, NamedChannel channel, Environment& environment);

  const std::string& name() const { return name_; }
  ChannelOutlet& outlet() { return outlet_; }
  Environment& environment() { return environment_; }

  Status start();
  /// One turn, started first if need be.
  Result<Turn> process(std::stop_token stop);
  /// A turn in which the sink takes nothing new, when it has something to settle or close.
  Result<Turn> tend(std::stop_token stop);
  void stop();
  /// Whether it has leases open, or a time of its own has come.
  bool wants_tending();
  const Status* held_up() const { return sink_->held_up(); }
  const std::optional<Clock::Steady>& wake_by() const { return wake_by_; }

  // -- how it has fared; its group's business

  /// Failures since it last delivered something. Above zero it is on trial: that it has nothing to do proves nothing.
  unsigned failures() const { return failures_; }
  bool left_out(Clock::Steady now) const { return failures_ > 0 && now < retry_at_; }
  Clock::Steady retry_at() const { return retry_at_; }
  void leave_out_until(Clock::Steady when) { retry_at_ = std::max(retry_at_, when); }
  /// Tells it, the first ones and then once a minute: a sink may be down for days, and be tried with every batch.
  void failed(Log& log, const Status& why, std::chrono::milliseconds pause);
  void delivered(Log& log);

 private:
  Result<Turn> turn(std::stop_token stop);
  bool may_tell(std::int64_t now_ms);

  std::string name_;
  Environment& environment_;
  ChannelOutlet outlet_;
  std::unique_ptr<Sink> sink_;
  bool started_ = false;
  std::optional<Clock::Steady> wake_by_;
  unsigned failures_ = 0;
  Clock::Steady retry_at_;
  bool told_ = false;  // of a failure, and not yet that it is over
  unsigned told_in_a_row_ = 0;
  std::int64_t told_at_ms_ = 0;
  std::int64_t failed_at_ms_ = 0;
};
using GroupMembers = std::vector<std::unique_ptr<GroupMember>>;

/// 2 s after the first failure, then 4, 8, … up to `most`, whatever the number of failures.
std::chrono::milliseconds failure_pause(unsigned failures, std::chrono::milliseconds most);

/// What a sink runner drives: the sinks of one group, by the group's rule. All calls come from the runner's thread.
class SinkProcessor {
 public:
  explicit SinkProcessor(GroupMembers members) : members_(std::move(members)) {}
  virtual ~SinkProcessor() = default;

  /// Starts every member. Fails when none could be started; one alone that could not counts as failed.
  virtual Status start() = 0;
  /// Fails when no member could take a turn.
  virtual Result<Turn> process(std::stop_token stop) = 0;
  void stop();

  /// Of the first member that is (Sink::held_up).
  const Status* held_up() const;

  GroupMembers& members() { return members_; }

 protected:
  GroupMembers members_;
};

/// The processors' tables: default, failover, load_balance. Keys without the "processor." in front.
std::span<const ComponentInfo* const> sink_processor_infos();

/// The processor that `settings` (of one of sink_processor_infos()) describes. `log` and `clock` outlive it.
/// Code::invalid: `default` with several members, load_balance with one.
Result<std::unique_ptr<SinkProcessor>> make_sink_processor(const Settings& settings, GroupMembers members, Log& log,
                                                           Clock& clock);

/// For a sink that is in no group.
std::unique_ptr<SinkProcessor> make_default_processor(std::unique_ptr<GroupMember> member);

}  // namespace standpipe

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/outlet.h"
#include "standpipe/option.h"
#include "standpipe/settings.h"
#include "standpipe/sink.h"

namespace standpipe {

/// A sink as member of a group (every sink is: most are alone in theirs): its outlet, whether it is started, when it
/// wants to be called again.
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

 private:
  Result<Turn> turn(std::stop_token stop);

  std::string name_;
  Environment& environment_;
  ChannelOutlet outlet_;
  std::unique_ptr<Sink> sink_;
  bool started_ = false;
  std::optional<Clock::Steady> wake_by_;
};
using GroupMembers = std::vector<std::unique_ptr<GroupMember>>;

/// What a sink runner drives: the sinks of one group, by the group's rule. All calls come from the runner's thread.
class SinkProcessor {
 public:
  explicit SinkProcessor(GroupMembers members) : members_(std::move(members)) {}
  virtual ~SinkProcessor() = default;

  /// Starts every member. Fails when none could be started; one that could not is tried again as a failed member is.
  virtual Status start();
  /// Fails when no member could take a turn.
  virtual Result<Turn> process(std::stop_token stop) = 0;
  void stop();

  /// Of the first member that is (Sink::held_up).
  const Status* held_up() const;

  GroupMembers& members() { return members_; }

 protected:
  /// Gives the others of a group a turn in which they take nothing, where they have something open; adds to `turn` when
  /// they want to be called.
  void tend_others(const GroupMember* active, Turn& turn, std::stop_token stop);
  /// What a member's failure means in a group: its leases go back before another takes over.
  virtual void failed(GroupMember& member, const Status& why);

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

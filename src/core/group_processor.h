#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "core/sink_group.h"

namespace standpipe {

extern const ComponentInfo kFailoverProcessorInfo;
extern const ComponentInfo kLoadBalanceProcessorInfo;

/// What the rules for several sinks have in common. In every turn members are asked, by the rule's order, until one has
/// delivered something; those that were not asked and have something open are tended. No member waits for another: one
/// that has asked its destination and has no answer yet keeps its leases, and the next one is asked.
class GroupProcessor : public SinkProcessor {
 public:
  GroupProcessor(GroupMembers members, Log& log, Clock& clock)
      : SinkProcessor(std::move(members)), log_(log), clock_(clock) {}

  Status start() override;
  Result<Turn> process(std::stop_token stop) override;

 protected:
  /// The members to ask in this turn, the first one first; without those that are left out.
  virtual void choose(std::vector<GroupMember*>& candidates, Clock::Steady now) = 0;
  /// Whether a turn in which `member` did nothing ends the group's turn.
  virtual bool content_with(const GroupMember& member) const = 0;
  /// How long `member`, which failed, is left out.
  virtual std::chrono::milliseconds penalty(const GroupMember& member) = 0;
  /// A turn of the group's ended with what `member` delivered.
  virtual void turn_done() {}

  Clock& clock() { return clock_; }

 private:
  void failed(GroupMember& member, const Status& why);
  Turn finish(Turn turn, std::stop_token stop);
  void tend(GroupMember& member, Turn& turn, std::stop_token stop);
  void let_the_failed_rest();

  Log& log_;
  Clock& clock_;
  std::vector<GroupMember*> candidates_;  // of this turn; the first asked_ of them had theirs
  std::size_t asked_ = 0;
  std::vector<GroupMember*> failed_;  // in this turn
};

std::unique_ptr<SinkProcessor> make_failover_processor(const Settings& settings, GroupMembers members, Log& log,
                                                       Clock& clock);
std::unique_ptr<SinkProcessor> make_load_balance_processor(const Settings& settings, GroupMembers members, Log& log,
                                                           Clock& clock);

}  // namespace standpipe

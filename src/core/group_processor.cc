#include "core/group_processor.h"

#include <algorithm>

#include "base/failpoint.h"

namespace standpipe {

namespace {

void wake_sooner(Turn& turn, Clock::Steady when) { turn.wake_by = std::min(turn.wake_by.value_or(when), when); }

}  // namespace

Status GroupProcessor::start() {
  std::vector<std::pair<GroupMember*, Status>> failures;
  for (const auto& member : members_) {
    Status status = member->start();
    if (!status.ok()) failures.emplace_back(member.get(), std::move(status));
  }
  if (failures.size() < members_.size()) {
    for (const auto& [member, why] : failures) failed(*member, why);
    return {};
  }
  // Nobody is left out for it: the runner itself tries again after a while.
  for (const auto& [member, why] : failures) why.ignore();
  return failures.front().second.with_context("sink " + failures.front().first->name());
}

Result<Turn> GroupProcessor::process(std::stop_token stop) {
  candidates_.clear();
  failed_.clear();
  choose(candidates_, clock_.steady_now());
  std::optional<Turn> idle;
  Status last;
  for (asked_ = 0; asked_ < candidates_.size();) {
    GroupMember& member = *candidates_[asked_++];
    Result<Turn> turn = member.process(stop);
    if (stop.stop_requested()) return turn;
    if (!turn.ok()) {
      last = turn.status();
      failed(member, last);
      continue;
    }
    if (turn->worked) {
      member.delivered(log_);
      turn_done();
    }
    if (turn->worked || content_with(member)) return finish(*turn, stop);
    if (!idle.has_value()) idle.emplace();
    idle->undecided = idle->undecided || turn->undecided;
  }
  if (idle.has_value()) return finish(*idle, stop);
  if (!last.ok()) return last.with_context("every sink of the group failed; the last one");
  return Status(Code::unavailable, "every sink of the group failed and waits to be tried again");
}

/// Its leases go back before another takes over.
void GroupProcessor::failed(GroupMember& member, const Status& why) {
  if (!FAILPOINT("group.no_fence")) member.outlet().revoke_all();
  const auto pause = FAILPOINT("group.no_penalty") ? std::chrono::milliseconds(0) : penalty(member);
  member.failed(log_, why, pause);
  failed_.push_back(&member);
}

/// Called again when the first of all members wants to be, and when one that is left out may be tried: by then those
/// that were asked may not have answered.
Turn GroupProcessor::finish(Turn turn, std::stop_token stop) {
  for (std::size_t i = asked_; i < candidates_.size(); ++i) tend(*candidates_[i], turn, stop);
  if (!turn.worked) let_the_failed_rest();
  const Clock::Steady now = clock_.steady_now();
  for (const auto& member : members_) {
    if (member->wake_by().has_value()) wake_sooner(turn, *member->wake_by());
    if (member->left_out(now)) wake_sooner(turn, member->retry_at());
  }
  return turn;
}

/// Nobody delivered anything, and what they gave back calls for the next turn at once: as a runner backs off.
void GroupProcessor::let_the_failed_rest() {
  constexpr std::chrono::seconds kStep{1};
  constexpr unsigned kMostSteps = 5;
  if (FAILPOINT("group.never_rests")) return;
  for (GroupMember* member : failed_) {
    member->leave_out_until(clock_.steady_now() + std::min(member->failures(), kMostSteps) * kStep);
  }
}

void GroupProcessor::tend(GroupMember& member, Turn& turn, std::stop_token stop) {
  if (!member.wants_tending() || FAILPOINT("group.no_tending")) return;
  const Result<Turn> tended = member.tend(stop);
  if (!tended.ok()) return failed(member, tended.status());
  if (!tended->worked) return;
  member.delivered(log_);
  turn.worked = true;
  turn.undecided = false;
}

}  // namespace standpipe

#include <algorithm>

#include "base/text.h"
#include "core/group_processor.h"

namespace standpipe {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view kClasses[] = {"org.apache.flume.sink.FailoverSinkProcessor"};
constexpr Option kOptions[] = {
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

/// The best one that works is used. One that failed is left out for a while and then on trial, before those that are
/// less preferred, until it has delivered something; while it has not, they work as well.
class FailoverProcessor final : public GroupProcessor {
 public:
  FailoverProcessor(GroupMembers members, std::vector<GroupMember*> ranks, milliseconds max_penalty, Log& log,
                    Clock& clock)
      : GroupProcessor(std::move(members), log, clock), ranks_(std::move(ranks)), max_penalty_(max_penalty) {}

 protected:
  void choose(std::vector<GroupMember*>& candidates, Clock::Steady now) override {
    std::copy_if(ranks_.begin(), ranks_.end(), std::back_inserter(candidates),
                 [&](const GroupMember* member) { return !member->left_out(now); });
  }
  bool content_with(const GroupMember& member) const override { return member.failures() == 0; }
  milliseconds penalty(const GroupMember& member) override {
    return failure_pause(member.failures() + 1, max_penalty_);
  }

 private:
  const std::vector<GroupMember*> ranks_;  // the most preferred one first
  const milliseconds max_penalty_;
};

/// The most preferred one first; of equal ones, which the configuration's check names, the one listed first.
std::vector<GroupMember*> by_priority(const Settings& settings, const GroupMembers& members) {
  const Settings::Map given = settings.below("priority.");
  std::vector<std::pair<std::int64_t, GroupMember*>> ranks;
  std::int64_t unset = 0;
  for (const auto& member : members) {
    const auto found = given.find(member->name());
    const auto priority = found == given.end() ? std::nullopt : parse_integer(found->second);
    ranks.emplace_back(priority ? *priority : --unset, member.get());
  }
  std::stable_sort(ranks.begin(), ranks.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<GroupMember*> result;
  for (const auto& [priority, member] : ranks) result.push_back(member);
  return result;
}

}  // namespace

const ComponentInfo kFailoverProcessorInfo{.kind = ComponentKind::sink_processor,
                                           .name = "failover",
                                           .class_names = kClasses,
                                           .summary =
                                               "The sink with the highest priority works; the others stand "
                                               "by.",
                                           .options = kOptions};

std::unique_ptr<SinkProcessor> make_failover_processor(const Settings& settings, GroupMembers members, Log& log,
                                                       Clock& clock) {
  std::vector<GroupMember*> ranks = by_priority(settings, members);
  return std::make_unique<FailoverProcessor>(std::move(members), std::move(ranks), settings.duration("maxpenalty"), log,
                                             clock);
}

}  // namespace standpipe

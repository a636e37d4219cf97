#include <algorithm>
#include <map>
#include <random>

#include "core/group_processor.h"

namespace standpipe {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDefaultMaxTimeOut{30'000};

constexpr std::string_view kClasses[] = {"org.apache.flume.sink.LoadBalancingSinkProcessor"};
constexpr Option kOptions[] = {
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

/// The members take turns; who has nothing to do, or has asked its destination and waits, leaves the turn to the next.
class LoadBalanceProcessor final : public GroupProcessor {
 public:
  LoadBalanceProcessor(GroupMembers members, bool random, bool backoff, milliseconds max_time_out, Log& log,
                       Clock& clock)
      : GroupProcessor(std::move(members), log, clock),
        random_(random),
        backoff_(backoff),
        max_time_out_(max_time_out) {}

 protected:
  void choose(std::vector<GroupMember*>& candidates, Clock::Steady now) override {
    for (const auto& member : members_) {
      if (!member->left_out(now)) candidates.push_back(member.get());
    }
    if (candidates.empty()) return;
    if (random_) return std::shuffle(candidates.begin(), candidates.end(), generator_);
    const std::size_t first = next_ % candidates.size();
    std::rotate(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(first), candidates.end());
  }

  bool content_with(const GroupMember&) const override { return false; }
  void turn_done() override { ++next_; }

  /// As Flume: failures add up while each comes within an hour after the pause for the one before, whatever was
  /// delivered in between; 16 of them count.
  milliseconds penalty(const GroupMember& member) override {
    constexpr unsigned kMostCounted = 16;
    constexpr std::chrono::hours kOneSeries{1};
    if (!backoff_) return milliseconds(0);
    Series& series = series_[&member];
    const Clock::Steady now = clock().steady_now();
    const bool goes_on = series.failures > 0 && now < series.restored_at + kOneSeries;
    series.failures = goes_on ? std::min(series.failures + 1, kMostCounted) : 1;
    const milliseconds pause = failure_pause(series.failures, max_time_out_);
    series.restored_at = now + pause;
    return pause;
  }

 private:
  struct Series {
    unsigned failures = 0;
    Clock::Steady restored_at;
  };

  const bool random_;
  const bool backoff_;
  const milliseconds max_time_out_;
  std::map<const GroupMember*, Series> series_;
  // Advances with turns that brought something, so that a trickle, with an idle turn after each event, is shared too.
  std::size_t next_ = 0;
  std::minstd_rand generator_{std::random_device{}()};
};

}  // namespace

const ComponentInfo kLoadBalanceProcessorInfo{.kind = ComponentKind::sink_processor,
                                              .name = "load_balance",
                                              .class_names = kClasses,
                                              .summary = "The sinks take turns.",
                                              .options = kOptions};

std::unique_ptr<SinkProcessor> make_load_balance_processor(const Settings& settings, GroupMembers members, Log& log,
                                                           Clock& clock) {
  const milliseconds given = settings.duration("selector.maxTimeOut");
  return std::make_unique<LoadBalanceProcessor>(std::move(members), settings.choice("selector") == "random",
                                                settings.boolean("backoff"),
                                                given == milliseconds(0) ? kDefaultMaxTimeOut : given, log, clock);
}

}  // namespace standpipe

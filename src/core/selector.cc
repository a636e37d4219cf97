#include "core/selector.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

namespace standpipe {

namespace {

// -- tables -----------------------------------------------------------------------------------------------------------

constexpr std::string_view kReplicatingClasses[] = {"org.apache.flume.channel.ReplicatingChannelSelector"};
constexpr Option kReplicatingOptions[] = {
    {.name = "optional", .kind = Kind::list, .help = "Channels that never hold up or fail a delivery."},
};
constexpr ComponentInfo kReplicating{.kind = ComponentKind::selector,
                                     .name = "replicating",
                                     .class_names = kReplicatingClasses,
                                     .summary = "Every event goes to every channel of the source.",
                                     .options = kReplicatingOptions};

constexpr std::string_view kMultiplexingClasses[] = {"org.apache.flume.channel.MultiplexingChannelSelector"};
constexpr Option kMultiplexingOptions[] = {
    {.name = "header",
     .kind = Kind::name,
     .fallback = "flume.selector.header",
     .help = "The header whose value chooses the channels."},
    {.name = "mapping.*", .kind = Kind::list, .help = "Channels for events whose header has exactly this value."},
    {.name = "optional.*", .kind = Kind::list, .help = "Optional channels for events whose header has this value."},
    {.name = "default",
     .kind = Kind::list,
     .help = "Channels for events without the header or with a value that has no mapping. Without it such events are "
             "dropped, and counted."},
};
constexpr ComponentInfo kMultiplexing{.kind = ComponentKind::selector,
                                      .name = "multiplexing",
                                      .class_names = kMultiplexingClasses,
                                      .summary = "A header's value chooses the channels of an event.",
                                      .options = kMultiplexingOptions};

constexpr std::string_view kLoadBalancingClasses[] = {"org.apache.flume.channel.LoadBalancingChannelSelector"};
constexpr Option kLoadBalancingOptions[] = {
    {.name = "policy",
     .kind = Kind::choice,
     .fallback = "round_robin",
     .help = "How the channel of each event is chosen.",
     .choices = "round_robin|random"},
};
constexpr ComponentInfo kLoadBalancing{.kind = ComponentKind::selector,
                                       .name = "load_balancing",
                                       .class_names = kLoadBalancingClasses,
                                       .summary = "Each event goes to exactly one of the source's channels.",
                                       .options = kLoadBalancingOptions};

constexpr const ComponentInfo* kInfos[] = {&kReplicating, &kMultiplexing, &kLoadBalancing};

// -- replicating ------------------------------------------------------------------------------------------------------

class ReplicatingSelector final : public Selector {
 public:
  explicit ReplicatingSelector(std::vector<bool> required) : required_(std::move(required)) {}

  void route(const BatchPtr& batch, std::vector<Route>& routes) override {
    for (const bool required : {true, false}) {
      for (std::size_t i = 0; i < required_.size(); ++i) {
        if (required_[i] == required) routes.push_back({i, required, batch});
      }
    }
  }

  std::optional<std::size_t> only_channel() const override {
    if (required_.size() == 1 && required_[0]) return 0;
    return std::nullopt;
  }

  bool may_require(std::size_t channel) const override { return required_[channel]; }

 private:
  std::vector<bool> required_;
};

// -- parts of a batch -------------------------------------------------------------------------------------------------

/// Turns a row of positions into a route; a whole batch is shared as it is.
Route make_route(const BatchPtr& batch, std::size_t channel, bool required, const std::vector<std::size_t>& positions) {
  if (positions.size() == batch->size()) return {channel, required, batch};
  return {channel, required, std::make_shared<const Batch>(batch->subset(positions))};
}

// -- multiplexing -----------------------------------------------------------------------------------------------------

struct Targets {
  std::vector<std::size_t> required;
  std::vector<std::size_t> optional;
};

class MultiplexingSelector final : public Selector {
 public:
  MultiplexingSelector(std::string header, std::map<std::string, Targets, std::less<>> targets, Targets otherwise,
                       std::size_t channels, Environment& environment)
      : header_(std::move(header)),
        targets_(std::move(targets)),
        otherwise_(std::move(otherwise)),
        channels_(channels),
        environment_(environment),
        unrouted_(environment.counters.counter(counter_names::kEventsUnrouted)) {}

  void route(const BatchPtr& batch, std::vector<Route>& routes) override {
    // Looked up once a header block, not once an event.
    std::vector<const Targets*> by_block(batch->block_count(), nullptr);
    const Targets* first = targets_of(*batch, 0, by_block);
    bool same = true;
    for (std::size_t i = 1; i < batch->size() && same; ++i) same = targets_of(*batch, i, by_block) == first;
    if (same) {
      route_whole(batch, *first, routes);
    } else {
      route_parts(batch, by_block, routes);
    }
  }

  bool may_require(std::size_t channel) const override {
    const auto in = [channel](const Targets& targets) {
      return std::find(targets.required.begin(), targets.required.end(), channel) != targets.required.end();
    };
    return in(otherwise_) || std::any_of(targets_.begin(), targets_.end(), [&](const auto& t) { return in(t.second); });
  }

 private:
  const Targets* targets_of(const Batch& batch, std::size_t index, std::vector<const Targets*>& by_block) const {
    const Targets*& known = by_block[batch.block_of(index)];
    if (known != nullptr) return known;
    known = &otherwise_;
    const std::optional<std::string_view> value = batch.block(batch.block_of(index)).get(header_);
    // A blank value counts as none.
    if (!value.has_value() || trim(*value).empty()) return known;
    if (const auto found = targets_.find(*value); found != targets_.end()) known = &found->second;
    return known;
  }

  void route_whole(const BatchPtr& batch, const Targets& targets, std::vector<Route>& routes) {
    if (targets.required.empty() && targets.optional.empty()) report_unrouted(*batch, 0, batch->size());
    for (const std::size_t channel : targets.required) routes.push_back({channel, true, batch});
    for (const std::size_t channel : targets.optional) routes.push_back({channel, false, batch});
  }

  void route_parts(const BatchPtr& batch, std::vector<const Targets*>& by_block, std::vector<Route>& routes) {
    std::vector<std::vector<std::size_t>> required(channels_);
    std::vector<std::vector<std::size_t>> optional(channels_);
    std::size_t lost = 0;
    std::size_t lost_example = 0;
    for (std::size_t i = 0; i < batch->size(); ++i) {
      const Targets& targets = *targets_of(*batch, i, by_block);
      for (const std::size_t channel : targets.required) required[channel].push_back(i);
      for (const std::size_t channel : targets.optional) optional[channel].push_back(i);
      if (targets.required.empty() && targets.optional.empty()) {
        ++lost;
        lost_example = i;
      }
    }
    if (lost > 0) report_unrouted(*batch, lost_example, lost);
    append(batch, required, true, routes);
    append(batch, optional, false, routes);
  }

  static void append(const BatchPtr& batch, const std::vector<std::vector<std::size_t>>& positions, bool required,
                     std::vector<Route>& routes) {
    for (std::size_t channel = 0; channel < positions.size(); ++channel) {
      if (!positions[channel].empty()) routes.push_back(make_route(batch, channel, required, positions[channel]));
    }
  }

  void report_unrouted(const Batch& batch, std::size_t example, std::size_t count) {
    unrouted_.add(static_cast<std::int64_t>(count));
    const auto held = log_limit_.pass(environment_.clock.now_ms());
    if (!held.has_value()) return;
    const auto value = batch[example].headers->get(header_);
    environment_.log.warn(fmt::format(
        "dropped {} events, for example one {}: no selector.mapping matches and there is no selector.default; add one "
        "({} such messages held back)",
        count,
        value.has_value() ? fmt::format("whose header {} is '{}'", header_, *value)
                          : fmt::format("without the header {}", header_),
        *held));
  }

  const std::string header_;
  const std::map<std::string, Targets, std::less<>> targets_;
  const Targets otherwise_;
  const std::size_t channels_;
  Environment& environment_;
  Counter& unrouted_;
  LogLimiter log_limit_{60'000};
};

// -- load balancing ---------------------------------------------------------------------------------------------------

class LoadBalancingSelector final : public Selector {
 public:
  LoadBalancingSelector(std::size_t channels, bool random) : channels_(channels), random_(random) {}

  void route(const BatchPtr& batch, std::vector<Route>& routes) override {
    std::vector<std::vector<std::size_t>> positions(channels_);
    if (random_) {
      scatter(batch->size(), positions);
    } else {
      // One step for the whole batch, so that deliveries that overlap still share evenly.
      std::size_t next = next_.fetch_add(batch->size(), std::memory_order_relaxed);
      for (std::size_t i = 0; i < batch->size(); ++i) positions[next++ % channels_].push_back(i);
    }
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      if (!positions[channel].empty()) routes.push_back(make_route(batch, channel, true, positions[channel]));
    }
  }

  bool may_require(std::size_t) const override { return true; }

 private:
  void scatter(std::size_t events, std::vector<std::vector<std::size_t>>& positions) {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < events; ++i) positions[generator_() % channels_].push_back(i);
  }

  const std::size_t channels_;
  const bool random_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::minstd_rand generator_{std::random_device{}()};
};

// -- making one -------------------------------------------------------------------------------------------------------

Result<std::vector<std::size_t>> indices_of(std::string_view names, const std::vector<std::string>& channels,
                                            const std::string& property) {
  std::vector<std::size_t> indices;
  for (const std::string_view name : split_words(names)) {
    const auto found = std::find(channels.begin(), channels.end(), name);
    if (found == channels.end()) {
      return Status(Code::invalid, fmt::format("selector.{} names channel {}, which is not among the source's channels "
                                               "({}): correct the name or add it to the list",
                                               property, name, fmt::join(channels, " ")));
    }
    const auto index = static_cast<std::size_t>(found - channels.begin());
    if (std::find(indices.begin(), indices.end(), index) == indices.end()) indices.push_back(index);
  }
  return indices;
}

Result<std::unique_ptr<Selector>> make_replicating(const Settings& settings, const std::vector<std::string>& channels) {
  TRY_ASSIGN(const auto optional, indices_of(settings.text("optional"), channels, "optional"));
  std::vector<bool> required(channels.size(), true);
  for (const std::size_t index : optional) required[index] = false;
  return std::unique_ptr<Selector>(std::make_unique<ReplicatingSelector>(std::move(required)));
}

void remove_required(Targets& targets) {
  std::erase_if(targets.optional, [&](std::size_t channel) {
    return std::find(targets.required.begin(), targets.required.end(), channel) != targets.required.end();
  });
}

Result<std::unique_ptr<Selector>> make_multiplexing(const Settings& settings, const std::vector<std::string>& channels,
                                                    Environment& environment) {
  Targets otherwise;
  TRY_ASSIGN(otherwise.required, indices_of(settings.text("default"), channels, "default"));
  std::map<std::string, Targets, std::less<>> targets;
  for (const auto& [value, names] : settings.below("mapping.")) {
    TRY_ASSIGN(targets[value].required, indices_of(names, channels, "mapping." + value));
  }
  for (const auto& [value, names] : settings.below("optional.")) {
    const bool mapped = targets.contains(value);
    Targets& target = targets[value];
    if (!mapped) target.required = otherwise.required;
    TRY_ASSIGN(target.optional, indices_of(names, channels, "optional." + value));
    remove_required(target);
  }
  return std::unique_ptr<Selector>(std::make_unique<MultiplexingSelector>(
      settings.text("header"), std::move(targets), std::move(otherwise), channels.size(), environment));
}

}  // namespace

std::span<const ComponentInfo* const> selector_infos() { return kInfos; }

Result<std::unique_ptr<Selector>> make_selector(const Settings& settings, const std::vector<std::string>& channels,
                                                Environment& environment) {
  if (&settings.info() == &kReplicating) return make_replicating(settings, channels);
  if (&settings.info() == &kMultiplexing) return make_multiplexing(settings, channels, environment);
  return std::unique_ptr<Selector>(
      std::make_unique<LoadBalancingSelector>(channels.size(), settings.choice("policy") == "random"));
}

std::unique_ptr<Selector> make_replicating_selector(std::size_t channels) {
  return std::make_unique<ReplicatingSelector>(std::vector<bool>(channels, true));
}

}  // namespace standpipe

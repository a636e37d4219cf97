#include "agent/agent.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "core/wakers.h"

namespace standpipe {

Agent::Agent(const ProcessWorld& process, std::string name)
    : process_(process),
      name_(std::move(name)),
      log_(make_log("agent " + name_)),
      builder_(process, name_),
      supervisor_(*log_, process.clock) {
  graph_.name = name_;
  supervisor_.start();
}

Agent::~Agent() { stop(); }

namespace {
bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Before a runner goes: nobody asks for its health any more.
void unregister(RunningChannel& channel) { channel.registration = {}; }
void unregister(RunningSource& source) { source.registration = {}; }
void unregister(RunningSinks& sinks) { sinks.registrations.clear(); }
}  // namespace

/// Sources that bring nothing in until this ends; what is delivered meanwhile waits.
struct Agent::HeldSources {
  HeldSources() = default;
  HeldSources(HeldSources&&) = default;
  ~HeldSources() {
    for (const auto& ingest : ingests) ingest->resume();
  }
  std::vector<std::shared_ptr<SourceIngest>> ingests;
  std::vector<Receipt> quiet;  ///< complete when a source's last event before the hold is in its channels
};

Status Agent::apply(const AgentGraph& wanted) {
  const Difference changes = difference(graph_, wanted);
  supervisor_.set_options({wanted.drain_timeout, wanted.stop_timeout});  // also for the way to `wanted`
  if (changes.empty()) {
    graph_ = wanted;  // places in the file may differ
    return {};
  }
  Made made;
  TRY(make_all(wanted, changes, made));
  HeldSources held = hold_sources_of(changes.ending_channels);
  TRY(drain_ending(wanted, changes, held));
  TRY(resize_channels(wanted, changes));
  if (const Status status = start_channels(wanted, changes, made); !status.ok()) {
    undo_resize(changes.changed_channels);
    return status;
  }
  log_->info(fmt::format("applying {}", changes.to_string()));
  put_in_place(wanted, changes, std::move(made));
  return {};
}

Status Agent::leave_out_or_refuse(const Status& why, bool runs_now, std::string_view what) {
  if (runs_now) return why.with_context("refused: ");
  log_->error(fmt::format("{}; {} left out", why.message(), what));
  return {};
}

FlowBuilder::Channels Agent::channels_for(const Difference& changes, Made& made) {
  FlowBuilder::Channels channels;
  for (auto& [name, running] : channels_) {
    if (!contains(changes.ending_channels, name)) channels.emplace(name, running.runner);
  }
  for (auto& [name, running] : made.channels) channels.insert_or_assign(name, running.runner);
  return channels;
}

namespace {
/// Whether every channel that a component names could be made.
bool all_there(const FlowBuilder::Channels& channels, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) { return channels.contains(name); });
}

Status no_channel_for(std::string_view component) {
  return {Code::invalid, fmt::format("{}: a channel of it was left out", component)};
}
}  // namespace

Status Agent::make_all(const AgentGraph& wanted, const Difference& changes, Made& made) {
  for (const std::string& name : changes.new_channels) {
    auto channel = builder_.make_channel(*wanted.channel(name));
    if (channel.ok()) {
      made.channels.emplace(name, std::move(channel).value());
    } else {
      TRY(leave_out_or_refuse(channel.status(), channels_.contains(name)));
    }
  }
  const FlowBuilder::Channels channels = channels_for(changes, made);
  for (const std::string& name : changes.new_sources) {
    const SourceNode& node = *wanted.source(name);
    auto source = all_there(channels, node.channels) ? builder_.make_source(node, channels)
                                                     : Result<RunningSource>(no_channel_for("source " + name));
    if (source.ok()) {
      made.sources.emplace(name, std::move(source).value());
    } else {
      TRY(leave_out_or_refuse(source.status(), sources_.contains(name)));
    }
  }
  for (const std::string& name : changes.rewired_sources) {
    const SourceNode& node = *wanted.source(name);
    if (!all_there(channels, node.channels)) return no_channel_for("refused: source " + name);
    TRY_ASSIGN(IngestPlan plan, builder_.make_plan(node, sources_.at(name).world->environment(), channels));
    made.plans.emplace(name, std::move(plan));
  }
  for (const SinkUnit& unit : sink_units(wanted)) {
    const std::string name = unit.name();
    if (!contains(changes.new_sinks, name)) continue;
    std::vector<std::string> used;
    for (const SinkNode& sink : unit.sinks) used.push_back(sink.channel);
    auto sinks = all_there(channels, used) ? builder_.make_sinks(unit, channels)
                                           : Result<RunningSinks>(no_channel_for("sink " + name));
    if (sinks.ok()) {
      made.sinks.emplace(name, std::move(sinks).value());
    } else {
      const bool alone = unit.group.info == nullptr;
      const std::string what = alone ? "it is" : fmt::format("sink group {} with all its sinks is", unit.group.name);
      TRY(leave_out_or_refuse(sinks.status(), sinks_.contains(name), what));
    }
  }
  return {};
}

void Agent::undo_resize(const std::vector<std::string>& channels) {
  for (const std::string& name : channels) {
    // Going back to settings that it had a moment ago; a failure leaves it with the new ones, which is no loss.
    const auto found = channels_.find(name);
    if (found != channels_.end()) found->second.runner->channel().reconfigure(found->second.node.settings).ignore();
  }
}

Status Agent::resize_channels(const AgentGraph& wanted, const Difference& changes) {
  std::vector<std::string> done;
  for (const std::string& name : changes.changed_channels) {
    const Status status = channels_.at(name).runner->channel().reconfigure(wanted.channel(name)->settings);
    if (status.ok()) {
      done.push_back(name);
      continue;
    }
    undo_resize(done);
    return status.with_context(fmt::format("refused: channel {}: ", name));
  }
  return {};
}

Agent::HeldSources Agent::hold_sources_of(const std::vector<std::string>& channels) {
  HeldSources held;
  if (FAILPOINT("reload.no_hold")) return held;
  for (auto& [name, source] : sources_) {
    const auto& used = source.node.channels;
    const bool feeds =
        std::any_of(used.begin(), used.end(), [&](const std::string& channel) { return contains(channels, channel); });
    if (!feeds) continue;
    held.quiet.push_back(source.ingest->hold());
    held.ingests.push_back(source.ingest);
  }
  return held;
}

namespace {
bool completes_by(Receipt receipt, Clock& clock, Clock::Steady deadline) {
  const auto signal = std::make_shared<Signal>();  // the completion may come after the deadline
  std::move(receipt).then_inline([signal](const Status&) { signal->wake(); });
  return signal->wait(clock, {}, deadline);
}
}  // namespace

Status Agent::drain_ending(const AgentGraph& wanted, const Difference& changes, HeldSources& held) {
  if (FAILPOINT("reload.skip_drain")) return {};
  const Clock::Steady deadline = process_.clock.steady_now() + wanted.drain_timeout;
  bool quiet = true;
  for (Receipt& receipt : held.quiet) quiet = quiet && completes_by(std::move(receipt), process_.clock, deadline);
  for (const std::string& name : changes.ending_channels) {
    Channel& channel = channels_.at(name).runner->channel();
    if (!channel.is_volatile()) continue;
    if (channel.size() > 0)
      log_->info(fmt::format("channel {} ends: its {} events are drained first", name, channel.size()));
    if (supervisor_.drain(channel, deadline) && quiet) continue;
    return {Code::full, fmt::format("refused: channel {} would end, and still holds {} events after {} ms: let its "
                                    "sinks run, or raise drainTimeout",
                                    name, channel.size(), wanted.drain_timeout.count())};
  }
  return {};
}

/// Starts the new channels; those that a running source goes over to must work. Where one takes the place of another of
/// its name it comes later, when that one is gone.
Status Agent::start_channels(const AgentGraph& wanted, const Difference& changes, Made& made) {
  std::vector<std::string> started;
  for (auto& [name, channel] : made.channels) {
    if (channels_.contains(name)) continue;
    supervisor_.add(std::move(channel.made));
    started.push_back(name);
  }
  const Clock::Steady deadline = process_.clock.steady_now() + wanted.drain_timeout;
  for (const std::string& source : changes.rewired_sources) {
    for (const std::string& name : wanted.source(source)->channels) {
      if (!contains(started, name) || made.channels.at(name).runner->gate()->wait_until(process_.clock, deadline))
        continue;
      const std::string why = made.channels.at(name).runner->health().error.message();
      for (const std::string& each : started) {
        const std::string label = supervisor_.remove_channel(each);
        if (label.empty()) continue;
        abandon(ComponentKind::channel, each, label,
                std::make_shared<RunningChannel>(std::move(made.channels.at(each))));
      }
      return {Code::unavailable,
              fmt::format("refused: channel {}, which source {} would use, does not start: {}", name, source, why)};
    }
  }
  return {};
}

void Agent::put_in_place(const AgentGraph& wanted, const Difference& changes, Made made) {
  const auto leave = [&](ComponentKind kind, auto& map, const std::string& name, auto remove) {
    const auto found = map.find(name);
    if (found == map.end()) return;
    auto running = std::move(map.extract(found).mapped());
    unregister(running);
    const std::string label = remove(name);
    if (!label.empty()) abandon(kind, name, label, std::make_shared<decltype(running)>(std::move(running)));
  };
  for (const std::string& name : changes.ending_sources) {
    leave(ComponentKind::source, sources_, name,
          [&](const std::string& ending) { return supervisor_.remove_source(ending); });
  }
  for (const std::string& name : changes.ending_sinks) {
    leave(ComponentKind::sink, sinks_, name,
          [&](const std::string& ending) { return supervisor_.remove_sink(ending); });
  }
  for (const std::string& name : changes.ending_channels) end_channel(name);
  for (auto& [name, channel] : made.channels) {
    if (channel.made == nullptr) continue;  // start_channels() did it
    supervisor_.add(std::move(channel.made));
    // A source that goes on should find it open; one that does not start fails its deliveries, which come again.
    channel.runner->gate()->wait_until(process_.clock, process_.clock.steady_now() + wanted.drain_timeout);
  }
  for (auto& [name, plan] : made.plans) sources_.at(name).ingest->replace(std::move(plan));
  for (auto& [name, sinks] : made.sinks) supervisor_.add(std::move(sinks.made));
  for (auto& [name, source] : made.sources) supervisor_.add(std::move(source.made));

  register_made(made);
  channels_.merge(made.channels);
  sinks_.merge(made.sinks);
  sources_.merge(made.sources);
  for (auto& [name, channel] : channels_) channel.node = *wanted.channel(name);
  for (auto& [name, source] : sources_) source.node = *wanted.source(name);
  graph_ = wanted;
  forget_left_out();
}

/// What is in memory has been drained, if it was to be; what is on disk stays there, which somebody should know.
void Agent::end_channel(const std::string& name) {
  const auto found = channels_.find(name);
  if (found == channels_.end()) return;
  RunningChannel running = std::move(channels_.extract(found).mapped());
  unregister(running);
  const std::shared_ptr<Channel> channel = running.runner->named().channel;
  const std::int64_t held = channel->size();
  const std::string where = channel->kept_in();
  const std::string label = supervisor_.remove_channel(name);
  if (!label.empty()) {
    abandon(ComponentKind::channel, name, label, std::make_shared<RunningChannel>(std::move(running)));
  }
  const std::int64_t lost = channel->lost_at_end();
  if (lost > 0) {
    lost_[name] += lost;
    log_->error(fmt::format("channel {} still held {} events in memory: they are lost", name, lost));
  }
  if (where.empty() || held <= lost) return;
  log_->warn(
      fmt::format("channel {} has ended with {} events in it, which nobody delivers now: they stay on disk, {}; "
                  "put the channel back as it was, or read them with `standpipe tool file-channel export`",
                  name, held - lost, where));
}

/// The graph is what runs: what could not be made is tried again with the next change.
void Agent::forget_left_out() {
  const auto not_in = [](const auto& running) {
    return [&running](const auto& node) { return !running.contains(node.name); };
  };
  for (const SinkUnit& unit : sink_units(graph_)) {
    if (sinks_.contains(unit.name())) continue;
    std::erase_if(graph_.sinks, [&](const SinkNode& sink) { return contains(unit.group.sinks, sink.name); });
    std::erase_if(graph_.groups, [&](const GroupNode& group) { return group.sinks == unit.group.sinks; });
  }
  std::erase_if(graph_.sources, not_in(sources_));
  std::erase_if(graph_.channels, not_in(channels_));
}

/// Under a name that none can have that takes its place.
void Agent::abandon(ComponentKind kind, const std::string& name, const std::string& label, std::shared_ptr<void> what) {
  auto counters = std::make_unique<CounterGroup>();
  const Health health{LifeState::abandoned, Status(), process_.clock.now_ms()};
  auto registration =
      process_.registry.add({name_, kind, name + " (removed)", counters.get(), [health] { return health; }});
  abandoned_.push_back({label, std::move(what), std::move(counters), std::move(registration)});
}

StopReport Agent::stop() {
  StopReport report = supervisor_.stop();
  for (const Abandoned& earlier : abandoned_) report.abandoned.push_back(earlier.label);
  for (const auto& [channel, events] : lost_) report.left_behind[channel] += events;
  return report;
}

void Agent::register_made(Made& made) {
  const auto add = [&](ComponentKind kind, const std::string& name, ComponentWorld& world, const Runner& runner) {
    return process_.registry.add({name_, kind, name, &world.counters(), [&runner] { return runner.health(); }});
  };
  for (auto& [name, channel] : made.channels) {
    channel.registration = add(ComponentKind::channel, name, *channel.world, *channel.runner);
  }
  for (auto& [name, source] : made.sources) {
    source.registration = add(ComponentKind::source, name, *source.world, *source.runner);
  }
  for (auto& [unit, sinks] : made.sinks) {
    for (std::size_t i = 0; i < sinks.unit.sinks.size(); ++i) {
      sinks.registrations.push_back(
          add(ComponentKind::sink, sinks.unit.sinks[i].name, *sinks.worlds[i], *sinks.runner));
    }
  }
}

Diagnostics refusing(const AgentGraph& running, const Diagnostics& accepted, const Diagnostics& fresh) {
  const auto runs = [&](const std::string& component) {
    const std::size_t dot = component.find('.');
    if (dot == std::string::npos) return false;
    const std::string name = component.substr(dot + 1);
    return running.source(name) != nullptr || running.sink(name) != nullptr || running.channel(name) != nullptr;
  };
  Diagnostics found;
  if (FAILPOINT("reload.accept_broken")) return found;
  for (const Diagnostic& each : fresh) {
    if (each.severity != Severity::error) continue;
    const bool known = std::any_of(accepted.begin(), accepted.end(), [&](const Diagnostic& old) {
      return old.code == each.code && old.key == each.key && old.message == each.message;
    });
    const bool whole_file =
        each.component.empty() && (each.code == DiagnosticCode::syntax || each.code == DiagnosticCode::invalid_agent ||
                                   each.code == DiagnosticCode::template_text);
    if (!known && (whole_file || runs(each.component))) found.push_back(each);
  }
  return found;
}

}  // namespace standpipe

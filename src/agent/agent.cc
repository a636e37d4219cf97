#include "agent/agent.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/clock.h"

namespace standpipe {

Agent::Agent(const ProcessWorld& process, std::string name, SupervisorOptions options)
    : process_(process),
      name_(std::move(name)),
      options_(options),
      log_(make_log("agent " + name_)),
      builder_(process, name_),
      supervisor_(*log_, process.clock, options) {
  graph_.name = name_;
  supervisor_.start();
}

Agent::~Agent() { stop(); }

namespace {
// Before a runner goes: nobody asks for its health any more.
void unregister(RunningChannel& channel) { channel.registration = {}; }
void unregister(RunningSource& source) { source.registration = {}; }
void unregister(RunningSinks& sinks) { sinks.registrations.clear(); }
}  // namespace

Status Agent::apply(const AgentGraph& wanted) {
  const Difference changes = difference(graph_, wanted);
  if (changes.empty()) {
    graph_ = wanted;  // places in the file may differ
    return {};
  }
  Made made;
  TRY(make_all(wanted, changes, made));
  TRY(resize_channels(wanted, changes));
  TRY(drain_ending(changes));
  log_->info(fmt::format("applying {}", changes.to_string()));
  put_in_place(wanted, changes, std::move(made));
  return {};
}

Status Agent::leave_out_or_refuse(const Status& why, bool runs_now) {
  if (runs_now) return why.with_context("refused: ");
  log_->error(fmt::format("{}; it is left out", why.message()));
  return {};
}

FlowBuilder::Channels Agent::channels_for(const Difference& changes, Made& made) {
  FlowBuilder::Channels channels;
  for (auto& [name, running] : channels_) {
    const auto& ending = changes.ending_channels;
    if (std::find(ending.begin(), ending.end(), name) == ending.end()) channels.emplace(name, running.runner);
  }
  for (auto& [name, running] : made.channels) channels.insert_or_assign(name, running.runner);
  return channels;
}

namespace {
/// Whether every channel that a component names could be made.
bool all_there(const FlowBuilder::Channels& channels, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) { return channels.contains(name); });
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
  const Status no_channel(Code::invalid, "a channel of it was left out");
  for (const std::string& name : changes.new_sources) {
    const SourceNode& node = *wanted.source(name);
    auto source = all_there(channels, node.channels)
                      ? builder_.make_source(node, channels)
                      : Result<RunningSource>(no_channel.with_context("source " + name + ": "));
    if (source.ok()) {
      made.sources.emplace(name, std::move(source).value());
    } else {
      TRY(leave_out_or_refuse(source.status(), sources_.contains(name)));
    }
  }
  for (const std::string& name : changes.rewired_sources) {
    const SourceNode& node = *wanted.source(name);
    if (!sources_.contains(name)) continue;  // was left out before
    if (!all_there(channels, node.channels)) return no_channel.with_context("refused: source " + name + ": ");
    TRY_ASSIGN(IngestPlan plan, builder_.make_plan(node, sources_.at(name).world->environment(), channels));
    made.plans.emplace(name, std::move(plan));
  }
  for (const SinkUnit& unit : sink_units(wanted)) {
    const std::string& name = unit.group.name;
    if (std::find(changes.new_sinks.begin(), changes.new_sinks.end(), name) == changes.new_sinks.end()) continue;
    std::vector<std::string> used;
    for (const SinkNode& sink : unit.sinks) used.push_back(sink.channel);
    auto sinks = all_there(channels, used) ? builder_.make_sinks(unit.group, unit.sinks, channels)
                                           : Result<RunningSinks>(no_channel.with_context("sink " + name + ": "));
    if (sinks.ok()) {
      made.sinks.emplace(name, std::move(sinks).value());
    } else {
      TRY(leave_out_or_refuse(sinks.status(), sinks_.contains(name)));
    }
  }
  return {};
}

Status Agent::resize_channels(const AgentGraph& wanted, const Difference& changes) {
  for (std::size_t i = 0; i < changes.changed_channels.size(); ++i) {
    const std::string& name = changes.changed_channels[i];
    const auto found = channels_.find(name);
    if (found == channels_.end()) continue;
    const Status status = found->second.runner->channel().reconfigure(wanted.channel(name)->settings);
    if (status.ok()) continue;
    for (std::size_t undone = 0; undone < i; ++undone) {
      // Going back to settings that it had a moment ago; a failure leaves it with the new ones, which is no loss.
      RunningChannel& other = channels_.at(changes.changed_channels[undone]);
      other.runner->channel().reconfigure(other.node.settings).ignore();
    }
    return status.with_context(fmt::format("refused: channel {}: ", name));
  }
  return {};
}

std::vector<RunningSource*> Agent::pause_sources_of(const std::vector<std::string>& channels) {
  std::vector<RunningSource*> paused;
  for (auto& [name, source] : sources_) {
    const auto& used = source.node.channels;
    const bool feeds = std::any_of(used.begin(), used.end(), [&](const std::string& channel) {
      return std::find(channels.begin(), channels.end(), channel) != channels.end();
    });
    if (!feeds) continue;
    source.runner->stop();
    paused.push_back(&source);
  }
  return paused;
}

Status Agent::drain_ending(const Difference& changes) {
  std::vector<Channel*> holding;
  for (const std::string& name : changes.ending_channels) {
    const auto found = channels_.find(name);
    if (found == channels_.end()) continue;
    Channel& channel = found->second.runner->channel();
    if (channel.is_volatile() && channel.size() > 0) holding.push_back(&channel);
  }
  if (holding.empty()) return {};
  // Sources that feed an ending channel pause; what stands behind the others goes on.
  const std::vector<RunningSource*> paused = pause_sources_of(changes.ending_channels);
  for (Channel* channel : holding) {
    if (supervisor_.drain(*channel)) continue;
    for (RunningSource* source : paused) {
      source->ingest->restart();
      source->runner->start();
    }
    return {Code::full, fmt::format("refused: {} events are still in a channel that would end, after {} s",
                                    channel->size(), options_.drain_timeout.count() / 1000)};
  }
  return {};
}

void Agent::put_in_place(const AgentGraph& wanted, const Difference& changes, Made made) {
  for (auto& [name, channel] : made.channels) supervisor_.add(std::move(channel.made));
  const auto keep_if_abandoned = [&](const std::string& label, auto running) {
    if (!label.empty()) abandoned_.push_back(std::make_shared<decltype(running)>(std::move(running)));
  };
  const auto leave = [&](auto& map, const std::string& name, auto remove) {
    const auto found = map.find(name);
    if (found == map.end()) return;
    auto running = std::move(map.extract(found).mapped());
    unregister(running);
    keep_if_abandoned(remove(name), std::move(running));
  };
  for (const std::string& name : changes.ending_sources) {
    leave(sources_, name, [&](const std::string& ending) { return supervisor_.remove_source(ending); });
  }
  for (auto& [name, plan] : made.plans) {
    RunningSource& source = sources_.at(name);
    source.ingest->replace(std::move(plan));
    source.ingest->restart();
    source.runner->start();  // a no-op unless it was paused for a drain
  }
  for (const std::string& name : changes.ending_sinks) {
    leave(sinks_, name, [&](const std::string& ending) { return supervisor_.remove_sink(ending); });
  }
  for (const std::string& name : changes.ending_channels) {
    leave(channels_, name, [&](const std::string& ending) { return supervisor_.remove_channel(ending); });
  }
  for (auto& [name, sinks] : made.sinks) supervisor_.add(std::move(sinks.made));
  for (auto& [name, source] : made.sources) supervisor_.add(std::move(source.made));

  register_made(made);
  channels_.merge(made.channels);
  sinks_.merge(made.sinks);
  sources_.merge(made.sources);
  for (auto& [name, channel] : channels_) channel.node = *wanted.channel(name);
  for (auto& [name, source] : sources_) source.node = *wanted.source(name);
  graph_ = wanted;
}

StopReport Agent::stop() {
  StopReport report = supervisor_.stop();
  for (const std::string& label : report.abandoned) abandoned_.push_back(std::make_shared<std::string>(label));
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
    for (std::size_t i = 0; i < sinks.sinks.size(); ++i) {
      sinks.registrations.push_back(add(ComponentKind::sink, sinks.sinks[i].name, *sinks.worlds[i], *sinks.runner));
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

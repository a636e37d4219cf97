#include "agent/difference.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"

namespace standpipe {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const SinkUnit* find_unit(const std::vector<SinkUnit>& units, const std::string& name) {
  const auto found =
      std::find_if(units.begin(), units.end(), [&](const SinkUnit& unit) { return unit.name() == name; });
  return found == units.end() ? nullptr : &*found;
}

bool same_unit(const SinkUnit& a, const SinkUnit& b) {
  if (FAILPOINT("reload.restart_unchanged")) return false;
  if (a.group.info != b.group.info || a.sinks.size() != b.sinks.size()) return false;
  if (a.group.info != nullptr && !same_component(a.group, b.group)) return false;
  return std::equal(a.sinks.begin(), a.sinks.end(), b.sinks.begin(),
                    [](const SinkNode& x, const SinkNode& y) { return same_component(x, y); });
}

/// The source itself, whatever stands behind it.
bool same_source_alone(const SourceNode& a, const SourceNode& b) {
  if (FAILPOINT("reload.restart_unchanged")) return false;
  return same_component(static_cast<const ComponentNode&>(a), static_cast<const ComponentNode&>(b));
}

void compare_channels(const AgentGraph& running, const AgentGraph& wanted, Difference& found) {
  for (const ChannelNode& old : running.channels) {
    const ChannelNode* now = wanted.channel(old.name);
    if (now != nullptr && now->info == old.info) {
      if (!same_component(old, *now)) found.changed_channels.push_back(old.name);
      continue;
    }
    found.ending_channels.push_back(old.name);
  }
  for (const ChannelNode& now : wanted.channels) {
    const ChannelNode* old = running.channel(now.name);
    if (old == nullptr || old->info != now.info) found.new_channels.push_back(now.name);
  }
}

void compare_sources(const AgentGraph& running, const AgentGraph& wanted, Difference& found) {
  for (const SourceNode& old : running.sources) {
    const SourceNode* now = wanted.source(old.name);
    if (now == nullptr || !same_source_alone(old, *now)) {
      found.ending_sources.push_back(old.name);
      continue;
    }
    const bool channel_made_anew =
        std::any_of(now->channels.begin(), now->channels.end(),
                    [&](const std::string& name) { return contains(found.new_channels, name); });
    if (channel_made_anew || !same_component(old, *now)) found.rewired_sources.push_back(old.name);
  }
  for (const SourceNode& now : wanted.sources) {
    const SourceNode* old = running.source(now.name);
    if (old == nullptr || !same_source_alone(*old, now)) found.new_sources.push_back(now.name);
  }
}

void compare_sinks(const AgentGraph& running, const AgentGraph& wanted, Difference& found) {
  const std::vector<SinkUnit> before = sink_units(running);
  const std::vector<SinkUnit> after = sink_units(wanted);
  const auto stays = [&](const SinkUnit& old, const SinkUnit* now) {
    if (now == nullptr || !same_unit(old, *now)) return false;
    return std::none_of(now->sinks.begin(), now->sinks.end(),
                        [&](const SinkNode& sink) { return contains(found.new_channels, sink.channel); });
  };
  for (const SinkUnit& old : before) {
    if (!stays(old, find_unit(after, old.name()))) found.ending_sinks.push_back(old.name());
  }
  for (const SinkUnit& now : after) {
    const SinkUnit* old = find_unit(before, now.name());
    if (old == nullptr || !stays(*old, &now)) found.new_sinks.push_back(now.name());
  }
}

std::string one_kind(std::string_view kind, const std::vector<std::string>& added,
                     const std::vector<std::string>& ended, const std::vector<std::string>& changed) {
  std::string text;
  for (const std::string& name : added) text += " +" + name;
  for (const std::string& name : ended) text += " -" + name;
  for (const std::string& name : changed) text += " ~" + name;
  return text.empty() ? "" : fmt::format("{}:{}; ", kind, text);
}

}  // namespace

bool Difference::empty() const {
  return ending_channels.empty() && new_channels.empty() && changed_channels.empty() && ending_sources.empty() &&
         new_sources.empty() && rewired_sources.empty() && ending_sinks.empty() && new_sinks.empty();
}

std::string Difference::to_string() const {
  std::string text = one_kind("channels", new_channels, ending_channels, changed_channels) +
                     one_kind("sources", new_sources, ending_sources, rewired_sources) +
                     one_kind("sinks", new_sinks, ending_sinks, {});
  if (text.size() >= 2) text.resize(text.size() - 2);
  return text;
}

Difference difference(const AgentGraph& running, const AgentGraph& wanted) {
  Difference found;
  compare_channels(running, wanted, found);
  compare_sources(running, wanted, found);
  compare_sinks(running, wanted, found);
  return found;
}

std::vector<SinkUnit> sink_units(const AgentGraph& graph) {
  std::vector<SinkUnit> units;
  for (const GroupNode& group : graph.groups) {
    SinkUnit unit{group, {}};
    for (const std::string& name : group.sinks) {
      if (const SinkNode* sink = graph.sink(name)) unit.sinks.push_back(*sink);
    }
    if (!unit.sinks.empty()) units.push_back(std::move(unit));
  }
  for (const SinkNode& sink : graph.sinks) {
    if (graph.group_of(sink.name) != nullptr) continue;
    SinkUnit unit;
    unit.group.name = sink.name;
    unit.group.sinks = {sink.name};
    unit.sinks = {sink};
    units.push_back(std::move(unit));
  }
  return units;
}

}  // namespace standpipe

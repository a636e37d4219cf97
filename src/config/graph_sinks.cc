#include "config/graph_building.h"

#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "config/spelling.h"

namespace standpipe {

namespace {

constexpr std::string_view kProcessor = "processor.";

constexpr Option kSinkOptions[] = {
    {.name = "onPoison", .kind = Kind::choice, .fallback = "block", .choices = "block|quarantine"},
};
/// What the engine reads of a sink; not in the tables of the sinks.
constexpr ComponentInfo kSink = {.kind = ComponentKind::sink, .name = "sink", .options = kSinkOptions};

}  // namespace

// -- sinks ------------------------------------------------------------------------------------------------------------

void GraphBuilder::add_sink(const std::string& name) {
  const ComponentText& text = *component("sinks", name);
  ComponentCheck check = checker("sinks", name);
  EntryMap own = text.properties;
  own.erase("channel");
  own.erase("channels");
  own.erase(std::string(kSinkOptions[0].name));
  auto made = node(check, ComponentKind::sink, name, text, std::move(own));
  SinkNode sink;
  sink.quarantine = quarantines(check, text);
  sink.channel = sink_channel(check, text);
  wiring_.sinks.emplace(name, Wired{&text, made, named_channels(text, "channel")});
  if (!made || !check.sound()) return;
  static_cast<ComponentNode&>(sink) = std::move(*made);
  graph_.sinks.push_back(std::move(sink));
}

bool GraphBuilder::quarantines(ComponentCheck& check, const ComponentText& text) {
  EntryMap given;
  if (const auto found = text.properties.find(kSinkOptions[0].name); found != text.properties.end())
    given.insert(*found);
  return check.check(kSink, given, *text.first, prefix(check)).choice(kSinkOptions[0].name) == "quarantine";
}

std::string GraphBuilder::sink_channel(ComponentCheck& check, const ComponentText& text) {
  const auto given = text.properties.find("channel");
  const auto misnamed = text.properties.find("channels");
  if (misnamed != text.properties.end())
    report_misnamed(check, *misnamed->second, "channels", "channel", given == text.properties.end());
  if (given == text.properties.end()) {
    if (misnamed == text.properties.end()) report_no_channel(check, text, "channel");
    return {};
  }
  const std::string channel = check.name(*given->second);
  if (channel.empty()) {
    check.fail(DiagnosticCode::missing_channel, *given->second, "the sink has no channel");
    return {};
  }
  wiring_.read.insert(channel);
  const auto existing = existing_channels(check, *given->second, {channel});
  return existing.empty() ? std::string() : existing.front();
}

// -- sink groups ------------------------------------------------------------------------------------------------------

void GraphBuilder::add_group(const std::string& name) {
  const ComponentText& text = *component("sinkgroups", name);
  ComponentCheck check(catalog_, fmt::format("sinkgroups.{}", name),
                       fmt::format("sink group {} is left out; its sinks run on their own", name), diagnostics_);
  report_foreign_group_keys(check, text);
  GroupNode group;
  group.name = name;
  group.sinks = group_members(check, text);
  check_member_channels(check, text);
  add_processor(check, text, group);
  if (check.sound() && group.info != nullptr) graph_.groups.push_back(std::move(group));
}

void GraphBuilder::report_foreign_group_keys(ComponentCheck& check, const ComponentText& text) {
  for (const auto& [key, entry] : text.properties) {
    if (key == "sinks" || key.starts_with(kProcessor)) continue;
    check.report(Severity::warning, DiagnosticCode::unknown_property, *entry,
                 fmt::format("a sink group has no property '{}'", key),
                 key == "sink" ? std::string("did you mean sinks?") : fmt::format("did you mean processor.{}?", key),
                 "it is ignored");
  }
}

std::vector<std::string> GraphBuilder::group_members(ComponentCheck& check, const ComponentText& text) {
  const auto list = text.properties.find("sinks");
  if (list == text.properties.end()) {
    check.fail_whole(DiagnosticCode::missing_required, *text.first, prefix(check), "the sink group has no 'sinks'",
                     fmt::format("add {}sinks = …", prefix(check)));
    return {};
  }
  std::vector<std::string> members;
  for (const std::string& sink : check.names(*list->second)) {
    if (is_free_sink(check, *list->second, sink)) members.push_back(sink);
  }
  if (members.empty()) check.follow(*list->second, "none of its sinks runs", true, DiagnosticCode::group_member);
  return members;
}

/// Legal, but only the active member's channel drains. Judged by the words of the file.
void GraphBuilder::check_member_channels(ComponentCheck& check, const ComponentText& text) {
  const auto list = text.properties.find("sinks");
  if (list == text.properties.end()) return;
  std::set<std::string> channels;
  for (const std::string_view member : split_words(list->second->second.value)) {
    const auto sink = wiring_.sinks.find(member);
    if (sink != wiring_.sinks.end()) channels.insert(sink->second.channels.begin(), sink->second.channels.end());
  }
  if (channels.size() < 2) return;
  check.report(Severity::warning, DiagnosticCode::group_member, *list->second,
               fmt::format("its sinks read different channels: {}", fmt::join(channels, ", ")),
               "give all sinks of a group the same channel", "the channels of inactive members fill up");
}

bool GraphBuilder::is_free_sink(ComponentCheck& check, const Entry& list, const std::string& sink) {
  const std::string without = fmt::format("the group runs without {}", sink);
  if (graph_.sink(sink) == nullptr) {
    const bool declared = contains(declared_["sinks"], sink) || missing_.contains("sinks." + sink);
    if (declared) {
      check.report(Severity::note, DiagnosticCode::group_member, list,
                   fmt::format("sink '{}' is left out itself", sink), {}, without);
      return false;
    }
    const std::string_view near = nearest_word(sink, views(declared_["sinks"]));
    check.report(
        Severity::warning, DiagnosticCode::group_member, list, fmt::format("the agent has no sink '{}'", sink),
        near.empty() ? fmt::format("add {} to {}.sinks", sink, text_.name) : fmt::format("did you mean {}?", near),
        without);
    return false;
  }
  const GroupNode* other = graph_.group_of(sink);
  if (other == nullptr) return true;
  check.report(Severity::warning, DiagnosticCode::group_member, list,
               fmt::format("sink '{}' belongs to group {} already", sink, other->name),
               "a sink can be in one group only", without);
  return false;
}

void GraphBuilder::add_processor(ComponentCheck& check, const ComponentText& text, GroupNode& group) {
  EntryMap properties = below(text.properties, kProcessor);
  const auto type = properties.find("type");
  const Entry& place = type == properties.end() ? *text.first : *type->second;
  group.file = place.second.file;
  group.line = place.second.line;
  if (type == properties.end()) {
    group.info = catalog_.find(ComponentKind::sink_processor, "default").info;
  } else {
    group.info = check.find_type(ComponentKind::sink_processor, place);
  }
  if (group.info == nullptr) return;
  properties.erase("type");
  if (const auto sinks = properties.find("sinks"); sinks != properties.end()) {
    check.report(Severity::warning, DiagnosticCode::unknown_property, *sinks->second,
                 "a processor has no property 'sinks'", fmt::format("did you mean {}.sinks?", check.label()),
                 "it is ignored");
    properties.erase(sinks);
  }
  group.settings = check.check(*group.info, properties, place, fmt::format("{}{}", prefix(check), kProcessor));
  if (group.info->name == "default" && group.sinks.size() > 1) {
    check.fail(DiagnosticCode::group_member, place, "the default processor takes one sink",
               "set processor.type = failover or load_balance");
  }
  if (group.info->name == "load_balance" && group.sinks.size() == 1) {
    check.fail(DiagnosticCode::group_member, place,
               fmt::format("load_balance needs at least two sinks, and there is only {}", group.sinks.front()),
               "add one, or remove the group");
  }
  check_priorities(check, text, properties, group);
  if (group.info->name == "failover") check_equal_priorities(check, properties, group);
}

void GraphBuilder::check_priorities(ComponentCheck& check, const ComponentText& text, const EntryMap& properties,
                                    const GroupNode& group) {
  const auto list = text.properties.find("sinks");
  std::vector<std::string> listed;  // also those that are left out: the root has been named already
  if (list != text.properties.end()) {
    for (const std::string_view word : split_words(list->second->second.value)) listed.emplace_back(word);
  }
  for (const auto& [sink, entry] : below(properties, "priority.")) {
    if (contains(group.sinks, sink) || contains(listed, sink)) continue;
    const std::string_view near = nearest_word(sink, views(group.sinks));
    check.report(Severity::warning, DiagnosticCode::group_member, *entry,
                 fmt::format("sink '{}' is not in the group", sink),
                 near.empty() ? std::string() : fmt::format("did you mean priority.{}?", near), "it is ignored");
  }
}

/// Flume drops one of the two.
void GraphBuilder::check_equal_priorities(ComponentCheck& check, const EntryMap& properties, const GroupNode& group) {
  const EntryMap priorities = below(properties, "priority.");
  std::map<std::int64_t, std::string> holders;
  for (const std::string& sink : group.sinks) {
    const auto given = priorities.find(sink);
    const auto number = given == priorities.end() ? std::nullopt : parse_integer(given->second->second.value);
    if (!number) continue;
    const auto [holder, first] = holders.emplace(*number, sink);
    if (first) continue;
    check.report(Severity::warning, DiagnosticCode::group_member, *given->second,
                 fmt::format("{} is also the priority of {}", *number, holder->second),
                 "give each sink a number of its own",
                 fmt::format("{} comes before {}, as in the list", holder->second, sink));
  }
}

}  // namespace standpipe

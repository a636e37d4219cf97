// The flow of an agent as text: who writes to whom, and how safe an event is on each way.

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "config/catalog.h"
#include "config/check.h"

namespace standpipe {

namespace {

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string named(const ComponentNode& node) { return fmt::format("{} ({})", node.name, display_name(*node.info)); }

/// The last part of a class name: the picture has no room for packages.
std::string short_type(const ComponentNode& node) {
  const std::string_view type = display_name(*node.info);
  return fmt::format("{} ({})", node.name, type.substr(type.rfind('.') + 1));
}

bool is_kind(const ChannelNode& channel, std::string_view alias, std::string_view class_name) {
  const auto& names = channel.info->class_names;
  return channel.info->name == alias ||
         std::any_of(names.begin(), names.end(), [&](std::string_view n) { return n.ends_with(class_name); });
}

enum class Level : unsigned char { best_effort, memory, store_on_failure, end_to_end };

struct Judgement {
  Level level = Level::memory;
  std::string because;
};

/// Whether an option is set to this, and that means something here.
bool option_is(const ComponentNode& node, std::string_view key, std::string_view value) {
  const Option* const option = find_option(*node.info, key);
  return option != nullptr && option->no_effect.empty() && node.settings.choice(key) == value;
}

Judgement judge_kafka(const ChannelNode& channel) {
  const auto acks = channel.settings.values().find("kafka.producer.acks");
  if (acks == channel.settings.values().end() || acks->second == "all" || acks->second == "-1") {
    return {Level::end_to_end, ""};
  }
  return {Level::memory, fmt::format("channel {} has kafka.producer.acks = {}", channel.name, acks->second)};
}

Judgement judge(const ChannelNode& channel) {
  if (is_kind(channel, "kafka", "KafkaChannel")) return judge_kafka(channel);
  if (is_kind(channel, "file", "FileChannel") || is_kind(channel, "jdbc", "JdbcChannel")) {
    if (option_is(channel, "fsyncPerTransaction", "false")) {
      return {Level::memory, fmt::format("channel {} has fsyncPerTransaction = false: a power cut loses what was not "
                                         "synced yet",
                                         channel.name)};
    }
    return {Level::end_to_end, ""};
  }
  if (is_kind(channel, "spillablememory", "SpillableMemoryChannel")) {
    return {Level::store_on_failure,
            fmt::format("channel {} holds the newest events in memory: a crash loses them", channel.name)};
  }
  if (option_is(channel, "onFull", "drop")) {
    return {Level::best_effort, fmt::format("channel {} drops when it is full", channel.name)};
  }
  return {Level::memory, fmt::format("channel {} is in memory: a crash loses what it holds", channel.name)};
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::best_effort: return "best effort";
    case Level::memory: return "in memory";
    case Level::store_on_failure: return "store on failure";
    case Level::end_to_end: return "end-to-end";
  }
  return "?";
}

/// What a selector does with one channel: "mapping state=CZ", "default", "optional".
std::string selector_words(const SourceNode& source, const std::string& channel) {
  std::vector<std::string> words;
  for (const auto& [key, value] : source.selector.settings.values()) {
    const std::string padded = fmt::format(" {} ", value);
    const bool named_here = (key.starts_with("mapping.") || key.starts_with("optional") || key == "default") &&
                            padded.find(fmt::format(" {} ", channel)) != std::string::npos;
    if (!named_here) continue;
    words.push_back(key.starts_with("mapping.") ? fmt::format("'{}'", key.substr(8)) : key);
  }
  return words.empty() ? std::string() : fmt::format(" [{}]", join(words, ", "));
}

std::string selector_line(const SourceNode& source) {
  if (source.selector.info == nullptr || source.channels.size() < 2) return {};
  const Settings& settings = source.selector.settings;
  const auto header = settings.values().find("header");
  if (source.selector.info->name == "replicating" && settings.values().empty()) return {};
  return fmt::format(
      "  selector: {}{}\n", source.selector.info->name,
      header == settings.values().end() ? std::string() : fmt::format(" by header '{}'", header->second));
}

class Picture {
 public:
  explicit Picture(const AgentGraph& graph) : graph_(graph) {}

  std::string draw() {
    out_ = fmt::format("agent {}\n", graph_.name);
    if (graph_.empty()) return out_ + "  nothing runs\n";
    for (const SourceNode& source : graph_.sources) draw_source(source);
    for (const ChannelNode& channel : graph_.channels) {
      if (!drawn_.contains(channel.name)) draw_channel("  ", channel, "");
    }
    draw_groups();
    draw_levels();
    return out_;
  }

 private:
  void draw_source(const SourceNode& source) {
    out_ += fmt::format("  {}\n", short_type(source));
    if (!source.interceptors.empty()) {
      std::vector<std::string> names;
      for (const InterceptorNode& node : source.interceptors) names.push_back(short_type(node));
      out_ += fmt::format("    through {}\n", join(names, ", "));
    }
    const std::string selector = selector_line(source);
    if (!selector.empty()) out_ += "  " + selector;
    for (const std::string& name : source.channels) {
      const ChannelNode* channel = graph_.channel(name);
      if (channel != nullptr) draw_channel("    -> ", *channel, selector_words(source, name));
    }
  }

  void draw_channel(std::string_view indent, const ChannelNode& channel, const std::string& words) {
    std::vector<std::string> sinks;
    for (const SinkNode& sink : graph_.sinks) {
      if (sink.channel == channel.name) sinks.push_back(sink_words(sink));
    }
    const bool again = !drawn_.insert(channel.name).second;
    out_ += fmt::format("{}{}{} -> {}\n", indent, short_type(channel), words,
                        again           ? std::string("(above)")
                        : sinks.empty() ? std::string("nobody")
                                        : join(sinks, ", "));
  }

  std::string sink_words(const SinkNode& sink) const {
    const GroupNode* group = graph_.group_of(sink.name);
    return group == nullptr ? short_type(sink) : fmt::format("{} in {}", short_type(sink), group->name);
  }

  void draw_groups() {
    for (const GroupNode& group : graph_.groups) {
      out_ += fmt::format("  group {}: {}\n", named(group), join(group.sinks, ", "));
    }
  }

  void draw_levels() {
    out_ += "reliability\n";
    for (const SourceNode& source : graph_.sources) {
      for (const std::string& channel : source.channels) draw_level(source.name, channel);
    }
    for (const SinkNode& sink : graph_.sinks) {
      const auto& acknowledges = sink.info->acknowledges;
      if (!acknowledges.empty()) out_ += fmt::format("  {} acknowledges: {}\n", sink.name, acknowledges);
    }
  }

  void draw_level(std::string_view source, const std::string& name) {
    const ChannelNode* channel = graph_.channel(name);
    if (channel == nullptr) return;
    std::vector<std::string> sinks;
    for (const SinkNode& sink : graph_.sinks) {
      if (sink.channel == name) sinks.push_back(sink.name);
    }
    if (sinks.empty()) {
      const bool drops = option_is(*channel, "onFull", "drop");
      out_ += fmt::format("  {} -> {} -> nobody: no sink empties channel {}: it fills up, then {}\n", source, name,
                          name, drops ? "what comes is dropped" : fmt::format("{} waits", source));
      return;
    }
    const Judgement judgement = judge(*channel);
    out_ += fmt::format("  {} -> {} -> {}: {}{}{}\n", source, name, join(sinks, ", "), level_name(judgement.level),
                        judgement.because.empty() ? "" : "; ", judgement.because);
  }

  const AgentGraph& graph_;
  std::string out_;
  std::set<std::string> drawn_;
};

}  // namespace

std::string render_flow(const AgentGraph& graph) { return Picture(graph).draw(); }

}  // namespace standpipe

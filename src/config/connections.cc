#include "config/connections.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace standpipe {

namespace {

constexpr std::string_view kTransaction = "transactionCapacity";
constexpr std::string_view kCapacity = "capacity";

/// The value of a numeric option, set or defaulted; nothing: the component has none.
std::optional<std::int64_t> number(const ComponentNode& node, std::string_view key) {
  if (key.empty() || find_option(*node.info, key) == nullptr) return std::nullopt;
  if (node.settings.text(key).empty()) return std::nullopt;
  return node.settings.integer(key);
}

/// A Kafka topic is written and read by others, too.
bool is_open_ended(const ComponentInfo& info) {
  return std::any_of(info.class_names.begin(), info.class_names.end(),
                     [](std::string_view name) { return name.find("KafkaChannel") != std::string_view::npos; });
}

class Connections {
 public:
  Connections(AgentGraph& graph, const Wiring& wiring, Diagnostics& diagnostics)
      : graph_(graph), wiring_(wiring), diagnostics_(diagnostics) {}

  void run() {
    for (const ChannelNode& channel : graph_.channels) check_ends(channel);
    for (const ChannelNode& channel : graph_.channels) check_capacity(channel);
    for (const SourceNode& source : graph_.sources) {
      for (const std::string& channel : source.channels) check_batch(source, "sources", channel);
    }
    for (const SinkNode& sink : graph_.sinks) check_batch(sink, "sinks", sink.channel);
    std::erase_if(graph_.channels, [this](const ChannelNode& channel) { return !is_used(channel); });
  }

 private:
  /// The line of a property, or of the component's type when the property is not set.
  Diagnostic& report(Severity severity, DiagnosticCode code, const ComponentNode& node, std::string_view kind,
                     const Entry* entry, std::string message) {
    Diagnostic found;
    if (entry != nullptr) {
      found = diagnose(severity, code, *entry, std::move(message));
    } else {
      found.severity = severity;
      found.code = code;
      found.file = node.file;
      found.line = node.line;
      found.agent = graph_.name;
      found.key = fmt::format("{}.{}.{}.type", graph_.name, kind, node.name);
      found.message = std::move(message);
    }
    found.component = fmt::format("{}.{}", kind, node.name);
    return diagnostics_.emplace_back(std::move(found));
  }

  const Entry* channel_property(const ChannelNode& channel, std::string_view key) const {
    const ComponentText& text = *wiring_.channels.find(channel.name)->second;
    const auto found = text.properties.find(key);
    return found == text.properties.end() ? nullptr : found->second;
  }

  bool is_used(const ChannelNode& channel) const {
    const bool written = std::any_of(graph_.sources.begin(), graph_.sources.end(), [&](const SourceNode& source) {
      return std::find(source.channels.begin(), source.channels.end(), channel.name) != source.channels.end();
    });
    return written || std::any_of(graph_.sinks.begin(), graph_.sinks.end(),
                                  [&](const SinkNode& sink) { return sink.channel == channel.name; });
  }

  void check_ends(const ChannelNode& channel) {
    const bool written = wiring_.written.contains(channel.name);
    const bool read = wiring_.read.contains(channel.name);
    if (written && read) {
      if (is_used(channel)) return;
      report(Severity::note, DiagnosticCode::unconnected_channel, channel, "channels", nullptr,
             "nothing that runs uses the channel")
          .consequence = fmt::format("channel {} is left out", channel.name);
      return;
    }
    if ((written || read) && is_open_ended(*channel.info)) return;
    Diagnostic& found = report(Severity::warning, DiagnosticCode::unconnected_channel, channel, "channels", nullptr,
                               !written && !read ? "no source writes to the channel and no sink reads it"
                               : written         ? "no sink reads the channel"
                                                 : "no source writes to the channel");
    found.suggestion = written ? fmt::format("add a sink with channel = {}", channel.name)
                               : fmt::format("add {} to the channels of a source", channel.name);
    found.consequence = !written && !read ? fmt::format("channel {} is left out", channel.name)
                        : written         ? "it will fill up"
                                          : "its sinks have nothing to do";
  }

  void check_capacity(const ChannelNode& channel) {
    const auto capacity = number(channel, kCapacity);
    const auto transaction = number(channel, kTransaction);
    if (!capacity || !transaction || *capacity >= *transaction) return;
    const Entry* place = channel_property(channel, kCapacity);
    if (place == nullptr) place = channel_property(channel, kTransaction);
    Diagnostic& found =
        report(Severity::warning, DiagnosticCode::capacity_below_transaction, channel, "channels", place,
               fmt::format("capacity {} is below transactionCapacity {}", *capacity, *transaction));
    found.suggestion = fmt::format("raise capacity to at least {}", *transaction);
    found.consequence = fmt::format("transactions are limited to {}; Flume would drop the channel", *capacity);
  }

  void check_batch(const ComponentNode& node, std::string_view kind, std::string_view channel_name) {
    const ChannelNode* channel = graph_.channel(channel_name);
    const auto batch = number(node, node.info->batch_option);
    if (channel == nullptr || !batch) return;
    const auto transaction = number(*channel, kTransaction);
    if (!transaction || *batch <= *transaction) return;
    Diagnostic& found =
        report(Severity::warning, DiagnosticCode::batch_exceeds_transaction, node, kind, find_batch_entry(node, kind),
               fmt::format("the batch size {} is above the {} {} of channel {}", *batch, kTransaction, *transaction,
                           channel_name));
    found.suggestion = fmt::format("set {}.channels.{}.{} = {}", graph_.name, channel_name, kTransaction, *batch);
    found.consequence = kind == "sinks" ? fmt::format("it takes {} at a time; Flume would drop the sink", *transaction)
                                        : "it runs; Flume would drop the source";
  }

  const Entry* find_batch_entry(const ComponentNode& node, std::string_view kind) const {
    const auto& texts = kind == "sinks" ? wiring_.sinks : wiring_.sources;
    const auto text = texts.find(node.name);
    if (text == texts.end()) return nullptr;
    for (const auto& [key, entry] : text->second->properties) {
      const Option* option = find_option(*node.info, key);
      if (option != nullptr && option->name == node.info->batch_option) return entry;
    }
    return nullptr;
  }

  AgentGraph& graph_;
  const Wiring& wiring_;
  Diagnostics& diagnostics_;
};

}  // namespace

void check_connections(AgentGraph& graph, const Wiring& wiring, Diagnostics& diagnostics) {
  Connections(graph, wiring, diagnostics).run();
}

}  // namespace standpipe

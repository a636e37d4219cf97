#include "config/connections.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace standpipe {

namespace {

constexpr std::string_view kTransaction = "transactionCapacity";
constexpr std::string_view kCapacity = "capacity";
constexpr std::string_view kPositions = "positionFile";

/// The value of a numeric option, set or defaulted; nothing: the component has none.
std::optional<std::int64_t> number(const ComponentNode& node, std::string_view key) {
  const Option* option = key.empty() ? nullptr : find_option(*node.info, key);
  if (option == nullptr || !option->no_effect.empty() || node.settings.text(key).empty()) return std::nullopt;
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
    for (const auto& [name, channel] : wiring_.channels) {
      check_ends(name, channel);
      if (channel.node) check_capacity(channel);
    }
    for (const auto& [name, source] : wiring_.sources) check_batches(source, "sources");
    for (const auto& [name, sink] : wiring_.sinks) check_batches(sink, "sinks");
    check_position_files();
    std::erase_if(graph_.channels, [this](const ChannelNode& channel) { return !is_used(channel.name); });
  }

 private:
  /// A finding about one property; about the component as a whole, at its type's line, when it is not written.
  Diagnostic& report(Severity severity, DiagnosticCode code, std::string_view component, const Wired& wired,
                     const Entry* entry, std::string message) {
    const auto type = wired.text->properties.find("type");
    const Entry& place = type == wired.text->properties.end() ? *wired.text->first : *type->second;
    Diagnostic found = diagnose(severity, code, entry != nullptr ? *entry : place, std::move(message));
    if (entry == nullptr) found.key = fmt::format("{}.{}", graph_.name, component);
    found.component = component;
    return diagnostics_.emplace_back(std::move(found));
  }

  static const Entry* property(const Wired& wired, std::string_view key) {
    const auto found = wired.text->properties.find(key);
    return found == wired.text->properties.end() ? nullptr : found->second;
  }

  bool is_used(std::string_view channel) const {
    const bool written = std::any_of(graph_.sources.begin(), graph_.sources.end(), [&](const SourceNode& source) {
      return std::find(source.channels.begin(), source.channels.end(), channel) != source.channels.end();
    });
    return written || std::any_of(graph_.sinks.begin(), graph_.sinks.end(),
                                  [&](const SinkNode& sink) { return sink.channel == channel; });
  }

  /// Two sources that keep their positions in one file, by default: each writes over the other's.
  void check_position_files() {
    std::map<std::string, std::string_view> owners;
    for (const auto& [name, source] : wiring_.sources) {
      if (!source.node || find_option(*source.node->info, kPositions) == nullptr) continue;
      const auto [owner, alone] = owners.try_emplace(source.node->settings.text(kPositions), name);
      if (alone) continue;
      Diagnostic& found = report(Severity::warning, DiagnosticCode::bad_value, fmt::format("sources.{}", name), source,
                                 property(source, kPositions),
                                 fmt::format("source {} keeps its positions in the same file", owner->second));
      found.suggestion = fmt::format("give each its own: {}.sources.{}.{} = …", graph_.name, name, kPositions);
      found.consequence = "each writes over the other's, and after a restart lines come twice, as in Flume";
    }
  }

  void check_ends(const std::string& name, const Wired& channel) {
    const std::string component = fmt::format("channels.{}", name);
    const bool written = wiring_.written.contains(name);
    const bool read = wiring_.read.contains(name);
    if (written && read) {
      if (is_used(name) || graph_.channel(name) == nullptr) return;
      report(Severity::note, DiagnosticCode::unconnected_channel, component, channel, nullptr,
             "nothing that runs uses the channel")
          .consequence = fmt::format("channel {} is left out", name);
      return;
    }
    if ((written || read) && channel.node && is_open_ended(*channel.node->info)) return;
    const std::string_view message = written ? "no sink reads the channel"
                                     : read  ? "no source writes to the channel"
                                             : "no source writes to the channel and no sink reads it";
    Diagnostic& found = report(Severity::warning, DiagnosticCode::unconnected_channel, component, channel, nullptr,
                               std::string(message));
    found.suggestion = written ? fmt::format("add a sink with channel = {}", name)
                               : fmt::format("add {} to the channels of a source", name);
    found.consequence = written ? std::string("it will fill up")
                        : read  ? std::string("its sinks have nothing to do")
                                : fmt::format("channel {} is left out", name);
  }

  void check_capacity(const Wired& channel) {
    const auto capacity = number(*channel.node, kCapacity);
    const auto transaction = number(*channel.node, kTransaction);
    if (!capacity || !transaction || *capacity >= *transaction) return;
    const Entry* place = property(channel, kCapacity);
    if (place == nullptr) place = property(channel, kTransaction);
    Diagnostic& found = report(Severity::warning, DiagnosticCode::capacity_below_transaction,
                               fmt::format("channels.{}", channel.node->name), channel, place,
                               fmt::format("capacity {} is below transactionCapacity {}", *capacity, *transaction));
    found.suggestion = fmt::format("raise capacity to at least {}", *transaction);
    found.consequence = fmt::format("transactions are limited to {}; Flume would drop the channel", *capacity);
  }

  /// One warning a component, for the channel with the smallest transactions.
  void check_batches(const Wired& wired, std::string_view kind) {
    if (!wired.node) return;
    const auto batch = number(*wired.node, wired.node->info->batch_option);
    if (!batch) return;
    std::optional<std::int64_t> smallest;
    std::string_view smallest_name;
    for (const std::string& name : wired.channels) {
      const auto channel = wiring_.channels.find(name);
      if (channel == wiring_.channels.end() || !channel->second.node) continue;
      const auto transaction = number(*channel->second.node, kTransaction);
      if (!transaction || (smallest && *smallest <= *transaction)) continue;
      smallest = transaction;
      smallest_name = name;
    }
    if (smallest && *batch > *smallest) report_batch(wired, kind, *batch, *smallest, smallest_name);
  }

  void report_batch(const Wired& wired, std::string_view kind, std::int64_t batch, std::int64_t transaction,
                    std::string_view channel) {
    Diagnostic& found = report(
        Severity::warning, DiagnosticCode::batch_exceeds_transaction, fmt::format("{}.{}", kind, wired.node->name),
        wired, batch_entry(wired),
        fmt::format("the batch size {} is above the {} {} of channel {}", batch, kTransaction, transaction, channel));
    found.suggestion = fmt::format("set {}.channels.{}.{} = {}", graph_.name, channel, kTransaction, batch);
    found.consequence = kind == "sinks" ? fmt::format("it takes {} at a time; Flume would drop the sink", transaction)
                                        : std::string("batches are stored whole; Flume would drop the source");
  }

  static const Entry* batch_entry(const Wired& wired) {
    for (const auto& [key, entry] : wired.text->properties) {
      const Option* option = find_option(*wired.node->info, key);
      if (option != nullptr && option->name == wired.node->info->batch_option) return entry;
    }
    return nullptr;
  }

  AgentGraph& graph_;
  const Wiring& wiring_;
  Diagnostics& diagnostics_;
};

}  // namespace

bool Wiring::is_left_out(std::string_view channel, const std::set<std::string, std::less<>>& missing) const {
  return channels.contains(channel) || missing.contains(fmt::format("channels.{}", channel));
}

void check_connections(AgentGraph& graph, const Wiring& wiring, Diagnostics& diagnostics) {
  Connections(graph, wiring, diagnostics).run();
}

}  // namespace standpipe

#include "config/graph_building.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/spelling.h"

namespace standpipe {

namespace {

constexpr std::string_view kSelector = "selector.";
constexpr std::string_view kInterceptors = "interceptors.";

constexpr Option kRunnerOptions[] = {
    {.name = "backoffSleepIncrement", .kind = Kind::duration, .fallback = "1000", .unit = "ms", .min = 0},
    {.name = "maxBackoffSleep", .kind = Kind::duration, .fallback = "5000", .unit = "ms", .min = 0},
};
/// What the runner of a source reads; not in the tables of the sources.
constexpr ComponentInfo kRunner = {.kind = ComponentKind::source, .name = "source", .options = kRunnerOptions};

}  // namespace

// -- sources ----------------------------------------------------------------------------------------------------------

void GraphBuilder::add_source(const std::string& name) {
  const ComponentText& text = *component("sources", name);
  ComponentCheck check = checker("sources", name);
  EntryMap own;
  for (const auto& [key, entry] : text.properties) {
    const bool shared = key == "channels" || key == "channel" || key == "interceptors" ||
                        key.starts_with(kInterceptors) || key.starts_with(kSelector) || key == kRunnerOptions[0].name ||
                        key == kRunnerOptions[1].name;
    if (!shared) own.emplace(key, entry);
  }
  auto made = node(check, ComponentKind::source, name, text, std::move(own));
  SourceNode source;
  source.channels = source_channels(check, text);
  if (made) take_shared(check, *made, text, source);
  add_interceptors(check, text, source);
  add_selector(check, text, source);
  wiring_.sources.emplace(name, Wired{&text, made, named_channels(text, "channels")});
  if (!made || !check.sound()) return;
  static_cast<ComponentNode&>(source) = std::move(*made);
  graph_.sources.push_back(std::move(source));
}

/// The words of the list as they stand there, whether or not the channels exist.
std::vector<std::string> GraphBuilder::named_channels(const ComponentText& text, std::string_view key) {
  std::vector<std::string> names;
  const auto list = text.properties.find(key);
  if (list == text.properties.end()) return names;
  for (const std::string_view word : split_words(list->second->second.value)) {
    names.emplace_back(word.substr(0, word.find(',')));
  }
  return names;
}

/// The runner's own settings, which every source has.
void GraphBuilder::take_shared(ComponentCheck& check, const ComponentNode& made, const ComponentText& text,
                               SourceNode& source) {
  EntryMap given;
  for (const Option& option : kRunnerOptions) {
    const auto found = text.properties.find(option.name);
    if (found != text.properties.end() && find_option(*made.info, option.name) == nullptr) given.insert(*found);
  }
  const Settings settings = check.check(kRunner, given, *text.first, prefix(check));
  source.backoff_increment = settings.duration(kRunnerOptions[0].name);
  source.max_backoff = settings.duration(kRunnerOptions[1].name);
}

std::vector<std::string> GraphBuilder::source_channels(ComponentCheck& check, const ComponentText& text) {
  const auto listed = text.properties.find("channels");
  const auto misnamed = text.properties.find("channel");
  if (misnamed != text.properties.end())
    report_misnamed(check, *misnamed->second, "channel", "channels", listed == text.properties.end());
  if (listed == text.properties.end()) {
    if (misnamed == text.properties.end()) report_no_channel(check, text, "channels");
    return {};
  }
  const std::vector<std::string> names = check.names(*listed->second);
  if (names.empty()) check.fail(DiagnosticCode::missing_channel, *listed->second, "the source has no channels");
  for (const std::string& channel : names) wiring_.written.insert(channel);
  return existing_channels(check, *listed->second, names);
}

void GraphBuilder::report_misnamed(ComponentCheck& check, const Entry& entry, std::string_view given,
                                   std::string_view right, bool alone) {
  std::string message = fmt::format("'{}' is not '{}'", given, right);
  std::string suggestion = fmt::format("write {}.{}.{} = {}", text_.name, check.label(), right,
                                       entry.second.derived ? "…" : trim(entry.second.value));
  if (alone) {
    check.fail(DiagnosticCode::singular_key, entry, std::move(message), std::move(suggestion));
  } else {
    check.report(Severity::warning, DiagnosticCode::singular_key, entry, std::move(message), "remove it",
                 "it is ignored");
  }
  for (const std::string_view channel : split_words(entry.second.value)) {
    wiring_.written.insert(std::string(channel));  // meant to be connected: no further complaint about the channel
    wiring_.read.insert(std::string(channel));
  }
}

void GraphBuilder::report_no_channel(ComponentCheck& check, const ComponentText& text, std::string_view key) {
  const auto type = text.properties.find("type");
  const Entry& place = type == text.properties.end() ? *text.first : *type->second;
  check.fail_whole(DiagnosticCode::missing_channel, place, prefix(check),
                   fmt::format("{} has no '{}'", check.label(), key), fmt::format("add {}{} = …", prefix(check), key));
}

// -- interceptors -----------------------------------------------------------------------------------------------------

void GraphBuilder::add_interceptors(ComponentCheck& check, const ComponentText& text, SourceNode& source) {
  std::vector<std::string> names;
  const auto list = text.properties.find("interceptors");
  if (list != text.properties.end()) names = check.names(*list->second);
  report_unlisted_interceptors(check, text, names);
  for (const std::string& name : names) {
    add_interceptor(check, below(text.properties, fmt::format("{}{}.", kInterceptors, name)), name, *list->second,
                    source);
  }
}

void GraphBuilder::add_interceptor(ComponentCheck& check, EntryMap properties, const std::string& name,
                                   const Entry& list, SourceNode& source) {
  const auto type = properties.find("type");
  if (type == properties.end()) {
    const Entry& place = properties.empty() ? list : *properties.begin()->second;
    check.fail(DiagnosticCode::unknown_interceptor, place, fmt::format("interceptor '{}' has no type", name),
               fmt::format("add {}.{}.{}{}.type = …", text_.name, check.label(), kInterceptors, name));
    return;
  }
  const Entry& place = *type->second;
  const ComponentInfo* info = check.find_type(ComponentKind::interceptor, place, DiagnosticCode::unknown_interceptor);
  if (info == nullptr) return;
  properties.erase("type");
  InterceptorNode made;
  made.name = name;
  made.info = info;
  made.file = place.second.file;
  made.line = place.second.line;
  made.settings = check.check(*info, properties, place, fmt::format("{}{}{}.", prefix(check), kInterceptors, name));
  source.interceptors.push_back(std::move(made));
}

void GraphBuilder::report_unlisted_interceptors(ComponentCheck& check, const ComponentText& text,
                                                const std::vector<std::string>& names) {
  std::string last;
  for (const auto& [key, entry] : below(text.properties, kInterceptors)) {
    std::string name = key.substr(0, key.find('.'));
    if (contains(names, name) || name == last) continue;
    const std::string_view near = nearest_word(name, views(names));
    check.report(Severity::warning, DiagnosticCode::undeclared_component, *entry,
                 fmt::format("{}.interceptors does not list '{}'", check.label(), name),
                 near.empty() ? fmt::format("add {} to {}.{}.interceptors", name, text_.name, check.label())
                              : fmt::format("did you mean {}{}?", kInterceptors, near),
                 "its properties are ignored");
    last = std::move(name);
  }
}

// -- selectors --------------------------------------------------------------------------------------------------------

void GraphBuilder::add_selector(ComponentCheck& check, const ComponentText& text, SourceNode& source) {
  EntryMap properties = below(text.properties, kSelector);
  const auto type = properties.find("type");
  const Entry& place = type == properties.end() ? *text.first : *type->second;
  SelectorNode& selector = source.selector;
  selector.name = "selector";
  selector.file = place.second.file;
  selector.line = place.second.line;
  if (type == properties.end()) {
    selector.info = catalog_.find(ComponentKind::selector, "replicating").info;
  } else {
    selector.info = check.find_type(ComponentKind::selector, place, DiagnosticCode::unknown_selector);
  }
  if (selector.info == nullptr) return;
  const bool untyped = type == properties.end() && properties.contains("header");
  if (untyped) {
    check.report(Severity::warning, DiagnosticCode::no_effect, *properties.find("header")->second,
                 "without selector.type the selector is replicating", "add selector.type = multiplexing",
                 "every event goes to every channel");
    properties.clear();
  }
  properties.erase("type");
  selector.settings = check.check(*selector.info, properties, place, fmt::format("{}{}", prefix(check), kSelector));
  check_selector_channels(check, properties, source);
}

void GraphBuilder::check_selector_channels(ComponentCheck& check, const EntryMap& properties,
                                           const SourceNode& source) {
  for (const auto& [key, entry] : properties) {
    const bool names_channels =
        key == "default" || key == "optional" || key.starts_with("mapping.") || key.starts_with("optional.");
    if (!names_channels) continue;
    const std::string value = selector_value(source, key);  // the words point into it
    for (const std::string_view channel : split_words(value)) {
      if (contains(source.channels, channel)) continue;
      if (wiring_.is_left_out(channel, missing_)) {
        check.follow(*entry, fmt::format("channel {} is left out itself", check.quoted(*entry, channel)), true);
        continue;
      }
      const bool known = graph_.channel(channel) != nullptr;
      const std::string_view near = nearest_word(channel, views(source.channels));
      check.fail(DiagnosticCode::selector_channel, *entry,
                 known ? fmt::format("the source does not write to channel {}", check.quoted(*entry, channel))
                       : fmt::format("the source has no channel {}", check.quoted(*entry, channel)),
                 near.empty() ? fmt::format("add it to {}.{}.channels", text_.name, check.label())
                              : fmt::format("did you mean {}?", near));
    }
  }
}

std::string GraphBuilder::selector_value(const SourceNode& source, const std::string& key) {
  const auto found = source.selector.settings.values().find(key);
  return found == source.selector.settings.values().end() ? std::string() : found->second;
}

}  // namespace standpipe

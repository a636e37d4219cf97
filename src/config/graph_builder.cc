#include "config/graph_builder.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "config/component_check.h"
#include "config/connections.h"
#include "config/own_folders.h"
#include "config/spelling.h"

namespace standpipe {

namespace {

constexpr std::string_view kSelector = "selector.";
constexpr std::string_view kInterceptors = "interceptors.";
constexpr std::string_view kProcessor = "processor.";

std::string singular(std::string_view kind) {
  if (kind == "sinkgroups") return "sink group";
  return std::string(kind.substr(0, kind.size() - 1));
}

std::vector<std::string_view> views(const std::vector<std::string>& words) { return {words.begin(), words.end()}; }

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr Option kRunnerOptions[] = {
    {.name = "backoffSleepIncrement", .kind = Kind::duration, .fallback = "1000", .unit = "ms", .min = 0},
    {.name = "maxBackoffSleep", .kind = Kind::duration, .fallback = "5000", .unit = "ms", .min = 0},
};
/// What the runner of a source reads; not in the tables of the sources.
constexpr ComponentInfo kRunner = {.kind = ComponentKind::source, .name = "source", .options = kRunnerOptions};

constexpr Option kSinkOptions[] = {
    {.name = "onPoison", .kind = Kind::choice, .fallback = "block", .choices = "block|quarantine"},
};
/// What the engine reads of a sink; not in the tables of the sinks.
constexpr ComponentInfo kSink = {.kind = ComponentKind::sink, .name = "sink", .options = kSinkOptions};

class Builder {
 public:
  Builder(const AgentText& text, const Catalog& catalog, Diagnostics& diagnostics)
      : text_(text), catalog_(catalog), diagnostics_(diagnostics) {
    graph_.name = text.name;
  }

  AgentGraph build() {
    for (const std::string_view kind : {"channels", "sources", "sinks", "sinkgroups"}) declare(kind);
    if (!has_channels()) return std::move(graph_);
    take_settings();
    for (const std::string& name : declared_["channels"]) add_channel(name);
    for (const std::string& name : declared_["sources"]) add_source(name);
    for (const std::string& name : declared_["sinks"]) add_sink(name);
    for (const std::string& name : declared_["sinkgroups"]) add_group(name);
    check_connections(graph_, wiring_, diagnostics_);
    return std::move(graph_);
  }

 private:
  // --- lists -----------------------------------------------------------------------------------------------------

  void declare(std::string_view kind) {
    const auto list = text_.lists.find(kind);
    std::vector<std::string>& names = declared_[std::string(kind)];
    if (list != text_.lists.end()) {
      names = ComponentCheck(catalog_, std::string(kind), "", diagnostics_).names(*list->second);
    }
    report_undeclared(kind, names);
    std::vector<std::string> configured;
    for (const std::string& name : names) {
      if (is_configured(kind, name)) configured.push_back(name);
    }
    names = std::move(configured);
  }

  /// A listed name without a single property is left out.
  bool is_configured(std::string_view kind, const std::string& name) {
    if (component(kind, name) != nullptr) return true;
    missing_.insert(std::string(kind) + "." + name);
    ComponentCheck check = checker(kind, name);
    std::string suggestion =
        fmt::format("give it properties ({}.{}.{}.type = …) or take it out of the list", text_.name, kind, name);
    if (kind != "sinkgroups" && component("sinkgroups", name) != nullptr) {
      suggestion = fmt::format("{} is a sink group: take it out of this list", name);
    } else if (const std::string_view near = nearest_undeclared(kind, name); !near.empty()) {
      suggestion = fmt::format("there are properties of '{}': is it that one?", near);
    }
    check.fail(DiagnosticCode::missing_component, *text_.lists.find(kind)->second,
               fmt::format("{} '{}' is listed, but has no properties", singular(kind), name), std::move(suggestion));
    return false;
  }

  std::string_view nearest_undeclared(std::string_view kind, std::string_view name) const {
    const auto all = text_.components.find(kind);
    if (all == text_.components.end()) return {};
    std::vector<std::string_view> candidates;
    const std::vector<std::string>& listed = declared_.find(kind)->second;
    for (const auto& [other, component] : all->second) {
      if (!contains(listed, other)) candidates.push_back(other);
    }
    return nearest_word(name, candidates);
  }

  /// One that is taken out of its list is switched off; a list that is gone, empty or misspelt is a mistake.
  void report_undeclared(std::string_view kind, const std::vector<std::string>& names) {
    const auto all = text_.components.find(kind);
    if (all == text_.components.end()) return;
    const Severity severity = names.empty() && kind != "sinkgroups" ? Severity::error : Severity::warning;
    for (const auto& [name, component] : all->second) {
      if (contains(names, name)) continue;
      const std::size_t count = component.properties.size();
      Diagnostic found = diagnose(severity, DiagnosticCode::undeclared_component, *component.first,
                                  fmt::format("{}.{} does not list '{}'", text_.name, kind, name));
      found.component = fmt::format("{}.{}", kind, name);
      found.key = fmt::format("{}.{}", text_.name, found.component);
      found.suggestion = suggest_declared(kind, name, names, component);
      found.consequence =
          count == 1 ? std::string("the property is ignored") : fmt::format("its {} properties are ignored", count);
      diagnostics_.push_back(std::move(found));
    }
  }

  std::string suggest_declared(std::string_view kind, std::string_view name, const std::vector<std::string>& names,
                               const ComponentText& text) const {
    const std::string property = text.first->first.substr(text_.name.size() + kind.size() + name.size() + 3);
    for (const auto& [other, list] : text_.lists) {
      if (other != kind && contains_word(list->second.value, name)) {
        return fmt::format("did you mean {}.{}.{}.{}?", text_.name, other, name, property);
      }
    }
    const std::string_view near = nearest_word(name, views(names));
    const std::string add = fmt::format("add {} to {}.{}", name, text_.name, kind);
    if (near.empty()) return add;
    const std::string meant = fmt::format("did you mean {}.{}.{}.{}?", text_.name, kind, near, property);
    return is_complete_beside(kind, near, text) ? fmt::format("{}, or {}", add, meant) : meant;
  }

  /// Whether an unlisted component has a type while `near`, of a similar name, has one, too: it is one of its own.
  bool is_complete_beside(std::string_view kind, std::string_view near, const ComponentText& text) const {
    const ComponentText* other = component(kind, near);
    return text.properties.contains("type") && other != nullptr && other->properties.contains("type");
  }

  static bool contains_word(std::string_view list, std::string_view word) {
    const auto words = split_words(list);
    return std::find(words.begin(), words.end(), word) != words.end();
  }

  bool has_channels() {
    const bool listed = text_.lists.contains("channels");
    const bool works = text_.lists.contains("sources") || text_.lists.contains("sinks");
    if (listed && works) return true;
    Diagnostic found = diagnose(Severity::error, DiagnosticCode::invalid_agent, *text_.first,
                                listed ? fmt::format("agent '{}' lists neither sources nor sinks", text_.name)
                                       : fmt::format("agent '{}' lists no channels", text_.name));
    found.suggestion = listed ? fmt::format("add {}.sources = … and {}.sinks = …", text_.name, text_.name)
                              : fmt::format("add {}.channels = …", text_.name);
    found.consequence = fmt::format("agent {} does not run", text_.name);
    found.component.clear();
    diagnostics_.push_back(std::move(found));
    return false;
  }

  void take_settings() {
    ComponentCheck check(catalog_, "", "the default is used", diagnostics_);
    const Settings settings = check.check(agent_info(), text_.settings, *text_.first, text_.name + ".");
    graph_.drain_timeout = settings.duration("drainTimeout");
    graph_.stop_timeout = settings.duration("stopTimeout");
  }

  // --- what every component has ----------------------------------------------------------------------------------

  const ComponentText* component(std::string_view kind, std::string_view name) const {
    const auto all = text_.components.find(kind);
    if (all == text_.components.end()) return nullptr;
    const auto found = all->second.find(name);
    return found == all->second.end() ? nullptr : &found->second;
  }

  ComponentCheck checker(std::string_view kind, const std::string& name) {
    return {catalog_, fmt::format("{}.{}", kind, name), fmt::format("{} {} is left out", singular(kind), name),
            diagnostics_};
  }

  /// Type, table and place of a component; `own` are its properties without the shared ones.
  std::optional<ComponentNode> node(ComponentCheck& check, ComponentKind kind, const std::string& name,
                                    const ComponentText& text, EntryMap own) {
    const auto type = text.properties.find("type");
    if (type == text.properties.end()) {
      check.fail_whole(DiagnosticCode::missing_type, *text.first, prefix(check),
                       fmt::format("{} has no type", check.label()), fmt::format("add {}type = …", prefix(check)));
      return std::nullopt;
    }
    own.erase("type");
    if (const auto stub = own.find("config"); stub != own.end()) {
      check.report(Severity::note, DiagnosticCode::no_effect, *stub->second,
                   "it names a Java class that checks settings", {}, "it is ignored");
      own.erase(stub);
    }
    ComponentNode made;
    made.name = name;
    made.file = type->second->second.file;
    made.line = type->second->second.line;
    made.info = check.find_type(kind, *type->second);
    if (made.info == nullptr) {
      check.check_unknown(own);
      return std::nullopt;
    }
    made.settings = check.check(*made.info, own, *type->second, prefix(check));
    return made;
  }

  /// "a1.sinks.k1."
  std::string prefix(const ComponentCheck& check) const { return fmt::format("{}.{}.", text_.name, check.label()); }

  // --- channels --------------------------------------------------------------------------------------------------

  void add_channel(const std::string& name) {
    const ComponentText& text = *component("channels", name);
    ComponentCheck check = checker("channels", name);
    auto made = node(check, ComponentKind::channel, name, text, text.properties);
    if (made) own_folders_.take(check, *made, text.properties, prefix(check));
    wiring_.channels.emplace(name, Wired{&text, made, {}});
    if (made && check.sound()) graph_.channels.push_back({std::move(*made)});
  }

  /// The channels of the graph among `names`; each other is reported, as an error where nothing remains.
  std::vector<std::string> existing_channels(ComponentCheck& check, const Entry& entry,
                                             const std::vector<std::string>& names) {
    std::vector<std::string> found;
    for (const std::string& name : names) {
      if (graph_.channel(name) != nullptr) found.push_back(name);
    }
    for (const std::string& name : names) {
      if (graph_.channel(name) != nullptr) continue;
      const bool left_out = wiring_.is_left_out(name, missing_);
      if (left_out) {  // the root has been named already
        check.follow(entry, fmt::format("channel {} is left out itself", check.quoted(entry, name)), found.empty());
        continue;
      }
      std::string message = fmt::format("the agent has no channel {}", check.quoted(entry, name));
      std::string suggestion = suggest_channel(name);
      if (found.empty()) {
        check.fail(DiagnosticCode::unknown_channel, entry, std::move(message), std::move(suggestion));
      } else {
        check.report(Severity::error, DiagnosticCode::unknown_channel, entry, std::move(message), std::move(suggestion),
                     fmt::format("{} runs without it", check.label()));
      }
    }
    return found;
  }

  std::string suggest_channel(std::string_view name) {
    const std::vector<std::string>& names = declared_["channels"];
    if (component("channels", name) != nullptr) return fmt::format("add {} to {}.channels", name, text_.name);
    const std::string_view near = nearest_word(name, views(names));
    if (!near.empty()) return fmt::format("did you mean {}?", near);
    if (names.size() == 1) return fmt::format("the only channel is {}", names.front());
    return fmt::format("known are {}", fmt::join(names, ", "));
  }

  // --- sources ---------------------------------------------------------------------------------------------------

  void add_source(const std::string& name) {
    const ComponentText& text = *component("sources", name);
    ComponentCheck check = checker("sources", name);
    EntryMap own;
    for (const auto& [key, entry] : text.properties) {
      const bool shared = key == "channels" || key == "channel" || key == "interceptors" ||
                          key.starts_with(kInterceptors) || key.starts_with(kSelector) ||
                          key == kRunnerOptions[0].name || key == kRunnerOptions[1].name;
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
  static std::vector<std::string> named_channels(const ComponentText& text, std::string_view key) {
    std::vector<std::string> names;
    const auto list = text.properties.find(key);
    if (list == text.properties.end()) return names;
    for (const std::string_view word : split_words(list->second->second.value)) {
      names.emplace_back(word.substr(0, word.find(',')));
    }
    return names;
  }

  /// The runner's own settings, which every source has.
  void take_shared(ComponentCheck& check, const ComponentNode& made, const ComponentText& text, SourceNode& source) {
    EntryMap given;
    for (const Option& option : kRunnerOptions) {
      const auto found = text.properties.find(option.name);
      if (found != text.properties.end() && find_option(*made.info, option.name) == nullptr) given.insert(*found);
    }
    const Settings settings = check.check(kRunner, given, *text.first, prefix(check));
    source.backoff_increment = settings.duration(kRunnerOptions[0].name);
    source.max_backoff = settings.duration(kRunnerOptions[1].name);
  }

  std::vector<std::string> source_channels(ComponentCheck& check, const ComponentText& text) {
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

  void report_misnamed(ComponentCheck& check, const Entry& entry, std::string_view given, std::string_view right,
                       bool alone) {
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

  void report_no_channel(ComponentCheck& check, const ComponentText& text, std::string_view key) {
    const auto type = text.properties.find("type");
    const Entry& place = type == text.properties.end() ? *text.first : *type->second;
    check.fail_whole(DiagnosticCode::missing_channel, place, prefix(check),
                     fmt::format("{} has no '{}'", check.label(), key),
                     fmt::format("add {}{} = …", prefix(check), key));
  }

  // --- interceptors ----------------------------------------------------------------------------------------------

  void add_interceptors(ComponentCheck& check, const ComponentText& text, SourceNode& source) {
    std::vector<std::string> names;
    const auto list = text.properties.find("interceptors");
    if (list != text.properties.end()) names = check.names(*list->second);
    report_unlisted_interceptors(check, text, names);
    for (const std::string& name : names) {
      add_interceptor(check, below(text.properties, fmt::format("{}{}.", kInterceptors, name)), name, *list->second,
                      source);
    }
  }

  void add_interceptor(ComponentCheck& check, EntryMap properties, const std::string& name, const Entry& list,
                       SourceNode& source) {
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

  void report_unlisted_interceptors(ComponentCheck& check, const ComponentText& text,
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

  // --- selectors -------------------------------------------------------------------------------------------------

  void add_selector(ComponentCheck& check, const ComponentText& text, SourceNode& source) {
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

  void check_selector_channels(ComponentCheck& check, const EntryMap& properties, const SourceNode& source) {
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

  static std::string selector_value(const SourceNode& source, const std::string& key) {
    const auto found = source.selector.settings.values().find(key);
    return found == source.selector.settings.values().end() ? std::string() : found->second;
  }

  // --- sinks -----------------------------------------------------------------------------------------------------

  void add_sink(const std::string& name) {
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

  bool quarantines(ComponentCheck& check, const ComponentText& text) {
    EntryMap given;
    if (const auto found = text.properties.find(kSinkOptions[0].name); found != text.properties.end())
      given.insert(*found);
    return check.check(kSink, given, *text.first, prefix(check)).choice(kSinkOptions[0].name) == "quarantine";
  }

  std::string sink_channel(ComponentCheck& check, const ComponentText& text) {
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

  // --- sink groups -----------------------------------------------------------------------------------------------

  void add_group(const std::string& name) {
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

  static void report_foreign_group_keys(ComponentCheck& check, const ComponentText& text) {
    for (const auto& [key, entry] : text.properties) {
      if (key == "sinks" || key.starts_with(kProcessor)) continue;
      check.report(Severity::warning, DiagnosticCode::unknown_property, *entry,
                   fmt::format("a sink group has no property '{}'", key),
                   key == "sink" ? std::string("did you mean sinks?") : fmt::format("did you mean processor.{}?", key),
                   "it is ignored");
    }
  }

  std::vector<std::string> group_members(ComponentCheck& check, const ComponentText& text) {
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
  void check_member_channels(ComponentCheck& check, const ComponentText& text) {
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

  bool is_free_sink(ComponentCheck& check, const Entry& list, const std::string& sink) {
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

  void add_processor(ComponentCheck& check, const ComponentText& text, GroupNode& group) {
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
    check_priorities(check, text, properties, group);
  }

  void check_priorities(ComponentCheck& check, const ComponentText& text, const EntryMap& properties,
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

  const AgentText& text_;
  const Catalog& catalog_;
  Diagnostics& diagnostics_;
  AgentGraph graph_;
  std::map<std::string, std::vector<std::string>, std::less<>> declared_;
  std::set<std::string, std::less<>> missing_;  ///< "sinks.k1": listed without properties
  Wiring wiring_;
  OwnFolders own_folders_;
};

}  // namespace

AgentGraph build_graph(const AgentText& text, const Catalog& catalog, Diagnostics& diagnostics) {
  return Builder(text, catalog, diagnostics).build();
}

}  // namespace standpipe

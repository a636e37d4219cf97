#include "config/graph_building.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/spelling.h"

namespace standpipe {

namespace {

std::string singular(std::string_view kind) {
  if (kind == "sinkgroups") return "sink group";
  return std::string(kind.substr(0, kind.size() - 1));
}

}  // namespace

AgentGraph GraphBuilder::build() {
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

// -- lists ------------------------------------------------------------------------------------------------------------

void GraphBuilder::declare(std::string_view kind) {
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
bool GraphBuilder::is_configured(std::string_view kind, const std::string& name) {
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

std::string_view GraphBuilder::nearest_undeclared(std::string_view kind, std::string_view name) const {
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
void GraphBuilder::report_undeclared(std::string_view kind, const std::vector<std::string>& names) {
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

std::string GraphBuilder::suggest_declared(std::string_view kind, std::string_view name,
                                           const std::vector<std::string>& names, const ComponentText& text) const {
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
bool GraphBuilder::is_complete_beside(std::string_view kind, std::string_view near, const ComponentText& text) const {
  const ComponentText* other = component(kind, near);
  return text.properties.contains("type") && other != nullptr && other->properties.contains("type");
}

bool GraphBuilder::contains_word(std::string_view list, std::string_view word) {
  const auto words = split_words(list);
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool GraphBuilder::has_channels() {
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

void GraphBuilder::take_settings() {
  ComponentCheck check(catalog_, "", "the default is used", diagnostics_);
  const Settings settings = check.check(agent_info(), text_.settings, *text_.first, text_.name + ".");
  graph_.drain_timeout = settings.duration("drainTimeout");
  graph_.stop_timeout = settings.duration("stopTimeout");
}

// -- what every component has -----------------------------------------------------------------------------------------

const ComponentText* GraphBuilder::component(std::string_view kind, std::string_view name) const {
  const auto all = text_.components.find(kind);
  if (all == text_.components.end()) return nullptr;
  const auto found = all->second.find(name);
  return found == all->second.end() ? nullptr : &found->second;
}

ComponentCheck GraphBuilder::checker(std::string_view kind, const std::string& name) {
  return {catalog_, fmt::format("{}.{}", kind, name), fmt::format("{} {} is left out", singular(kind), name),
          diagnostics_};
}

/// Type, table and place of a component; `own` are its properties without the shared ones.
std::optional<ComponentNode> GraphBuilder::node(ComponentCheck& check, ComponentKind kind, const std::string& name,
                                                const ComponentText& text, EntryMap own) {
  const auto type = text.properties.find("type");
  if (type == text.properties.end()) {
    check.fail_whole(DiagnosticCode::missing_type, *text.first, prefix(check),
                     fmt::format("{} has no type", check.label()), fmt::format("add {}type = …", prefix(check)));
    return std::nullopt;
  }
  own.erase("type");
  if (const auto stub = own.find("config"); stub != own.end()) {
    check.report(Severity::note, DiagnosticCode::no_effect, *stub->second, "it names a Java class that checks settings",
                 {}, "it is ignored");
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

std::string GraphBuilder::prefix(const ComponentCheck& check) const {
  return fmt::format("{}.{}.", text_.name, check.label());
}

// -- channels ---------------------------------------------------------------------------------------------------------

void GraphBuilder::add_channel(const std::string& name) {
  const ComponentText& text = *component("channels", name);
  ComponentCheck check = checker("channels", name);
  auto made = node(check, ComponentKind::channel, name, text, text.properties);
  if (made) own_folders_.take(check, *made, text.properties, prefix(check));
  wiring_.channels.emplace(name, Wired{&text, made, {}});
  if (made && check.sound()) graph_.channels.push_back({std::move(*made)});
}

/// The channels of the graph among `names`; each other is reported, as an error where nothing remains.
std::vector<std::string> GraphBuilder::existing_channels(ComponentCheck& check, const Entry& entry,
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

std::string GraphBuilder::suggest_channel(std::string_view name) {
  const std::vector<std::string>& names = declared_["channels"];
  if (component("channels", name) != nullptr) return fmt::format("add {} to {}.channels", name, text_.name);
  const std::string_view near = nearest_word(name, views(names));
  if (!near.empty()) return fmt::format("did you mean {}?", near);
  if (names.size() == 1) return fmt::format("the only channel is {}", names.front());
  return fmt::format("known are {}", fmt::join(names, ", "));
}

AgentGraph build_graph(const AgentText& text, const Catalog& catalog, Diagnostics& diagnostics) {
  return GraphBuilder(text, catalog, diagnostics).build();
}

}  // namespace standpipe

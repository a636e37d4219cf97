#include "config/agent_text.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "config/spelling.h"
#include "config/tidy.h"

namespace standpipe {

namespace {

constexpr Option kAgentOptions[] = {
    {.name = "drainTimeout",
     .kind = Kind::duration,
     .fallback = "10000",
     .help = "How long sinks may empty the channels in memory at stop, and before one is removed.",
     .unit = "ms",
     .min = 0},
    {.name = "stopTimeout",
     .kind = Kind::duration,
     .fallback = "10000",
     .help = "How long the components of one kind may take to end; then they are abandoned.",
     .unit = "ms",
     .min = 0},
};
constexpr ComponentInfo kAgent = {.kind = ComponentKind::sink, .name = "agent", .options = kAgentOptions};

void keep_first(const Entry*& first, const Entry& entry) {
  if (first == nullptr || stands_before(entry, *first)) first = &entry;
}

class Splitter {
 public:
  Splitter(const PropertyTable& table, Diagnostics& diagnostics) : table_(table), diagnostics_(diagnostics) {}

  std::map<std::string, AgentText, std::less<>> run() {
    for (const Entry& entry : table_) place(entry);
    drop_undeclared_agents();
    for (const Entry* entry : homeless_) report_invalid(*entry);
    return std::move(agents_);
  }

 private:
  void place(const Entry& entry) {
    const std::string_view key = entry.first;
    const std::size_t dot = key.find('.');
    const std::string_view rest = dot == std::string_view::npos ? std::string_view() : key.substr(dot + 1);
    const std::string_view kind = rest.substr(0, rest.find('.'));
    const bool known = std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds);
    if (dot != 0 && find_option(kAgent, rest) != nullptr) {
      AgentText& agent = agents_[std::string(key.substr(0, dot))];
      agent.name = key.substr(0, dot);
      keep_first(agent.first, entry);
      agent.settings.emplace(rest, &entry);
      return;
    }
    if (dot == 0 || !known || key.back() == '.') {
      homeless_.push_back(&entry);
      return;
    }
    const std::size_t name_end = rest.find('.', std::min(kind.size() + 1, rest.size()));
    const bool is_list = kind.size() == rest.size();
    if (!is_list && (name_end == std::string_view::npos || name_end == kind.size() + 1)) {  // no name, or no property
      homeless_.push_back(&entry);
      return;
    }
    AgentText& agent = agents_[std::string(key.substr(0, dot))];
    agent.name = key.substr(0, dot);
    if (is_list) {
      keep_first(agent.first, entry);
      agent.lists.emplace(kind, &entry);
      return;
    }
    place_component(agent, kind, rest.substr(kind.size() + 1), entry);
  }

  void place_component(AgentText& agent, std::string_view kind, std::string_view rest, const Entry& entry) {
    const std::size_t dot = rest.find('.');
    keep_first(agent.first, entry);
    ComponentText& component = agent.components[std::string(kind)][std::string(rest.substr(0, dot))];
    component.properties.emplace(rest.substr(dot + 1), &entry);
    keep_first(component.first, entry);
  }

  /// An agent is declared by a list; properties without one belong to a prefix that was most likely misspelt.
  void drop_undeclared_agents() {
    std::vector<std::string_view> declared;
    for (const auto& [name, agent] : agents_) {
      if (!agent.lists.empty()) declared.push_back(name);
    }
    for (auto at = agents_.begin(); at != agents_.end();) {
      const bool keep = !at->second.lists.empty();
      if (!keep) report_wrong_agent(at->second, declared);
      at = keep ? std::next(at) : agents_.erase(at);
    }
  }

  void report_wrong_agent(const AgentText& agent, const std::vector<std::string_view>& declared) {
    std::string_view near = nearest_word(agent.name, declared);
    if (near.empty() && declared.size() == 1) near = declared.front();
    std::size_t count = 0;
    for (const auto& [kind, components] : agent.components) {
      for (const auto& [name, component] : components) count += component.properties.size();
    }
    count += agent.settings.size();
    Diagnostic found = diagnose(Severity::warning, DiagnosticCode::wrong_agent, *agent.first,
                                fmt::format("no list declares anything of an agent '{}'", agent.name));
    if (!near.empty()) found.suggestion = fmt::format("did you mean {}{}?", near, found.key.substr(agent.name.size()));
    found.consequence = count == 1 ? std::string("it is ignored")
                                   : fmt::format("all {} properties of '{}' are ignored", count, agent.name);
    diagnostics_.push_back(std::move(found));
  }

  void report_invalid(const Entry& entry) {
    if (entry.second.referenced) return;  // its purpose is to be named in ${…}
    const std::string_view key = entry.first;
    Diagnostic found = diagnose(Severity::warning, DiagnosticCode::invalid_property, entry, "");
    found.agent.clear();
    found.consequence = "it is ignored";
    const std::size_t dot = key.find('.');
    if (key.empty() || dot == 0 || dot == std::string_view::npos) {
      describe_bare(found, key);
    } else {
      describe_kind(found, key, dot);
    }
    for (const std::uint32_t line : entry.second.earlier_lines) {
      diagnostics_.push_back(found);
      diagnostics_.back().line = line;
    }
    diagnostics_.push_back(std::move(found));
  }

  void describe_bare(Diagnostic& found, std::string_view key) const {
    found.message = key.empty() ? "the line has no name before its value" : "this is no property of an agent";
    found.suggestion = "properties look like a1.sources.r1.type = netcat; comments begin with '#'";
    const std::string_view kind = meant_kind(key.substr(0, key.find('.')));
    if (!kind.empty() && !agents_.empty()) {
      found.suggestion = fmt::format("did you mean {}.{}?", agents_.begin()->first, key);
    }
  }

  void describe_kind(Diagnostic& found, std::string_view key, std::size_t dot) const {
    const std::string_view agent = key.substr(0, dot);
    const std::string_view rest = key.substr(dot + 1);
    const std::string_view kind = rest.substr(0, rest.find('.'));
    const std::string_view meant = meant_kind(kind);
    if (meant.empty()) {
      describe_unknown_kind(found, key, agent, kind);
      return;
    }
    found.agent = agent;
    if (meant == kind) {
      found.message = rest.size() == kind.size() ? "the list has no name" : "the name of the property is missing";
      found.suggestion = fmt::format("write {}.{}.<name>.<property> = value", agent, kind);
      return;
    }
    const bool singular = equals_ignoring_case(fmt::format("{}s", kind), meant);
    if (singular) found.code = DiagnosticCode::singular_key;
    found.message = fmt::format("'{}' is none of sources, channels, sinks, sinkgroups, configfilters", kind);
    found.suggestion = fmt::format("did you mean {}.{}{}?", agent, meant, rest.substr(kind.size()));
  }

  /// "channels.c1.type": the agent's name is missing before it.
  void describe_unknown_kind(Diagnostic& found, std::string_view key, std::string_view agent,
                             std::string_view kind) const {
    const std::string_view meant = meant_kind(agent);
    if (!meant.empty() && !agents_.empty()) {
      found.message = "the name of the agent is missing";
      found.suggestion = fmt::format("did you mean {}.{}{}?", agents_.begin()->first, meant, key.substr(agent.size()));
      return;
    }
    found.message = fmt::format("'{}' is none of sources, channels, sinks, sinkgroups, configfilters", kind);
    found.suggestion = "properties look like a1.sources.r1.type = netcat; comments begin with '#'";
  }

  const PropertyTable& table_;
  Diagnostics& diagnostics_;
  std::map<std::string, AgentText, std::less<>> agents_;
  std::vector<const Entry*> homeless_;
};

}  // namespace

std::map<std::string, AgentText, std::less<>> split_agents(const PropertyTable& table, Diagnostics& diagnostics) {
  return Splitter(table, diagnostics).run();
}

const ComponentInfo& agent_info() { return kAgent; }

bool stands_before(const Entry& a, const Entry& b) {
  return std::tie(a.second.file, a.second.line) < std::tie(b.second.file, b.second.line);
}

EntryMap below(const EntryMap& properties, std::string_view prefix) {
  EntryMap found;
  for (auto at = properties.lower_bound(prefix); at != properties.end() && at->first.starts_with(prefix); ++at) {
    if (at->first.size() > prefix.size()) found.emplace(at->first.substr(prefix.size()), at->second);
  }
  return found;
}

Diagnostic diagnose(Severity severity, DiagnosticCode code, const Entry& entry, std::string message) {
  Diagnostic found;
  found.severity = severity;
  found.code = code;
  found.file = entry.second.file;
  found.line = entry.second.line;
  found.agent = entry.first.substr(0, entry.first.find('.'));
  found.key = entry.first;
  found.message = std::move(message);
  return found;
}

}  // namespace standpipe

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "config/placeholders.h"

namespace standpipe {

namespace {

constexpr std::string_view kSection = ".configfilters";

bool is_one_of(std::string_view type, std::string_view alias, std::string_view class_name) {
  return equals_ignoring_case(type, alias) || type == class_name;
}

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// One `${name['key']}` in a value: from where to where, and the key.
struct Occurrence {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view key;
};

/// The next occurrence from `at` on. `head` is "${name[".
std::optional<Occurrence> find_occurrence(std::string_view text, std::string_view head, std::size_t at) {
  for (std::size_t begin = text.find(head, at); begin != std::string_view::npos; begin = text.find(head, begin + 1)) {
    std::size_t key_begin = begin + head.size();
    const bool quoted = key_begin < text.size() && (text[key_begin] == '\'' || text[key_begin] == '"');
    const std::string tail = quoted ? std::string(1, text[key_begin]) + "]}" : "]}";
    if (quoted) ++key_begin;
    std::size_t key_end = key_begin;
    while (key_end < text.size() && is_key_character(text[key_end])) ++key_end;
    if (key_end == key_begin || !text.substr(key_end).starts_with(tail)) continue;
    return Occurrence{begin, key_end + tail.size(), text.substr(key_begin, key_end - key_begin)};
  }
  return std::nullopt;
}

/// A word of a value for a diagnostic. What a placeholder filled in may be a secret.
std::string quoted(std::string_view word, bool derived) {
  return derived ? std::string("(from a placeholder)") : fmt::format("'{}'", word);
}

/// The filters of one agent, in the order of its list.
class AgentFilters {
 public:
  AgentFilters(PropertyTable& table, std::string agent, const Surroundings& surroundings, Diagnostics& diagnostics)
      : table_(table),
        agent_(std::move(agent)),
        list_(table_.find(agent_ + std::string(kSection))->second),
        surroundings_(surroundings),
        diagnostics_(diagnostics) {}

  void run() {
    for (const std::string_view name : split_words(list_.value)) apply(std::string(name));
  }

 private:
  /// `derived`: the key is from a value that holds more than its author wrote.
  using LookUp = std::function<std::optional<std::string>(std::string_view key, bool derived)>;

  void apply(const std::string& name) {
    const LookUp look_up = make(name);
    if (!look_up) return;
    const std::string head = fmt::format("${{{}[", name);
    for (const std::string_view kind : {".sources.", ".channels.", ".sinks.", ".sinkgroups."}) {
      const std::string prefix = agent_ + std::string(kind);
      for (auto at = table_.lower_bound(prefix); at != table_.end() && at->first.starts_with(prefix); ++at) {
        replace(at->second, head, look_up);
      }
    }
  }

  static void replace(Property& property, std::string_view head, const LookUp& look_up) {
    const bool derived = property.derived;
    std::size_t at = 0;
    std::string out;
    while (const auto occurrence = find_occurrence(property.value, head, at)) {
      const auto text = look_up(occurrence->key, derived);
      out.append(property.value, at, (text ? occurrence->begin : occurrence->end) - at);
      if (text) {
        out.append(*text);
        property.derived = true;
        property.secret_parts.push_back(*text);
      }
      at = occurrence->end;
    }
    if (at == 0) return;
    out.append(property.value, at);
    property.value = std::move(out);
  }

  LookUp make(const std::string& name) {
    const std::string type = setting(name, "type");
    if (type.empty()) return refuse(name, "it has no type", "types are env and external");
    if (is_one_of(type, "env", "org.apache.flume.configfilter.EnvironmentVariableConfigFilter")) {
      return [this](std::string_view key, bool) {
        return surroundings_.environment ? surroundings_.environment(key) : std::nullopt;
      };
    }
    if (is_one_of(type, "external", "org.apache.flume.configfilter.ExternalProcessConfigFilter")) return external(name);
    if (is_one_of(type, "hadoop", "org.apache.flume.configfilter.HadoopCredentialStoreConfigFilter")) {
      return refuse(name, "a Hadoop credential store needs Java to read",
                    "use type = external with a command that prints the secret, or type = env");
    }
    return refuse(name, fmt::format("{} is no known config filter", quoted(type, is_derived(name, "type"))),
                  "types are env and external");
  }

  LookUp external(const std::string& name) {
    std::vector<std::string> command;
    const std::string text = setting(name, "command");
    for (const std::string_view word : split_words(text)) command.emplace_back(word);
    if (command.empty()) return refuse(name, "it has no command", "set command to a program that prints the secret");
    const std::string charset = to_lower(setting(name, "charset"));
    if (!charset.empty() && charset != "utf-8" && charset != "us-ascii") {
      return refuse(name, fmt::format("its charset {} is not supported", quoted(charset, is_derived(name, "charset"))),
                    "let the command print UTF-8");
    }
    return [this, name, command](std::string_view key, bool derived) { return ask(name, command, key, derived); };
  }

  /// The first line of what the command prints.
  std::optional<std::string> ask(const std::string& name, std::vector<std::string> command, std::string_view key,
                                 bool derived) {
    command.emplace_back(key);
    if (!surroundings_.run) return std::nullopt;
    const Result<std::string> output = surroundings_.run(command);
    if (!output.ok()) {
      report(Severity::error, name, "command",
             fmt::format("asking for {}: {}", quoted(key, derived), output.status().message()), "",
             "the placeholder stays as written");
      return std::nullopt;
    }
    const std::size_t end = std::min(output->find_first_of("\r\n"), output->size());
    const bool more = output->find_first_not_of("\r\n", end) != std::string::npos;
    if (end == 0 || more) {
      report(Severity::warning, name, "command",
             fmt::format("asking for {} {}", quoted(key, derived), more ? "printed several lines" : "printed nothing"),
             "", more ? "the first line counts" : "the placeholder stays as written");
    }
    if (end == 0) return std::nullopt;
    return output->substr(0, end);
  }

  std::string setting(const std::string& name, std::string_view key) const {
    const auto found = table_.find(fmt::format("{}{}.{}.{}", agent_, kSection, name, key));
    return found == table_.end() ? std::string() : std::string(trim(found->second.value));
  }

  bool is_derived(const std::string& name, std::string_view key) const {
    const auto found = table_.find(fmt::format("{}{}.{}.{}", agent_, kSection, name, key));
    return found != table_.end() && found->second.derived;
  }

  LookUp refuse(const std::string& name, std::string message, std::string suggestion) {
    report(Severity::error, name, "type", std::move(message), std::move(suggestion),
           fmt::format("config filter {} is left out; its placeholders stay as written",
                       list_.derived ? quoted(name, true) : name));
    return {};
  }

  void report(Severity severity, const std::string& name, std::string_view key, std::string message,
              std::string suggestion, std::string consequence) {
    const std::string whole = fmt::format("{}{}.{}.{}", agent_, kSection, name, key);
    const auto at = table_.find(whole);
    const Property& place = at == table_.end() ? list_ : at->second;
    Diagnostic found;
    found.severity = severity;
    found.code = DiagnosticCode::config_filter;
    found.file = place.file;
    found.line = place.line;
    found.agent = agent_;
    found.component = list_.derived ? "configfilters" : "configfilters." + name;
    found.key = list_.derived ? agent_ + std::string(kSection) : whole;
    found.message = std::move(message);
    found.suggestion = std::move(suggestion);
    found.consequence = std::move(consequence);
    diagnostics_.push_back(std::move(found));
  }

  PropertyTable& table_;
  std::string agent_;
  const Property& list_;
  const Surroundings& surroundings_;
  Diagnostics& diagnostics_;
};

}  // namespace

void apply_config_filters(PropertyTable& table, const Surroundings& surroundings, Diagnostics& diagnostics) {
  std::vector<std::string> agents;
  for (const auto& [key, property] : table) {
    const bool is_list = key.ends_with(kSection) && key.find('.') == key.size() - kSection.size();
    if (is_list) agents.push_back(key.substr(0, key.size() - kSection.size()));
  }
  for (const std::string& agent : agents) AgentFilters(table, agent, surroundings, diagnostics).run();
}

}  // namespace standpipe

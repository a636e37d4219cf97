#include "config/placeholders.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/java_date.h"
#include "config/spelling.h"

namespace standpipe {

namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxValue = 1U << 20U;
constexpr std::size_t kMaxTotal = 64U << 20U;  // of all replacements together: nested doubling ends here
constexpr std::size_t kNone = std::string_view::npos;

Diagnostic about(const std::string& key, const Property& property, Severity severity, DiagnosticCode code) {
  Diagnostic found;
  found.severity = severity;
  found.code = code;
  found.file = property.file;
  found.line = property.line;
  found.agent = key.substr(0, key.find('.'));
  found.key = key;
  return found;
}

/// For each "${" of a text the position of its "}", found in one pass so that hostile nesting stays linear.
class Brackets {
 public:
  explicit Brackets(std::string_view text) {
    if (text.find("${") == kNone) return;
    closing_.assign(text.size(), kNone);
    std::vector<std::size_t> open;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text.compare(at, 2, "${") == 0) {
        open.push_back(at++);
      } else if (text[at] == '}' && !open.empty()) {
        closing_[open.back()] = at;
        open.pop_back();
      }
    }
  }
  /// `open` is where a "${" stands.
  std::size_t closing(std::size_t open) const { return closing_[open]; }

 private:
  std::vector<std::size_t> closing_;
};

/// One pass over a whole table. Remembers which properties are done and which are being resolved (a cycle).
class Resolver {
 public:
  Resolver(PropertyTable& table, const Surroundings& surroundings, Diagnostics& diagnostics)
      : table_(table), surroundings_(surroundings), diagnostics_(diagnostics) {
    const auto implementation = surroundings.system.find("propertiesImplementation");
    environment_fallback_ = implementation != surroundings.system.end() &&
                            implementation->second == "org.apache.flume.node.EnvVarResolverProperties";
  }

  void run() {
    for (auto& [key, property] : table_) resolve(key, property, 0);
  }

 private:
  enum class State : unsigned char { busy, done };
  struct Found {
    std::string text;
    bool derived = false;
  };

  void resolve(const std::string& key, Property& property, std::size_t depth) {
    if (states_.contains(key)) return;
    if (property.value.find("${") == std::string::npos) {
      states_[key] = State::done;
      return;
    }
    states_[key] = State::busy;
    Place place{key, property};
    std::string value = expand(property.value, place, depth);
    property.value = std::move(value);
    property.derived = property.derived || place.derived;
    property.secret_parts = std::move(place.secret_parts);
    property.unresolved = std::move(place.unresolved);
    property.unresolved_inside = std::move(place.unresolved_inside);
    states_[key] = State::done;
  }

  /// Where an expansion goes on: whose value it is, and what was learnt on the way.
  struct Place {
    const std::string& key;
    const Property& property;
    bool derived = false;
    bool in_cycle = false;  ///< the expression in work leads back to itself, which was said already
    std::vector<std::string> secret_parts = {};
    std::vector<std::string> unresolved = {};
    std::vector<std::string> unresolved_inside = {};
  };

  std::string expand(std::string_view text, Place& place, std::size_t depth) {
    const Brackets brackets(text);
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t open = text.find("${", at);
      if (open == kNone) break;
      const bool escaped = open > at && text[open - 1] == '$';
      out.append(text, at, open - at - (escaped ? 1 : 0));
      const std::size_t close = brackets.closing(open);
      if (escaped || close == kNone) {
        out.append("${");
        at = open + 2;
        continue;
      }
      append_replacement(out, text.substr(open, close + 1 - open), place, depth);
      at = close + 1;
    }
    out.append(text.substr(std::min(at, text.size())));
    return out;
  }

  /// `expression` is a whole "${…}".
  void append_replacement(std::string& out, std::string_view expression, Place& place, std::size_t depth) {
    std::optional<std::string> text;
    if (depth < kMaxDepth) text = replacement(expression.substr(2, expression.size() - 3), place, depth + 1);
    const bool fits = text && out.size() + text->size() <= kMaxValue && total_ + text->size() <= kMaxTotal;
    const bool said = std::exchange(place.in_cycle, false);
    if (!fits) {
      if (!said) place.unresolved.emplace_back(expression.substr(0, 200));
      out.append(expression);
      return;
    }
    total_ += text->size();
    out.append(*text);
  }

  std::optional<std::string> replacement(std::string_view inner, Place& place, std::size_t depth) {
    // A nested name that stays unresolved leaves the whole expression as written: its own list is of no interest.
    Place nested{place.key, place.property};
    const std::string name = inner.find("${") == kNone ? std::string(inner) : expand(inner, nested, depth);
    place.derived = place.derived || nested.derived;
    keep_secrets(nested, place);
    const std::size_t split = name.find(":-");
    std::optional<Found> found = look_up(name.substr(0, split), place, depth);
    if (!found && split == std::string::npos) return std::nullopt;
    if (!found) return name.substr(split + 2);
    place.derived = place.derived || found->derived;
    if (is_secret_key(name.substr(0, split))) place.secret_parts.push_back(found->text);
    return std::move(found->text);
  }

  std::optional<Found> look_up(const std::string& name, Place& place, std::size_t depth) {
    const std::size_t colon = name.find(':');
    if (colon == std::string::npos) return look_up_bare(name, place, depth);
    const std::string rest = name.substr(colon + 1);
    if (auto text = look_up_prefixed(to_lower(name.substr(0, colon)), rest)) {
      return Found{expand_given(*text, place, depth), true};
    }
    return look_up_property(rest, place, depth);
  }

  /// What the environment gave may hold placeholders, too. Those that nothing resolves are a part of it, so they are
  /// told apart: it may be a secret.
  std::string expand_given(std::string_view text, Place& place, std::size_t depth) {
    Place given{place.key, place.property};
    std::string expanded = expand(text, given, depth);
    keep_secrets(given, place);
    for (auto* found : {&given.unresolved, &given.unresolved_inside}) {
      std::move(found->begin(), found->end(), std::back_inserter(place.unresolved_inside));
    }
    return expanded;
  }

  static void keep_secrets(Place& from, Place& to) {
    std::move(from.secret_parts.begin(), from.secret_parts.end(), std::back_inserter(to.secret_parts));
  }

  std::optional<std::string> look_up_prefixed(std::string_view prefix, const std::string& rest) const {
    if (prefix == "env") return environment(rest);
    if (prefix == "sys") return system_property(rest);
    if (prefix != "date") return std::nullopt;
    return date(rest);
  }

  std::optional<std::string> date(std::string_view pattern) const {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(surroundings_.now.time_since_epoch());
    const auto compiled =
        DatePattern::compile(pattern, DatePattern::Dialect::simple_date_format, TimeZone::local(), since.count());
    if (pattern.empty() || !compiled.ok()) return std::nullopt;
    std::string text;
    compiled->format(since.count(), text);
    return text;
  }

  std::optional<std::string> environment(std::string_view name) const {
    return surroundings_.environment ? surroundings_.environment(name) : std::nullopt;
  }

  /// -D first; then the properties of a JVM that have a meaning without one.
  std::optional<std::string> system_property(std::string_view name) const {
    if (const auto set = surroundings_.system.find(name); set != surroundings_.system.end()) return set->second;
    if (name == "user.name") return environment("USER");
    if (name == "user.dir") return environment("PWD");
    if (name == "os.name") return "Linux";
    if (name == "java.io.tmpdir") return "/tmp";
    if (name == "file.separator") return "/";
    if (name == "path.separator") return ":";
    return std::nullopt;
  }

  std::optional<Found> look_up_bare(const std::string& name, Place& place, std::size_t depth) {
    if (auto found = look_up_property(name, place, depth)) return found;
    if (!environment_fallback_) return std::nullopt;
    auto text = environment(name);
    if (!text) return std::nullopt;
    return Found{std::move(*text), true};
  }

  std::optional<Found> look_up_property(const std::string& name, Place& place, std::size_t depth) {
    const auto other = table_.find(name);
    if (other == table_.end()) return std::nullopt;
    other->second.referenced = true;
    const auto state = states_.find(name);
    if (state != states_.end() && state->second == State::busy) {
      report_cycle(name, place);
      return std::nullopt;
    }
    resolve(other->first, other->second, depth);
    return Found{other->second.value, other->second.derived || is_secret_key(name)};
  }

  void report_cycle(const std::string& name, Place& place) {
    place.in_cycle = true;
    Diagnostic found = about(place.key, place.property, Severity::error, DiagnosticCode::placeholder_cycle);
    found.message = name == place.key ? std::string("the property refers to itself")
                                      : fmt::format("${{{}}} leads back to this property", name);
    found.suggestion = "give one of them a value of its own";
    found.consequence = "the placeholder stays as written";
    diagnostics_.push_back(std::move(found));
  }

  PropertyTable& table_;
  const Surroundings& surroundings_;
  Diagnostics& diagnostics_;
  bool environment_fallback_ = false;
  std::map<std::string, State> states_;
  std::size_t total_ = 0;
};

/// Where `${NAME}` is the shell's or a regular expression's business.
bool may_hold_own_placeholders(std::string_view key) {
  const std::string_view last = key.substr(key.rfind('.') + 1);
  return last == "command" || last == "replaceString" || last == "shell";
}

bool is_dollar_name(std::string_view value) {
  if (value.size() < 2 || value.front() != '$') return false;
  return std::all_of(value.begin() + 1, value.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// `name` is "filter['key'": the filter may be there and have failed, or know no such key.
std::string suggest_for_filter(const PropertyTable& table, std::string_view name) {
  const std::string type = fmt::format(".configfilters.{}.type", name.substr(0, name.find('[')));
  const bool there =
      std::any_of(table.begin(), table.end(), [&](const auto& entry) { return entry.first.ends_with(type); });
  return there ? "the config filter has no answer for it" : "list its filter under configfilters";
}

std::string suggest_for(const PropertyTable& table, std::string_view expression) {
  const std::string_view name = expression.substr(2, expression.size() - 3);
  if (name.find("['") != kNone || name.find("[\"") != kNone) return suggest_for_filter(table, name);
  const std::size_t colon = name.find(':');
  if (colon != kNone && name.substr(0, colon) == "env") {
    return fmt::format("set the environment variable {}, or write a default: ${{{}:-value}}", name.substr(4), name);
  }
  if (colon != kNone && name.substr(0, colon) == "sys") {
    return fmt::format("start with -D{}=value, or write a default: ${{{}:-value}}", name.substr(4), name);
  }
  if (colon != kNone && name.substr(0, colon) == "java") return "there is no Java here: write the value itself";
  std::vector<std::string_view> keys;
  for (const auto& [key, property] : table) keys.push_back(key);
  const std::string_view near = nearest_word(name, keys);
  if (!near.empty()) return fmt::format("did you mean ${{{}}}?", near);
  return fmt::format("for an environment variable write ${{env:{}}}; else define the property {}", name, name);
}

/// `expression` is empty where it is a part of what a placeholder filled in.
void report_expression(const PropertyTable& table, const std::string& key, const Property& property,
                       std::string_view expression, Diagnostics& diagnostics) {
  const Severity severity = may_hold_own_placeholders(key) ? Severity::note : Severity::warning;
  Diagnostic found = about(key, property, severity, DiagnosticCode::unresolved_placeholder);
  found.message = expression.empty() ? std::string("what a placeholder filled in holds one that nothing is known of")
                                     : fmt::format("nothing is known by the name {}", expression);
  if (severity == Severity::warning && !expression.empty()) found.suggestion = suggest_for(table, expression);
  found.consequence = "it stays as written";
  diagnostics.push_back(std::move(found));
}

}  // namespace

void resolve_placeholders(PropertyTable& table, const Surroundings& surroundings, Diagnostics& diagnostics) {
  Resolver(table, surroundings, diagnostics).run();
}

void report_unresolved(const PropertyTable& table, Diagnostics& diagnostics) {
  for (const auto& [key, property] : table) {
    for (const std::string& expression : property.unresolved) {
      if (property.value.find(expression) == std::string::npos) continue;  // a config filter knew it
      report_expression(table, key, property, expression, diagnostics);
    }
    const bool inside = std::any_of(property.unresolved_inside.begin(), property.unresolved_inside.end(),
                                    [&](const std::string& one) { return property.value.find(one) != kNone; });
    if (inside) report_expression(table, key, property, {}, diagnostics);
    const std::string_view value = trim(property.value);
    if (property.derived || !is_dollar_name(value)) continue;
    Diagnostic found = about(key, property, Severity::warning, DiagnosticCode::unresolved_placeholder);
    found.message = fmt::format("{} is not replaced by the environment variable", value);
    found.suggestion = fmt::format("write ${{env:{}}}", value.substr(1));
    found.consequence = "it stays as written";
    diagnostics.push_back(std::move(found));
  }
}

bool is_secret_key(std::string_view key) {
  const std::string lower = to_lower(key);
  for (const std::string_view word : {"password", "passwd", "passphrase", "secret", "token", "credential", "api_key"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace standpipe

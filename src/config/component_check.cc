#include "config/component_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "codec/java_regex.h"
#include "config/odd_text.h"
#include "config/spelling.h"

namespace standpipe {

namespace {

/// Kinds whose inside stays as written: a '#', a curly quote or a full-width comma may be meant.
bool is_exact(Kind kind) {
  return kind == Kind::text || kind == Kind::command || kind == Kind::regex || kind == Kind::secret;
}

/// Kinds in which odd characters can't be meant at all.
bool is_plain(Kind kind) { return !is_exact(kind) && kind != Kind::path; }

bool is_template(std::string_view text) {
  const auto has = [&](std::string_view mark) { return text.find(mark) != std::string_view::npos; };
  return (has("{{") && has("}}")) || (has("{%") && has("%}")) || (has("<%") && has("%>"));
}

bool is_secret(const Option* option, const Entry& entry) {
  if (FAILPOINT("config.print_secret")) return false;
  return entry.second.derived || is_secret_key(entry.first) || (option != nullptr && option->kind == Kind::secret);
}

std::string join(const std::vector<std::string_view>& words, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(words.size(), most); ++i) {
    if (i > 0) out += ", ";
    out += words[i];
  }
  if (words.size() > most) out += ", …";
  return out;
}

/// Whether a text stands in curly quotes, as a word processor makes them of straight ones.
bool is_curly_quoted(std::string_view text) {
  const auto is_quote = [](std::string_view mark) {
    const auto last = static_cast<unsigned char>(mark.back());
    return mark.starts_with("\xE2\x80") && last >= 0x98 && last <= 0x9F;
  };
  return text.size() >= 6 && is_quote(text.substr(0, 3)) && is_quote(text.substr(text.size() - 3));
}

/// The spaces before a comment are not worth a second message, even when they are odd ones.
std::string_view without_odd_end(std::string_view text) {
  const std::string kept = plain_ends(text).text;
  const std::size_t begin = text.find(kept);
  return trim(begin == std::string_view::npos ? text : text.substr(begin, kept.size()));
}

/// One word with a scheme: no address holds a blank, so what follows one is a comment even in free text.
bool is_address(std::string_view text) {
  const std::string_view word = trim(text);
  return word.find("://") != std::string_view::npos && word.find_first_of(" \t") == std::string_view::npos;
}

/// Where a " # comment" begins; 0 when the value is nothing else.
std::size_t find_comment(std::string_view value) {
  for (std::size_t at = value.find('#'); at != std::string_view::npos; at = value.find('#', at + 1)) {
    const std::string_view before = value.substr(0, at);
    const bool behind_space = before.empty() || before.back() == ' ' || before.back() == '\t' ||
                              before.ends_with("\xC2\xA0") || before.ends_with("\xE3\x80\x80");
    if (behind_space) return at;
  }
  return std::string_view::npos;
}

std::string_view last_parts(std::string_view key, std::size_t dot) { return key.substr(dot + 1); }

/// The property of this table that `key` was meant to be: another case, a prefix too many or missing, a slip of the
/// pen.
std::string_view nearest_property(const ComponentInfo& info, std::string_view key) {
  std::vector<std::string_view> words;
  for (const Option& option : info.options) {
    if (option.name.find('*') != std::string_view::npos) continue;
    if (equals_ignoring_case(option.name, key)) return option.name;
    words.push_back(option.name);
    for (const std::string_view alias : split(option.aliases, ' ')) words.push_back(alias);
  }
  for (const std::string_view word : words) {  // "batchSize" for "hdfs.batchSize"
    if (word.size() > key.size() && word.ends_with(key) && word[word.size() - key.size() - 1] == '.') return word;
  }
  for (std::size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.', dot + 1)) {
    const auto exact = std::find(words.begin(), words.end(), last_parts(key, dot));
    if (exact != words.end()) return *exact;
  }
  return nearest_word(key, words);
}

std::string default_text(const Option& option) {
  if (option.fallback.empty()) return "it counts as not set";
  return fmt::format("the default {} is used", option.fallback);
}

}  // namespace

std::optional<ComponentKind> nested_kind(const Option& option) {
  if (option.kind != Kind::type) return std::nullopt;
  for (const ComponentKind kind : {ComponentKind::serializer, ComponentKind::deserializer, ComponentKind::handler,
                                   ComponentKind::interceptor, ComponentKind::selector}) {
    if (option.choices == to_string(kind)) return kind;
  }
  return std::nullopt;
}

void ComponentCheck::report(Severity severity, DiagnosticCode code, const Entry& entry, std::string message,
                            std::string suggestion, std::string consequence) {
  Diagnostic found = diagnose(severity, code, entry, std::move(message));
  found.component = label_;
  found.suggestion = std::move(suggestion);
  found.consequence = std::move(consequence);
  diagnostics_.push_back(std::move(found));
}

std::string ComponentCheck::quoted(const Entry& entry, std::string_view word) {
  return is_secret(nullptr, entry) ? std::string("(from a placeholder)") : fmt::format("'{}'", word);
}

void ComponentCheck::fail(DiagnosticCode code, const Entry& entry, std::string message, std::string suggestion) {
  sound_ = false;
  report(Severity::error, code, entry, std::move(message), std::move(suggestion), outcome_);
}

void ComponentCheck::fail_whole(DiagnosticCode code, const Entry& place, std::string_view prefix, std::string message,
                                std::string suggestion) {
  fail(code, place, std::move(message), std::move(suggestion));
  diagnostics_.back().key = prefix.substr(0, prefix.size() - 1);
}

void ComponentCheck::follow(const Entry& entry, std::string message, bool fatal, DiagnosticCode code) {
  if (fatal) sound_ = false;
  report(Severity::note, code, entry, std::move(message), {},
         fatal ? outcome_ : fmt::format("{} runs without it", label_));
}

std::string_view ComponentCheck::without_comment(Kind kind, const Entry& entry, std::string_view value) {
  const std::size_t mark = find_comment(value);
  if (mark == std::string_view::npos) return value;
  if (!is_exact(kind) || (kind == Kind::text && is_address(value.substr(0, mark)))) {
    report(Severity::warning, DiagnosticCode::trailing_comment, entry,
           "a '#' behind a value begins no comment in a properties file", "put the comment on a line of its own",
           "it is taken for a comment here; Flume would not");
    return without_odd_end(value.substr(0, mark));
  }
  if (kind == Kind::text && mark > 0 && !is_secret(nullptr, entry)) {
    report(Severity::note, DiagnosticCode::trailing_comment, entry, "the text after '#' belongs to the value",
           "comments stand on lines of their own", "the value is used as written");
  }
  return value;
}

std::string ComponentCheck::clean(Kind kind, const Entry& entry) {
  const std::string_view given = trim(entry.second.value);
  if (kind == Kind::secret) return std::string(given);
  const std::string_view value = without_comment(kind, entry, given);
  OddText odd = is_plain(kind) ? plain_text(value, false) : plain_ends(value);
  if (kind == Kind::path && is_curly_quoted(odd.text)) odd = plain_text(value, false);
  if (!odd.changed()) {
    if (kind == Kind::command || kind == Kind::regex) report_curly_quote(entry, value);
    return odd.text;
  }
  report(Severity::warning, DiagnosticCode::odd_character, entry,
         fmt::format("{} in the value", describe_character(odd.first_odd)), "type the value anew instead of copying it",
         "it is read as the plain character");
  std::string_view text = trim(odd.text);
  const bool quoted = text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'');
  if (quoted && is_curly_quoted(trim(value))) text = text.substr(1, text.size() - 2);
  return std::string(text);
}

void ComponentCheck::report_curly_quote(const Entry& entry, std::string_view value) {
  const std::size_t at = value.find("\xE2\x80");
  if (at == std::string_view::npos || at + 2 >= value.size()) return;
  const auto last = static_cast<unsigned char>(value[at + 2]);
  if (last < 0x98 || last > 0x9F) return;
  report(Severity::warning, DiagnosticCode::odd_character, entry,
         fmt::format("{} in the value", describe_character(0x2000U + (last & 0x3FU))),
         "write a straight quote if one was meant", "the value is used as written");
}

std::string ComponentCheck::name(const Entry& entry) {
  std::string value = clean(Kind::name, entry);
  if (value.empty()) report_empty(nullptr, entry);
  return value;
}

std::vector<std::string> ComponentCheck::names(const Entry& entry) {
  std::string value = clean(Kind::list, entry);
  if (value.find(',') != std::string::npos) {
    report(Severity::warning, DiagnosticCode::odd_character, entry, "names are separated by blanks, not by commas",
           "remove the commas", "the commas are ignored; Flume would take them for part of the names");
    std::replace(value.begin(), value.end(), ',', ' ');
  }
  std::vector<std::string> words;
  for (const std::string_view word : split_words(value)) {
    if (std::find(words.begin(), words.end(), word) != words.end()) {
      report(Severity::warning, DiagnosticCode::duplicate_key, entry, fmt::format("'{}' is listed twice", word),
             "list it once", "it counts once");
      continue;
    }
    words.emplace_back(word);
  }
  if (words.empty()) report_empty(nullptr, entry);
  return words;
}

const ComponentInfo* ComponentCheck::find_type(ComponentKind kind, const Entry& entry, DiagnosticCode unknown) {
  if (is_template(entry.second.value)) {
    fail(DiagnosticCode::template_text, entry, "the value is a template that nobody has rendered",
         "render the template first, then check its result");
    return nullptr;
  }
  const std::string type = clean(Kind::type, entry);
  if (type.empty()) {
    fail(DiagnosticCode::missing_type, entry, "the type has no value");
    return nullptr;
  }
  const Catalog::Match match = catalog_.find(kind, type);
  if (match.info == nullptr) {
    report_unknown_type(kind, entry, type, unknown);
    return nullptr;
  }
  if (!match.exact_case) {
    // Flume's own manual writes TAILDIR and SPILLABLEMEMORY: capitals are a matter of taste, anything else a slip.
    const bool class_name = type.find('.') != std::string::npos;
    report(class_name ? Severity::warning : Severity::note, DiagnosticCode::type_case, entry,
           fmt::format("'{}' is written in another case than its name", type),
           fmt::format("write {}", class_name ? match.info->class_names.front() : match.info->name),
           "it is understood");
  }
  if (!match.info->built && !inside_unbuilt_) {
    fail(DiagnosticCode::not_built, entry, fmt::format("'{}' is known to Flume, not yet here", type));
  }
  return match.info;
}

void ComponentCheck::report_unknown_type(ComponentKind kind, const Entry& entry, const std::string& type,
                                         DiagnosticCode code) {
  std::string message = fmt::format("{} is no known {}", quoted(entry, type), to_string(kind));
  const ComponentInfo* near = catalog_.nearest(kind, type);
  std::string suggestion;
  if (near != nullptr) {
    suggestion = fmt::format("did you mean {}?", display_name(*near));
  } else if (type.find('.') != std::string::npos) {
    suggestion = "Java classes can't be loaded: use a built-in type";
  } else {
    std::vector<std::string_view> names;
    for (const ComponentInfo* info : catalog_.infos()) {
      if (info->kind == kind && info->built && !info->name.empty()) names.push_back(info->name);
    }
    if (!names.empty()) suggestion = fmt::format("known are {}", join(names, 12));
  }
  fail(code, entry, std::move(message), std::move(suggestion));
}

Settings ComponentCheck::check(const ComponentInfo& info, const EntryMap& properties, const Entry& place,
                               const std::string& prefix) {
  Settings::Map values;
  EntryMap own = properties;
  for (const Option& option : info.options) {
    const auto kind = nested_kind(option);
    // Without a table for what is nested, the component's own ("serializer.*") says what may stand there.
    const bool judged =
        kind && (properties.contains(option.name) || catalog_.find(*kind, option.fallback).info != nullptr);
    if (!judged) continue;
    for (const auto& [key, entry] : below(properties, fmt::format("{}.", option.name))) {
      const std::string whole = fmt::format("{}.{}", option.name, key);
      const Option* declared = find_option(info, whole);
      const bool explicitly = declared != nullptr && declared->name.find('*') == std::string_view::npos;
      if (!explicitly) own.erase(whole);
    }
  }
  const bool outer_unbuilt = inside_unbuilt_;
  inside_unbuilt_ = inside_unbuilt_ || !info.built;
  for (const auto& [key, entry] : own) check_property(info, properties, key, *entry, values);
  check_nested(info, properties, place, prefix, values);
  Settings settings = Settings::unchecked(info, std::move(values));
  check_required(info, settings, place, prefix);
  inside_unbuilt_ = outer_unbuilt;
  return settings;
}

void ComponentCheck::check_property(const ComponentInfo& info, const EntryMap& properties, std::string_view key,
                                    const Entry& entry, Settings::Map& values) {
  const Option* option = find_option(info, key);
  if (option == nullptr) {
    report_unknown(info, key, entry);
    return;
  }
  if (trim(entry.second.value).empty()) {
    report_empty(option, entry);
    return;
  }
  if (!option->no_effect.empty()) {
    report(Severity::warning, DiagnosticCode::no_effect, entry, "the property has no effect here",
           std::string(option->no_effect), "it is ignored");
    return;
  }
  report_alias(*option, key, properties, entry);
  if (is_template(entry.second.value) && !is_exact(option->kind)) {
    rejected_.insert(option);
    fail(DiagnosticCode::template_text, entry, "the value is a template that nobody has rendered",
         "render the template first, then check its result");
    return;
  }
  check_option(*option, entry, clean(option->kind, entry), values, key);
}

void ComponentCheck::check_option(const Option& option, const Entry& entry, std::string value, Settings::Map& values,
                                  std::string_view key) {
  if (value.empty()) {
    report_empty(&option, entry);
    return;
  }
  if (option.kind == Kind::boolean && !equals_ignoring_case(value, "true") && !equals_ignoring_case(value, "false")) {
    report(Severity::warning, DiagnosticCode::bad_value, entry,
           is_secret(&option, entry) ? std::string("the value is neither true nor false")
                                     : fmt::format("'{}' is neither true nor false", value),
           "write true or false", "it counts as false");
  }
  const Status status = check_value(option, value);
  if (!status.ok()) {
    report_bad_value(option, entry, value, status.message());
    return;
  }
  const Status pattern = option.kind == Kind::regex ? JavaRegex::compile(value).status() : Status();
  if (!pattern.ok()) {
    rejected_.insert(&option);
    fail(DiagnosticCode::bad_value, entry, std::string(pattern.message()),
         "in a properties file a backslash of a pattern is written twice");
    return;
  }
  values.emplace(key, std::move(value));
}

void ComponentCheck::report_bad_value(const Option& option, const Entry& entry, const std::string& value,
                                      std::string_view problem) {
  rejected_.insert(&option);
  std::string message =
      is_secret(&option, entry) ? "the value (not shown) is not one that this property can have" : std::string(problem);
  std::string suggestion;
  if (option.kind == Kind::choice && !is_secret(&option, entry)) {
    const std::string_view near = nearest_word(value, split(option.choices, '|'));
    if (!near.empty()) suggestion = fmt::format("did you mean {}?", near);
  } else if (option.kind == Kind::integer || option.kind == Kind::duration) {
    suggestion = option.unit.empty() ? std::string("write a whole number")
                                     : fmt::format("write a whole number of {}", option.unit);
  }
  if (option.lenient) {
    report(Severity::warning, DiagnosticCode::bad_value, entry, std::move(message), std::move(suggestion),
           default_text(option));
    return;
  }
  fail(DiagnosticCode::bad_value, entry, std::move(message), std::move(suggestion));
}

void ComponentCheck::report_empty(const Option* option, const Entry& entry) {
  const bool harmless = option != nullptr && option->fallback.empty() && !option->required;
  report(harmless ? Severity::note : Severity::warning, DiagnosticCode::empty_value, entry, "it has no value",
         harmless ? std::string() : std::string("give it a value or remove the line"),
         option == nullptr ? std::string("it is ignored") : default_text(*option));
}

void ComponentCheck::report_alias(const Option& option, std::string_view key, const EntryMap& properties,
                                  const Entry& entry) {
  if (option.name == key || option.name.find('*') != std::string_view::npos) return;
  const bool both = properties.contains(option.name);
  report(Severity::warning, DiagnosticCode::deprecated, entry, fmt::format("'{}' is an older name", key),
         both ? fmt::format("remove it: {} is set, too", option.name) : fmt::format("write {}", option.name),
         both ? fmt::format("{} counts", option.name) : "it is understood");
}

void ComponentCheck::check_nested(const ComponentInfo& info, const EntryMap& properties, const Entry& place,
                                  const std::string& prefix, Settings::Map& values) {
  for (const Option& option : info.options) {
    const auto kind = nested_kind(option);
    if (!kind) continue;
    const auto set = properties.find(option.name);
    const bool given = set != properties.end() && !trim(set->second->second.value).empty();
    const EntryMap inner = below(properties, fmt::format("{}.", option.name));
    const ComponentInfo* nested = nullptr;
    if (given) {
      if (values.contains(option.name)) nested = find_type(*kind, *set->second);
    } else if (!option.fallback.empty()) {
      nested = catalog_.find(*kind, option.fallback).info;
    }
    if (nested == nullptr) {  // said already; what stands below can't be judged
      if (given) check_unknown(inner);
      continue;
    }
    const Settings settings =
        check(*nested, inner, given ? *set->second : place, fmt::format("{}{}.", prefix, option.name));
    for (const auto& [key, value] : settings.values()) values.emplace(fmt::format("{}.{}", option.name, key), value);
  }
}

void ComponentCheck::check_unknown(const EntryMap& properties) {
  for (const auto& [key, entry] : properties) {
    if (trim(entry->second.value).empty()) report_empty(nullptr, *entry);
    if (!is_template(entry->second.value)) continue;
    fail(DiagnosticCode::template_text, *entry, "the value is a template that nobody has rendered",
         "render the template first, then check its result");
  }
}

void ComponentCheck::check_required(const ComponentInfo& info, const Settings& settings, const Entry& place,
                                    const std::string& prefix) {
  for (const Option& option : info.options) {
    if (!option.required || option.name.find('*') != std::string_view::npos) continue;
    const bool given = settings.has(option.name) || rejected_.contains(&option);
    if (given) continue;
    const std::string help = option.help.empty() ? std::string() : fmt::format(" ({})", option.help);
    fail_whole(DiagnosticCode::missing_required, place, prefix,
               fmt::format("{} needs '{}'", display_name(info), option.name),
               fmt::format("add {}{} = …{}", prefix, option.name, help));
  }
}

void ComponentCheck::report_unknown(const ComponentInfo& info, std::string_view key, const Entry& entry) {
  std::string message = fmt::format("{} has no property '{}'", display_name(info), key);
  const std::string_view near = nearest_property(info, key);
  std::string suggestion;
  std::string consequence = "it is ignored";
  if (!near.empty()) {
    suggestion = fmt::format("did you mean {}?", near);
    const Option* option = find_option(info, near);
    const bool defaulted = option != nullptr && !option->fallback.empty();
    if (defaulted) consequence = fmt::format("it is ignored; {} stays {}", near, option->fallback);
  } else if (const auto owners = catalog_.with_property(info.kind, key); !owners.empty()) {
    suggestion = fmt::format("'{}' is a property of {}", key, join(owners, 5));
  }
  report(Severity::warning, DiagnosticCode::unknown_property, entry, std::move(message), std::move(suggestion),
         std::move(consequence));
}

}  // namespace standpipe

#include "standpipe/settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"

namespace standpipe {

namespace {

Status check_integer(const Option& option, std::string_view text) {
  const auto number = parse_integer(text);
  if (!number) return {Code::invalid, fmt::format("'{}' is not a whole number", text)};
  if (*number >= option.min && *number <= option.max) return {};
  if (option.max == std::numeric_limits<std::int64_t>::max()) {
    return {Code::invalid, fmt::format("{} is too small: at least {}", *number, option.min)};
  }
  return {Code::invalid, fmt::format("{} is out of range: {} to {}", *number, option.min, option.max)};
}

Status check_choice(const Option& option, std::string_view text) {
  for (const std::string_view choice : split(option.choices, '|')) {
    if (equals_ignoring_case(choice, text)) return {};
  }
  std::string choices(option.choices);
  std::replace(choices.begin(), choices.end(), '|', ' ');
  return {Code::invalid, fmt::format("'{}' is not one of: {}", text, choices)};
}

Status check_port(std::string_view text) {
  const auto number = parse_integer(text);
  if (number && *number >= 0 && *number <= 65535) return {};
  return {Code::invalid, fmt::format("'{}' is not a port: 1 to 65535", text)};
}

/// No name and no address has these in it; two colons and more are an address of IPv6. What a placeholder stands for,
/// nobody knows.
Status check_host(std::string_view text) {
  const bool one_word = text.find_first_of(" \t,/") == std::string_view::npos;
  const bool has_port = std::count(text.begin(), text.end(), ':') == 1;
  if (text.find("${") != std::string_view::npos || (one_word && !has_port)) return {};
  return {Code::invalid, fmt::format("'{}' is not a host: one name or address, without a port", text)};
}

}  // namespace

std::string_view to_string(ComponentKind kind) {
  switch (kind) {
    case ComponentKind::source: return "source";
    case ComponentKind::channel: return "channel";
    case ComponentKind::sink: return "sink";
    case ComponentKind::interceptor: return "interceptor";
    case ComponentKind::selector: return "selector";
    case ComponentKind::sink_processor: return "sink processor";
    case ComponentKind::config_filter: return "config filter";
    case ComponentKind::deserializer: return "deserializer";
    case ComponentKind::serializer: return "serializer";
    case ComponentKind::handler: return "handler";
  }
  return "?";
}

Status check_value(const Option& option, std::string_view text) {
  if (text.empty()) return {Code::invalid, "it has no value"};
  switch (option.kind) {
    case Kind::integer:
    case Kind::duration: return check_integer(option, text);
    case Kind::real:
      if (!parse_real(text)) return {Code::invalid, fmt::format("'{}' is not a number", text)};
      return {};
    case Kind::port: return check_port(text);
    case Kind::host: return check_host(text);
    case Kind::choice: return check_choice(option, text);
    default: return {};
  }
}

bool matches_pattern(std::string_view pattern, std::string_view key) {
  while (!pattern.empty() && !key.empty()) {
    const std::string_view wanted = pattern.substr(0, pattern.find('.'));
    const std::string_view part = key.substr(0, key.find('.'));
    const bool last = wanted.size() == pattern.size();
    if (wanted == "*" && last) return true;  // covers everything below
    if (part.empty() || (wanted != "*" && wanted != part)) return false;
    const bool key_ends = part.size() == key.size();
    if (last || key_ends) return last && key_ends;
    pattern.remove_prefix(wanted.size() + 1);
    key.remove_prefix(part.size() + 1);
  }
  return false;
}

const Option* find_option(const ComponentInfo& info, std::string_view key) {
  const Option* by_pattern = nullptr;
  for (const Option& option : info.options) {
    if (option.name == key) return &option;
    if (option.name.find('*') != std::string_view::npos) {
      if (by_pattern == nullptr && matches_pattern(option.name, key)) by_pattern = &option;
      continue;
    }
    for (const std::string_view alias : split(option.aliases, ' ')) {
      if (alias == key) return &option;
    }
  }
  return by_pattern;
}

const ComponentInfo* find_component(std::span<const ComponentInfo* const> infos, ComponentKind kind,
                                    std::string_view type) {
  for (const ComponentInfo* info : infos) {
    if (info->kind != kind) continue;
    if (equals_ignoring_case(info->name, type)) return info;
    if (std::find(info->class_names.begin(), info->class_names.end(), type) != info->class_names.end()) return info;
  }
  return nullptr;
}

Result<Settings> Settings::parse(const ComponentInfo& info, Map values) {
  for (const auto& [key, value] : values) {
    const Option* option = find_option(info, key);
    if (option == nullptr) return Status(Code::invalid, fmt::format("{} has no property '{}'", info.name, key));
    const Status status = check_value(*option, value);
    if (!status.ok()) return status.with_context(key + ": ");
  }
  Settings settings = unchecked(info, std::move(values));
  for (const Option& option : info.options) {
    if (option.required && !settings.has(option.name)) {
      return Status(Code::invalid, fmt::format("{} needs '{}'", info.name, option.name));
    }
  }
  return settings;
}

Settings Settings::unchecked(const ComponentInfo& info, Map values) {
  Settings settings;
  settings.info_ = &info;
  settings.values_ = std::move(values);
  return settings;
}

const Option& Settings::option(std::string_view key) const {
  CHECK(info_ != nullptr);
  const Option* option = find_option(*info_, key);
  if (option == nullptr) check_failed(std::string(info_->name).c_str(), 0, std::string(key).c_str());
  return *option;
}

std::optional<std::string> Settings::optional_text(std::string_view key) const {
  const Option& declared = option(key);
  if (const auto found = values_.find(key); found != values_.end()) return found->second;
  for (const std::string_view alias : split(declared.aliases, ' ')) {
    if (const auto found = values_.find(alias); found != values_.end()) return found->second;
  }
  if (declared.fallback.empty()) return std::nullopt;
  return std::string(declared.fallback);
}

bool Settings::has(std::string_view key) const {
  const Option& declared = option(key);
  if (values_.contains(key)) return true;
  const auto aliases = split(declared.aliases, ' ');
  return std::any_of(aliases.begin(), aliases.end(), [&](std::string_view alias) { return values_.contains(alias); });
}

std::string Settings::text(std::string_view key) const { return optional_text(key).value_or(""); }

bool Settings::boolean(std::string_view key) const { return equals_ignoring_case(text(key), "true"); }

std::int64_t Settings::integer(std::string_view key) const { return parse_integer(text(key)).value_or(0); }

double Settings::real(std::string_view key) const { return parse_real(text(key)).value_or(0); }

std::chrono::milliseconds Settings::duration(std::string_view key) const {
  const std::int64_t number = integer(key);
  const std::int64_t scale = option(key).unit == "s" ? 1000 : 1;
  const std::int64_t limit =
      std::numeric_limits<std::int64_t>::max() / 2'000'000 / scale;  // now + that, in nanoseconds
  return std::chrono::milliseconds(std::clamp(number, -limit, limit) * scale);
}

std::vector<std::string> Settings::list(std::string_view key) const {
  const std::string value = text(key);
  const bool by_comma = option(key).kind == Kind::comma_list;
  std::vector<std::string> words;
  for (const std::string_view part : by_comma ? split(value, ',') : split_words(value)) {
    const std::string_view word = trim(part);
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

std::string Settings::choice(std::string_view key) const { return to_lower(text(key)); }

Settings::Map Settings::below(std::string_view prefix) const {
  Map found;
  for (auto at = values_.lower_bound(prefix); at != values_.end() && at->first.starts_with(prefix); ++at) {
    found.emplace(at->first.substr(prefix.size()), at->second);
  }
  return found;
}

Settings Settings::nested(const ComponentInfo& info, std::string_view prefix) const {
  return unchecked(info, below(prefix));
}

}  // namespace standpipe

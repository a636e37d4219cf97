#include "config/describe.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace standpipe {

namespace {

constexpr std::int64_t kNoMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kNoMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kIntMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kIntMax = std::numeric_limits<std::int32_t>::max();
constexpr std::string_view kNotBuilt = "known to Flume, not yet here: its properties are checked, it does not run";

/// A limit that is only the number type's is nothing that a user wants to read.
bool tells(std::int64_t limit) { return limit != kNoMin && limit != kNoMax && limit != kIntMin && limit != kIntMax; }

std::string range_in_words(const Option& option) {
  if (tells(option.min) && tells(option.max)) return fmt::format(", {} to {}", option.min, option.max);
  if (tells(option.min)) return fmt::format(", at least {}", option.min);
  if (tells(option.max)) return fmt::format(", at most {}", option.max);
  return {};
}

std::string joined(std::string_view parts, char separator) {
  return fmt::format("{}", fmt::join(split(parts, separator), ", "));
}

std::string kind_in_words(const Option& option) {
  switch (option.kind) {
    case Kind::text: return "text";
    case Kind::command: return "command";
    case Kind::regex: return "regular expression";
    case Kind::secret: return "secret";
    case Kind::name: return "word";
    case Kind::boolean: return "true or false";
    case Kind::integer:
    case Kind::duration: return "whole number";
    case Kind::real: return "number";
    case Kind::path: return "path";
    case Kind::host: return "host";
    case Kind::port: return "port";
    case Kind::charset: return "character set";
    case Kind::choice: return "one of " + joined(option.choices, '|');
    case Kind::list: return "words separated by blanks";
    case Kind::comma_list: return "words separated by commas";
    case Kind::type: return fmt::format("{}, by alias or class name", option.choices);
  }
  return "?";
}

/// Everything that is said of an option besides its help: "whole number of ms, at least 1; default 100".
std::string facts(const Option& option) {
  std::string text = value_in_words(option);
  if (option.required) text += "; required";
  if (!option.fallback.empty()) text += fmt::format("; default {}", option.fallback);
  return text;
}

/// What is said after the help, a sentence each.
std::vector<std::string> remarks(const Option& option) {
  std::vector<std::string> found;
  if (!option.aliases.empty()) found.push_back(fmt::format("Older name: {}.", joined(option.aliases, ' ')));
  if (option.lenient) found.push_back("A bad value is replaced by the default, with a warning.");
  if (!option.no_effect.empty()) found.push_back(fmt::format("Has no effect: {}.", option.no_effect));
  return found;
}

/// `text` in lines of at most `width`, each after `indent` blanks; a longer word gets a line to itself.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent, std::size_t width) {
  std::string line(indent, ' ');
  bool empty = true;
  for (const std::string_view word : split_words(text)) {
    if (!empty && line.size() + 1 + word.size() > width) {
      out += line + '\n';
      line.assign(indent, ' ');
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
  }
  if (!empty) out += line + '\n';
}

void append_option(std::string& out, const Option& option, std::size_t width) {
  append_wrapped(out, fmt::format("{} ({})", option.name, facts(option)), 2, width);
  append_wrapped(out, option.help, 6, width);
  for (const std::string& remark : remarks(option)) append_wrapped(out, remark, 6, width);
}

/// For a cell of a markdown table: a bar would end the cell, a `<` might begin a tag.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '*' || c == '_' || c == '<' || c == '`') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

/// As code, where markdown takes everything but a backtick and, in a table, a bar as it is.
std::string code(std::string_view text) {
  if (text.empty()) return {};
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c == '`' ? '\'' : c;
  }
  return "`" + escaped + "`";
}

std::string markdown_row(const Option& option) {
  std::string help(option.help);
  for (const std::string& remark : remarks(option)) help += " " + remark;
  return fmt::format("| {} | {} | {} | {} | {} |\n", code(option.name), cell(value_in_words(option)),
                     code(option.fallback), option.required ? "yes" : "", cell(help));
}

void append_section(std::string& out, const ComponentInfo& info, std::string_view heading) {
  out += fmt::format("{} {}\n\n{}\n", heading, info.name, info.summary);
  if (!info.built) out += fmt::format("\n*{}*\n", kNotBuilt);
  if (!info.class_names.empty()) out += "\nClass names that mean the same:\n\n";
  for (const std::string_view name : info.class_names) out += fmt::format("- {}\n", code(name));
  if (!info.acknowledges.empty()) out += fmt::format("\nAcknowledged means: {}.\n", info.acknowledges);
  if (!info.options.empty()) out += "\n" + describe_options_markdown(info.options);
}

std::vector<const ComponentInfo*> sorted(std::span<const ComponentInfo* const> infos) {
  std::vector<const ComponentInfo*> all(infos.begin(), infos.end());
  std::stable_sort(all.begin(), all.end(), [](const ComponentInfo* a, const ComponentInfo* b) {
    return a->kind != b->kind ? a->kind < b->kind : a->name < b->name;
  });
  return all;
}

using Json = nlohmann::ordered_json;

Json strings(const std::vector<std::string_view>& parts) {
  Json array = Json::array();
  for (const std::string_view part : parts) array.push_back(std::string(part));
  return array;
}

void put(Json& object, const char* key, std::string_view value) {
  if (!value.empty()) object[key] = std::string(value);
}

Json option_json(const Option& option) {
  Json object;
  put(object, "name", option.name);
  put(object, "kind", to_string(option.kind));
  put(object, "value", value_in_words(option));
  put(object, "default", option.fallback);
  put(object, "help", option.help);
  put(object, "unit", option.unit);
  if (option.required) object["required"] = true;
  if (option.lenient) object["lenient"] = true;
  if (option.min != kNoMin) object["min"] = option.min;
  if (option.max != kNoMax) object["max"] = option.max;
  if (!option.choices.empty()) object["choices"] = strings(split(option.choices, '|'));
  if (!option.aliases.empty()) object["aliases"] = strings(split(option.aliases, ' '));
  put(object, "noEffect", option.no_effect);
  return object;
}

Json component_json(const ComponentInfo& info) {
  Json object;
  put(object, "kind", to_string(info.kind));
  put(object, "name", info.name);
  object["classNames"] = strings({info.class_names.begin(), info.class_names.end()});
  put(object, "summary", info.summary);
  object["built"] = info.built;
  put(object, "batchOption", info.batch_option);
  put(object, "acknowledges", info.acknowledges);
  object["options"] = Json::array();
  for (const Option& option : info.options) object["options"].push_back(option_json(option));
  return object;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::text: return "text";
    case Kind::command: return "command";
    case Kind::regex: return "regex";
    case Kind::secret: return "secret";
    case Kind::name: return "name";
    case Kind::boolean: return "boolean";
    case Kind::integer: return "integer";
    case Kind::real: return "real";
    case Kind::duration: return "duration";
    case Kind::path: return "path";
    case Kind::host: return "host";
    case Kind::port: return "port";
    case Kind::charset: return "charset";
    case Kind::choice: return "choice";
    case Kind::list: return "list";
    case Kind::comma_list: return "comma_list";
    case Kind::type: return "type";
  }
  return "?";
}

std::string value_in_words(const Option& option) {
  std::string text = kind_in_words(option);
  if (!option.unit.empty()) text += fmt::format(" {} {}", option.unit == "percent" ? "in" : "of", option.unit);
  return text + range_in_words(option);
}

std::string describe_text(const ComponentInfo& info, std::size_t width) {
  std::string out = fmt::format("{} ({})\n\n", info.name, to_string(info.kind));
  append_wrapped(out, info.summary, 2, width);
  if (!info.built) append_wrapped(out, fmt::format("State: {}.", kNotBuilt), 2, width);
  if (!info.acknowledges.empty())
    append_wrapped(out, fmt::format("Acknowledged means: {}.", info.acknowledges), 2, width);
  if (!info.class_names.empty()) out += "\nClass names that mean the same\n";
  for (const std::string_view name : info.class_names) append_wrapped(out, name, 2, width);
  out += info.options.empty() ? "\nNo options of its own\n" : "\nOptions\n";
  return out + describe_options_text(info.options, width);
}

std::string describe_options_text(std::span<const Option> options, std::size_t width) {
  std::string out;
  for (const Option& option : options) append_option(out, option, width);
  return out;
}

std::string describe_options_markdown(std::span<const Option> options) {
  std::string out = "| option | value | default | required | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const Option& option : options) out += markdown_row(option);
  return out;
}

std::string describe_markdown(const ComponentInfo& info) {
  std::string out;
  append_section(out, info, "##");
  return out;
}

std::string describe_all_markdown(std::span<const ComponentInfo* const> infos) {
  std::string out;
  const ComponentInfo* last = nullptr;
  for (const ComponentInfo* info : sorted(infos)) {
    if (!out.empty()) out += '\n';
    if (last == nullptr || last->kind != info->kind) out += fmt::format("## {}s\n\n", to_string(info->kind));
    append_section(out, *info, "###");
    last = info;
  }
  return out;
}

std::string describe_all_json(std::span<const ComponentInfo* const> infos) {
  Json array = Json::array();
  for (const ComponentInfo* info : sorted(infos)) array.push_back(component_json(*info));
  return array.dump(2) + "\n";
}

}  // namespace standpipe

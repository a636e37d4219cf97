#include "app/option_parser.h"

#include <fmt/format.h>

namespace standpipe {

namespace {

/// The switch that `name` (without dashes) means: exact names first, then an unambiguous prefix of a long one.
Result<const SwitchSpec*> find_switch(std::span<const SwitchSpec> specs, std::string_view name,
                                      std::string_view argument) {
  std::vector<const SwitchSpec*> candidates;
  for (const SwitchSpec& spec : specs) {
    if (name == spec.short_name || name == spec.long_name) return &spec;
    if (spec.long_name.starts_with(name)) candidates.push_back(&spec);
  }
  if (candidates.size() == 1) return candidates.front();
  if (candidates.empty()) return Status(Code::invalid, fmt::format("unrecognized option: {}", argument));
  std::string names;
  for (const SwitchSpec* spec : candidates) names += fmt::format(" --{}", spec->long_name);
  return Status(Code::invalid, fmt::format("ambiguous option: {} (could be{})", argument, names));
}

}  // namespace

Result<ParsedLine> parse_switches(std::span<const SwitchSpec> specs, std::span<const std::string> arguments) {
  ParsedLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--") {
      line.rest.insert(line.rest.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (argument.size() < 2 || argument[0] != '-') {
      line.rest.emplace_back(argument);
      continue;
    }
    std::string_view name = argument.substr(argument.starts_with("--") ? 2 : 1);
    const std::size_t equals = name.find('=');
    name = name.substr(0, equals);
    TRY_ASSIGN(const SwitchSpec* spec, find_switch(specs, name, argument));
    ParsedSwitch parsed{spec->id, {}};
    if (equals != std::string_view::npos) {
      if (!spec->takes_value) return Status(Code::invalid, fmt::format("{} takes no value", argument));
      parsed.value = argument.substr(argument.find('=') + 1);
    } else if (spec->takes_value) {
      if (i + 1 == arguments.size()) return Status(Code::invalid, fmt::format("missing argument for option: {}", name));
      parsed.value = arguments[++i];
    }
    line.switches.push_back(std::move(parsed));
  }
  return line;
}

}  // namespace standpipe

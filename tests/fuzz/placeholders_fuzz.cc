// Placeholders and config filters over properties that refer to each other: bounded in time and size, whatever they
// say.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "config/placeholders.h"

using namespace standpipe;

namespace {

constexpr std::size_t kMaxValue = 2U << 20U;

/// Each line of the input is the value of one property; the keys are short, so that references find them.
PropertyTable make_table(std::string_view input) {
  constexpr std::string_view kKeys[] = {"a",
                                        "b",
                                        "c",
                                        "a1.configfilters",
                                        "a1.configfilters.f.type",
                                        "a1.configfilters.f.command",
                                        "a1.sources.r1.x",
                                        "a1.sinks.k1.y"};
  PropertyTable table;
  std::size_t index = 0;
  for (const std::string_view line : split(input, '\n')) {
    if (index == std::size(kKeys)) break;
    table[std::string(kKeys[index++])] = {.value = std::string(line), .file = "fuzz", .line = 1};
  }
  return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  PropertyTable table = make_table({reinterpret_cast<const char*>(data), size});
  Surroundings surroundings;
  surroundings.environment = [](std::string_view name) -> std::optional<std::string> {
    if (name.size() > 8) return std::nullopt;
    return "${" + std::string(name) + "}${b}";
  };
  surroundings.run = [](const std::vector<std::string>& command) -> Result<std::string> { return command.back(); };
  Diagnostics diagnostics;
  resolve_placeholders(table, surroundings, diagnostics);
  apply_config_filters(table, surroundings, diagnostics);
  report_unresolved(table, diagnostics);
  for (const auto& [key, property] : table) {
    if (property.value.size() > kMaxValue + size) std::abort();
  }
  return 0;
}

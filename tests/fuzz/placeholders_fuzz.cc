// Placeholders and config filters over properties that refer to each other: bounded in time and size, whatever they
// say. What the environment gives is never in a diagnostic, and what a filter gives is known as a secret.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "config/placeholders.h"

using namespace standpipe;

namespace {

constexpr std::size_t kMaxValue = 2U << 20U;
constexpr std::string_view kSecret = "Zq7";  // in whatever comes from the environment or a command; in no input
constexpr std::string_view kNamedSecret = "Zq7!";
constexpr std::string_view kFiltered = "a1.sources.r1.x";

/// Each line of the input is the value of one property; the keys are short, so that references find them.
PropertyTable make_table(std::string_view input) {
  constexpr std::string_view kKeys[] = {"a",
                                        "b",
                                        "c",
                                        "a1.configfilters",
                                        "a1.configfilters.f.type",
                                        "a1.configfilters.f.command",
                                        kFiltered,
                                        "a1.sinks.k1.y",
                                        "a1.configfilters.f.charset",
                                        "a1.configfilters.g.type",
                                        "a1.channels.c1.password"};
  PropertyTable table;
  std::size_t index = 0;
  for (const std::string_view line : split(input, '\n')) {
    if (index == std::size(kKeys)) break;
    table[std::string(kKeys[index++])] = {.value = std::string(line), .file = "fuzz", .line = 1};
  }
  return table;
}

/// Nothing for long names; for some only the secret, for others one that goes on with placeholders. What is named like
/// a secret has an exclamation mark.
std::optional<std::string> environment(std::string_view name) {
  if (name.size() > 8) return std::nullopt;
  if (is_secret_key(name)) return std::string(kNamedSecret);
  if (name.starts_with('k')) return std::string(kSecret);
  return "<" + std::string(kSecret) + ">${" + std::string(name) + "}${b}";
}

/// Fails, prints nothing, or several lines: as the key's size says.
Result<std::string> run(const std::vector<std::string>& command) {
  const std::string& key = command.back();
  if (key.size() % 4 == 1) return Status(Code::io, "exit status 1");
  if (key.size() % 4 == 2) return std::string("\r\n");
  return "<" + std::string(kSecret) + ">" + (key.size() % 4 == 3 ? "\nmore" : "");
}

Surroundings surroundings(bool fallback) {
  Surroundings found;
  found.environment = environment;
  found.run = run;
  found.system["s"] = "<" + std::string(kSecret) + ">";
  if (fallback) found.system["propertiesImplementation"] = "org.apache.flume.node.EnvVarResolverProperties";
  return found;
}

bool is_filter_key(std::string_view text) {
  constexpr std::string_view kCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !text.empty() && text.find_first_not_of(kCharacters) == std::string_view::npos;
}

/// Where the filter f is `env` and alone, each ${f['NAME']} that the environment knows is gone.
void check_env_filter(std::string_view value) {
  constexpr std::string_view kHead = "${f['";
  for (std::size_t at = value.find(kHead); at != std::string_view::npos; at = value.find(kHead, at + 1)) {
    const std::string_view rest = value.substr(at + kHead.size());
    const std::size_t end = rest.find("']}");
    if (end == std::string_view::npos) return;
    const std::string_view key = rest.substr(0, end);
    const bool of_the_input = key.find(kSecret) == std::string_view::npos;
    CHECK(!of_the_input || !is_filter_key(key) || !environment(key));
  }
}

std::string value_of(const PropertyTable& table, std::string_view key) {
  const auto found = table.find(key);
  return found == table.end() ? std::string() : found->second.value;
}

void check_filtered(const PropertyTable& before, const PropertyTable& after) {
  for (const auto& [key, property] : after) {
    const Property& old = before.find(key)->second;
    if (property.value == old.value) continue;
    CHECK(key == kFiltered || key == "a1.sinks.k1.y" || key == "a1.channels.c1.password");
    CHECK(property.derived && property.secret_parts.size() > old.secret_parts.size());
    CHECK(property.value.find(property.secret_parts.back()) != std::string::npos);
  }
  const bool only_env =
      trim(value_of(before, "a1.configfilters")) == "f" && trim(value_of(before, "a1.configfilters.f.type")) == "env";
  if (only_env) check_env_filter(value_of(after, kFiltered));
}

/// What a variable named like a secret gave is known as a part that is never shown.
void check_known_secrets(const PropertyTable& table) {
  bool there = false;
  bool known = false;
  for (const auto& [key, property] : table) {
    there = there || property.value.find(kNamedSecret) != std::string::npos;
    for (const std::string& part : property.secret_parts) known = known || part.find(kNamedSecret) != std::string::npos;
  }
  CHECK(!there || known);
}

void check_kept_back(const Diagnostics& diagnostics) {
  for (const Diagnostic& found : diagnostics) {
    for (const std::string& text : {found.message, found.suggestion, found.consequence, found.component, found.key}) {
      CHECK(text.find(kSecret) == std::string::npos);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.find(kSecret) != std::string_view::npos) return 0;
  PropertyTable table = make_table(input);
  const Surroundings world = surroundings(size % 2 == 0);
  Diagnostics diagnostics;
  resolve_placeholders(table, world, diagnostics);
  for (const auto& [key, property] : table) {
    CHECK(property.derived || property.value.find(kSecret) == std::string::npos);
  }
  check_known_secrets(table);
  const PropertyTable resolved = table;
  apply_config_filters(table, world, diagnostics);
  check_filtered(resolved, table);
  report_unresolved(table, diagnostics);
  check_kept_back(diagnostics);
  for (const auto& [key, property] : table) CHECK(property.value.size() <= kMaxValue + size);
  return 0;
}

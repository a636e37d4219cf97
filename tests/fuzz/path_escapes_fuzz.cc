// The first line of the input is a template, the rest are header values. What comes out must stay below the literal
// prefix, and the cached expansion must be what a fresh one gives.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "codec/path_escapes.h"

namespace {

using standpipe::Headers;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_result(const standpipe::PathTemplate& path, std::string_view text) {
  check(text.starts_with(path.literal_prefix()));
  check(text.find('\0') == std::string_view::npos);
  for (const std::string_view part : standpipe::split(text.substr(path.literal_prefix().size()), '/'))
    check(part != "..");
}

void expand(const standpipe::PathTemplate& path, standpipe::PathExpander& cached, const Headers& headers) {
  cached.forget_address();
  standpipe::PathExpander fresh(path);
  const auto expected = fresh.expand(headers, 0);
  const auto result = cached.expand(headers, 0);
  check(expected.ok() == result.ok());
  if (!expected.ok()) return;
  check(*expected == *result);
  check_result(path, *result);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string_view> lines = standpipe::split(input, '\n');
  if (lines.empty()) return 0;
  using Unit = standpipe::TimeRounding::Unit;
  const Unit units[] = {Unit::none, Unit::second, Unit::minute, Unit::hour};
  static const auto zone = standpipe::TimeZone::find("Europe/Berlin").value();
  standpipe::PathOptions options;
  options.zone = zone;
  options.rounding = {units[size % 4], static_cast<int>(1 + size % 24)};
  const auto path = standpipe::PathTemplate::compile(lines[0], options);
  if (!path.ok()) return 0;
  standpipe::PathExpander cached(*path);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    Headers headers;
    headers.set("timestamp", lines[i]);
    for (const std::string& name : path->header_names()) headers.set(name, lines[(i + name.size()) % lines.size()]);
    expand(*path, cached, headers);
  }
  return 0;
}

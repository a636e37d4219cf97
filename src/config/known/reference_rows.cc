#include "config/known/reference_rows.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "config/known/known.h"
#include "standpipe/settings.h"

namespace standpipe {

namespace {

constexpr std::pair<std::string_view, ComponentKind> kKinds[] = {
    {"source", ComponentKind::source},
    {"source-common", ComponentKind::source},
    {"channel", ComponentKind::channel},
    {"sink", ComponentKind::sink},
    {"interceptor", ComponentKind::interceptor},
    {"selector", ComponentKind::selector},
    {"sinkprocessor", ComponentKind::sink_processor},
    {"configfilter", ComponentKind::config_filter},
    {"deserializer", ComponentKind::deserializer},
    {"serializer", ComponentKind::serializer},
    {"http-handler", ComponentKind::handler},
};

std::optional<ComponentKind> kind_of(std::string_view name) {
  for (const auto& [text, kind] : kKinds) {
    if (text == name) return kind;
  }
  return std::nullopt;
}

/// "filegroups.<g>" -> "filegroups.x", "interceptors.*" -> "interceptors.x"
std::string with_parts_filled(std::string_view property) {
  std::string filled;
  bool inside = false;
  for (const char c : property) {
    if (c == '<' || c == '*') filled += 'x';
    inside = c == '<' || (inside && c != '>');
    if (!inside && c != '>' && c != '*') filled += c;
  }
  return filled;
}

/// A cell may hold a list ("hosts, hosts.<name>"), a pair ("include/exclude-protocols") or a remark in parentheses.
std::vector<std::string> properties_in(std::string_view cell) {
  std::vector<std::string> found;
  if (cell.starts_with("(")) return found;
  for (std::string_view part : split(cell, ',')) {
    part = trim(part);
    if (part.ends_with(" keys")) continue;  // "ssl and truststore keys": said in words
    if (const auto slash = part.find('/'); slash != std::string_view::npos) {
      const std::string_view rest = part.substr(part.find('-', slash));
      found.push_back(std::string(part.substr(0, slash)) + std::string(rest));
      part.remove_prefix(slash + 1);
    }
    found.push_back(with_parts_filled(part));
  }
  return found;
}

Status read_rows(const std::filesystem::path& path, std::vector<ReferenceRow>& rows) {
  std::ifstream in(path);
  if (!in) return {Code::not_found, fmt::format("{} can't be read", path.string())};
  std::string text;
  for (int line = 1; std::getline(in, text); ++line) {
    const auto cells = split(text, '\t');
    if (line == 1 || cells.size() < 4) continue;
    for (std::string& property : properties_in(cells[3])) {
      rows.push_back({path.filename().string(), line, std::string(cells[0]), std::string(cells[1]),
                      std::string(cells[2]), std::move(property)});
    }
  }
  return {};
}

/// The key as tables name it: relative to "selector." or "processor.".
std::string_view relative(ComponentKind kind, std::string_view property) {
  const std::string_view prefix = kind == ComponentKind::selector         ? "selector."
                                  : kind == ComponentKind::sink_processor ? "processor."
                                                                          : "";
  return property.starts_with(prefix) ? property.substr(prefix.size()) : property;
}

bool has_option(std::span<const Option> options, std::string_view key) {
  const ComponentInfo probe{.kind = ComponentKind::source, .name = "", .options = options};
  return find_option(probe, key) != nullptr;
}

std::string group_of(const ReferenceRow& row) {
  if (row.kind == "agent") return "agent";
  if (row.kind == "sinkprocessor" && row.property == "sinks") return "sink group";
  if (row.kind == "rpcclient") return "rpc client " + row.alias;
  if (row.kind == "embedded-agent") return "embedded agent";
  if (row.kind == "monitoring") return "monitoring " + row.alias;
  if (row.kind != "log4jappender") return {};
  return row.type.find("LoadBalancing") == std::string::npos ? "log4j appender" : "log4j load balancing appender";
}

bool is_alias(std::string_view alias) { return !alias.empty() && alias.front() != '(' && alias != "*"; }

Status check_names(const ComponentInfo& info, const ReferenceRow& row) {
  if (is_alias(row.alias) && !equals_ignoring_case(info.name, row.alias)) {
    return {Code::invalid, fmt::format("{} is called {}", row.alias, info.name)};
  }
  if (row.type.empty() ||
      std::find(info.class_names.begin(), info.class_names.end(), row.type) != info.class_names.end()) {
    return {};
  }
  return {Code::invalid, fmt::format("{} does not know the class {}", info.name, row.type)};
}

}  // namespace

Result<std::vector<ReferenceRow>> read_reference_rows(const std::string& folder) {
  std::vector<ReferenceRow> rows;
  for (const char* name : {"components-channels-sinks.tsv", "components-sources-interceptors.tsv"}) {
    TRY(read_rows(std::filesystem::path(folder) / name, rows));
  }
  return rows;
}

const ComponentInfo* component_of(std::span<const ComponentInfo* const> infos, const ReferenceRow& row) {
  const auto kind = kind_of(row.kind);
  if (!kind || !group_of(row).empty()) return nullptr;
  if (is_alias(row.alias)) return find_component(infos, *kind, row.alias);
  return find_component(infos, *kind, row.type);
}

Status check_reference_row(std::span<const ComponentInfo* const> infos, const ReferenceRow& row) {
  const std::string where = fmt::format("{}:{}: {} {} {}: ", row.file, row.line, row.kind, row.alias, row.property);
  if (const std::string group = group_of(row); !group.empty()) {
    const PropertyGroup* found = find_property_group(group);
    if (found != nullptr && has_option(found->options, row.property)) return {};
    return {Code::invalid, where + "no such option in the group " + group};
  }
  const auto kind = kind_of(row.kind);
  if (!kind) return {Code::invalid, where + "no such kind of component"};
  if (row.kind == "source-common") {
    if (has_option(shared_options(*kind), row.property)) return {};
    return {Code::invalid, where + "not among the shared keys"};
  }
  const ComponentInfo* info = component_of(infos, row);
  if (info == nullptr) return {Code::invalid, where + "no such component"};
  if (const Status names = check_names(*info, row); !names.ok()) return names.with_context(where);
  const std::string_view key = relative(*kind, row.property);
  if (key.empty() || find_option(*info, key) != nullptr || has_option(shared_options(*kind), key)) return {};
  return {Code::invalid, where + "no such option"};
}

}  // namespace standpipe

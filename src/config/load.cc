#include "config/load.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/agent_text.h"
#include "config/graph_builder.h"
#include "config/placeholders.h"
#include "config/properties.h"
#include "config/spelling.h"
#include "config/tidy.h"

namespace standpipe {

namespace {

void report_duplicate(const Property& earlier, const PropertyLine& line, const std::string& key, bool same,
                      Diagnostics& diagnostics) {
  Diagnostic found;
  found.severity = same ? Severity::note : Severity::warning;
  found.code = DiagnosticCode::duplicate_key;
  found.file = earlier.file;
  found.line = line.first_line;
  found.key = key;
  const std::size_t dot = key.find('.');
  if (dot != std::string::npos) found.agent = key.substr(0, dot);
  found.message = fmt::format("the key is given in line {}, too{}", earlier.line, same ? ", with the same value" : "");
  found.suggestion = "remove one of them";
  found.consequence = same ? "nothing" : fmt::format("line {} counts", line.first_line);
  diagnostics.push_back(std::move(found));
}

/// Adds one file's properties to the table. Within a file the last of a key wins, as in Java, and that is reported; a
/// later file overrides earlier ones, which is what several files are for.
void add_file(PropertyTable& table, const ConfigText& text, std::uint32_t index, Diagnostics& diagnostics) {
  std::vector<PropertyLine> lines = parse_properties(text.bytes, index, text.name, diagnostics);
  tidy_lines(lines, text.name, diagnostics);
  std::map<std::string, std::size_t> of_this_file;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const PropertyLine& line = lines[i];
    const std::string key(trim(line.key));
    Property property;
    property.value = line.value;
    property.file = text.name;
    property.line = line.first_line;
    const auto [earlier, is_new] = of_this_file.emplace(key, i);
    const bool is_property = looks_like_property(key);  // notes and shell lines repeat as they like
    if (!is_new && is_property) {
      const bool same = trim(lines[earlier->second].value) == trim(line.value);
      report_duplicate(table.find(key)->second, line, key, same, diagnostics);
    }
    earlier->second = i;
    if (!is_new) {
      const Property& before = table.find(key)->second;
      property.earlier_lines = before.earlier_lines;
      property.earlier_lines.push_back(before.line);
    }
    table.insert_or_assign(key, std::move(property));
  }
}

void report_lookups(const Surroundings& surroundings, Diagnostics& diagnostics) {
  if (!surroundings.system.contains("lookups")) return;
  Diagnostic found;
  found.severity = Severity::warning;
  found.code = DiagnosticCode::no_effect;
  found.key = "-Dlookups";
  found.message = "custom look-ups are Java classes and can't be loaded";
  found.suggestion = "use ${env:…}, ${sys:…}, ${date:…} or a config filter of type external";
  found.consequence = "it is ignored";
  diagnostics.push_back(std::move(found));
}

}  // namespace

const AgentGraph* Configuration::find(std::string_view agent) const {
  const auto found = std::find_if(agents.begin(), agents.end(), [&](const AgentGraph& g) { return g.name == agent; });
  return found == agents.end() ? nullptr : &*found;
}

std::string Configuration::nearest_agent(std::string_view agent) const {
  std::vector<std::string_view> names;
  for (const AgentGraph& graph : agents) names.push_back(graph.name);
  return std::string(nearest_word(agent, names));
}

Configuration load_configuration(std::span<const ConfigText> texts, const Catalog& catalog,
                                 const Surroundings& surroundings) {
  Configuration result;
  Diagnostics& diagnostics = result.diagnostics;
  PropertyTable table;
  std::uint32_t index = 0;
  for (const ConfigText& text : texts) add_file(table, text, index++, diagnostics);
  report_lookups(surroundings, diagnostics);
  resolve_placeholders(table, surroundings, diagnostics);
  apply_config_filters(table, surroundings, diagnostics);
  const auto agents = split_agents(table, diagnostics);
  for (const auto& [name, text] : agents) result.agents.push_back(build_graph(text, catalog, diagnostics));
  report_unresolved(table, diagnostics);
  for (const auto& [key, property] : table) {
    result.resolved.emplace(key, property.value);
    if (property.derived || is_secret_key(key)) result.secrets.insert(key);
    if (is_secret_key(key)) result.secret_values.emplace(trim(property.value));
    for (const std::string& part : property.secret_parts) result.secret_values.emplace(trim(part));
  }
  for (const ConfigText& text : texts) result.files.push_back(text.name);
  sort_by_place(result);
  return result;
}

void sort_by_place(Configuration& configuration) {
  const auto rank = [&](const Diagnostic& found) {
    return std::find(configuration.files.begin(), configuration.files.end(), found.file) - configuration.files.begin();
  };
  std::stable_sort(configuration.diagnostics.begin(), configuration.diagnostics.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) {
                     const auto rank_a = rank(a);
                     const auto rank_b = rank(b);
                     return rank_a != rank_b ? rank_a < rank_b : a.line < b.line;
                   });
}

Diagnostics diagnostics_of(const Configuration& configuration, std::string_view agent) {
  Diagnostics found;
  for (const Diagnostic& diagnostic : configuration.diagnostics) {
    const bool others = configuration.find(diagnostic.agent) != nullptr && diagnostic.agent != agent;
    if (!others) found.push_back(diagnostic);
  }
  return found;
}

}  // namespace standpipe

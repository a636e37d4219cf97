#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/component_check.h"
#include "config/connections.h"
#include "config/graph_builder.h"
#include "config/own_folders.h"

namespace standpipe {

/// Builds the graph of one agent: see build_graph(). Lists, channels and what every component has stand in
/// graph_builder.cc; sources with their interceptors and selectors in graph_sources.cc; sinks and their groups in
/// graph_sinks.cc.
class GraphBuilder {
 public:
  GraphBuilder(const AgentText& text, const Catalog& catalog, Diagnostics& diagnostics)
      : text_(text), catalog_(catalog), diagnostics_(diagnostics) {
    graph_.name = text.name;
  }
  AgentGraph build();

 private:
  // lists
  void declare(std::string_view kind);
  bool is_configured(std::string_view kind, const std::string& name);
  std::string_view nearest_undeclared(std::string_view kind, std::string_view name) const;
  void report_undeclared(std::string_view kind, const std::vector<std::string>& names);
  std::string suggest_declared(std::string_view kind, std::string_view name, const std::vector<std::string>& names,
                               const ComponentText& text) const;
  bool is_complete_beside(std::string_view kind, std::string_view near, const ComponentText& text) const;
  static bool contains_word(std::string_view list, std::string_view word);
  bool has_channels();
  void take_settings();

  // what every component has
  const ComponentText* component(std::string_view kind, std::string_view name) const;
  ComponentCheck checker(std::string_view kind, const std::string& name);
  std::optional<ComponentNode> node(ComponentCheck& check, ComponentKind kind, const std::string& name,
                                    const ComponentText& text, EntryMap own);
  /// "a1.sinks.k1."
  std::string prefix(const ComponentCheck& check) const;

  // channels
  void add_channel(const std::string& name);
  std::vector<std::string> existing_channels(ComponentCheck& check, const Entry& entry,
                                             const std::vector<std::string>& names);
  std::string suggest_channel(std::string_view name);

  // sources
  void add_source(const std::string& name);
  static std::vector<std::string> named_channels(const ComponentText& text, std::string_view key);
  void take_shared(ComponentCheck& check, const ComponentNode& made, const ComponentText& text, SourceNode& source);
  std::vector<std::string> source_channels(ComponentCheck& check, const ComponentText& text);
  void report_misnamed(ComponentCheck& check, const Entry& entry, std::string_view given, std::string_view right,
                       bool alone);
  void report_no_channel(ComponentCheck& check, const ComponentText& text, std::string_view key);

  // interceptors
  void add_interceptors(ComponentCheck& check, const ComponentText& text, SourceNode& source);
  void add_interceptor(ComponentCheck& check, EntryMap properties, const std::string& name, const Entry& list,
                       SourceNode& source);
  void report_unlisted_interceptors(ComponentCheck& check, const ComponentText& text,
                                    const std::vector<std::string>& names);

  // selectors
  void add_selector(ComponentCheck& check, const ComponentText& text, SourceNode& source);
  void check_selector_channels(ComponentCheck& check, const EntryMap& properties, const SourceNode& source);
  static std::string selector_value(const SourceNode& source, const std::string& key);

  // sinks
  void add_sink(const std::string& name);
  bool quarantines(ComponentCheck& check, const ComponentText& text);
  std::string sink_channel(ComponentCheck& check, const ComponentText& text);

  // sink groups
  void add_group(const std::string& name);
  static void report_foreign_group_keys(ComponentCheck& check, const ComponentText& text);
  std::vector<std::string> group_members(ComponentCheck& check, const ComponentText& text);
  void check_member_channels(ComponentCheck& check, const ComponentText& text);
  bool is_free_sink(ComponentCheck& check, const Entry& list, const std::string& sink);
  void add_processor(ComponentCheck& check, const ComponentText& text, GroupNode& group);
  void check_priorities(ComponentCheck& check, const ComponentText& text, const EntryMap& properties,
                        const GroupNode& group);
  void check_equal_priorities(ComponentCheck& check, const EntryMap& properties, const GroupNode& group);

  const AgentText& text_;
  const Catalog& catalog_;
  Diagnostics& diagnostics_;
  AgentGraph graph_;
  std::map<std::string, std::vector<std::string>, std::less<>> declared_;
  std::set<std::string, std::less<>> missing_;  ///< "sinks.k1": listed without properties
  Wiring wiring_;
  OwnFolders own_folders_;
};

/// The words as the spelling aid takes them.
inline std::vector<std::string_view> views(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

inline bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace standpipe

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/diagnostic.h"
#include "config/placeholders.h"

namespace standpipe {

/// One property of the merged table, with its key.
using Entry = PropertyTable::value_type;
/// Properties by what is left of their key: "hdfs.path" -> a1.sinks.k1.hdfs.path.
using EntryMap = std::map<std::string, const Entry*, std::less<>>;

/// What the file says about one component. `first` is its first property in the order of the file.
struct ComponentText {
  EntryMap properties;
  const Entry* first = nullptr;
};

/// What the file says about one agent, sorted but not judged. Points into the table.
struct AgentText {
  std::string name;
  EntryMap lists;  ///< "sources" -> the list
  std::map<std::string, std::map<std::string, ComponentText, std::less<>>, std::less<>> components;  ///< by kind, name
  EntryMap settings;  ///< of the agent itself: see agent_info()
  const Entry* first = nullptr;
};

/// Sorts a table by agent, kind and component. Keys that belong nowhere are reported (unless other properties refer to
/// them), and so are agents that no list declares: "a2.sources.r1.type" where only a1 has lists.
std::map<std::string, AgentText, std::less<>> split_agents(const PropertyTable& table, Diagnostics& diagnostics);

/// What may be set of an agent itself: "a1.drainTimeout".
const ComponentInfo& agent_info();

/// Whether `a` stands before `b` in the files.
bool stands_before(const Entry& a, const Entry& b);

/// What is below `prefix` ("selector."), with the prefix removed.
EntryMap below(const EntryMap& properties, std::string_view prefix);

/// A diagnostic about one property, its place and key filled in.
Diagnostic diagnose(Severity severity, DiagnosticCode code, const Entry& entry, std::string message);

}  // namespace standpipe

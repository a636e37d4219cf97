#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/catalog.h"
#include "config/diagnostic.h"
#include "config/graph.h"
#include "standpipe/status.h"

namespace standpipe {

/// One configuration file or URL, read already. `name` is what diagnostics call it: as the user gave it.
struct ConfigText {
  std::string name;
  std::string bytes;
};

/// The world that placeholders and config filters look into. Functions are called from load_configuration() only, on
/// its thread; an empty function means that there is nothing to find.
struct Surroundings {
  /// ${env:NAME} and the filter type `env`.
  std::function<std::optional<std::string>(std::string_view name)> environment;
  /// -Dkey=value: ${sys:key}.
  std::map<std::string, std::string, std::less<>> system;
  /// The filter type `external`: runs `command` (words, no shell) with `key` as last argument; all that it wrote to its
  /// standard output, or why there is nothing.
  std::function<Result<std::string>(const std::vector<std::string>& command)> run;
  /// ${date:…}.
  std::chrono::system_clock::time_point now = {};
};

/// What a set of configuration texts came to. A plain value.
struct Configuration {
  std::vector<AgentGraph> agents;  ///< by name; one that has nothing to run is in it, empty
  Diagnostics diagnostics;         ///< in the order of files and lines
  /// The properties after placeholders, key -> value, for -b/--backup-directory. Holds secrets.
  std::map<std::string, std::string, std::less<>> resolved;
  /// The keys of `resolved` whose value is never printed: named like a secret, or filled in by a placeholder.
  std::set<std::string, std::less<>> secrets;
  /// What may never be shown, anywhere: values of keys named like a secret, of placeholders whose name is like one, and
  /// whatever a config filter gave. keep_secret() takes it.
  std::set<std::string, std::less<>> secret_values;

  std::vector<std::string> files;  ///< the names of the texts, in their order

  const AgentGraph* find(std::string_view agent) const;
  /// The defined agent nearest to a name that is none, for "did you mean"; empty: none is near.
  std::string nearest_agent(std::string_view agent) const;
};

/// From text to a checked graph of every agent in it. Later texts win key by key. Never fails: whatever is wrong is a
/// diagnostic, and what is sound stays. Does no I/O of its own. Thread-safe as far as `surroundings` is.
Configuration load_configuration(std::span<const ConfigText> texts, const Catalog& catalog,
                                 const Surroundings& surroundings);

/// Puts the diagnostics into the order of files and lines again, after some were added.
void sort_by_place(Configuration& configuration);

/// The diagnostics that concern one agent: its own, and those that belong to none (syntax, wrong agent).
Diagnostics diagnostics_of(const Configuration& configuration, std::string_view agent);

}  // namespace standpipe

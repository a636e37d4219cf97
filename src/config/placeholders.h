#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/load.h"

namespace standpipe {

/// A key of the merged table: the last file's value, and where it stands.
struct Property {
  std::string value;
  std::string file;
  std::uint32_t line = 0;
  /// A placeholder or filter put something in: the value may be a secret and is never printed.
  bool derived = false;
  /// The parts of it that a filter gave, or a variable named like a secret: nothing may ever show them.
  std::vector<std::string> secret_parts = {};
  /// Another property refers to it, so it has a purpose even when it is no agent's.
  bool referenced = false;
  /// Lines of the same file in which the key stood before.
  std::vector<std::uint32_t> earlier_lines = {};
  /// The "${…}" that nothing resolved and that are still in the value.
  std::vector<std::string> unresolved = {};
  /// The same in what another placeholder filled in, which is never printed.
  std::vector<std::string> unresolved_inside = {};
};
using PropertyTable = std::map<std::string, Property, std::less<>>;

/// Replaces ${…} in all values, in place: ${env:NAME}, ${sys:name}, ${date:pattern}, ${key} (another property, resolved
/// by dependency), `:-` defaults, nested names, `$${` for a literal `${`. What nothing resolves stays as written and is
/// listed in `unresolved`; report_unresolved() tells, after config filters had their turn. A cycle is reported at once
/// and stays as written. Values stay below 1 MiB and nesting below 32, whatever the input.
void resolve_placeholders(PropertyTable& table, const Surroundings& surroundings, Diagnostics& diagnostics);

/// Runs the agents' config filters (`a1.configfilters = f`, ${f['key']}) over the properties of their sources,
/// channels, sinks and sink groups: `env` and `external`; `hadoop` is refused with a message.
void apply_config_filters(PropertyTable& table, const Surroundings& surroundings, Diagnostics& diagnostics);

/// A warning for each ${…}, and each whole value $NAME, that is still there.
void report_unresolved(const PropertyTable& table, Diagnostics& diagnostics);

/// Whether a property of this name holds a secret: it names a password, a token or the like.
bool is_secret_key(std::string_view key);

}  // namespace standpipe

#pragma once

#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/properties.h"

namespace standpipe {

/// The known kinds of an agent's keys, as in `a1.<kind>`.
inline constexpr std::string_view kKinds[] = {"sources", "channels", "sinks", "sinkgroups", "configfilters"};

/// The known kind that a key part was meant to be ("source" -> "sources"); empty: none is near. A known one is itself.
std::string_view meant_kind(std::string_view part);

/// Whether a key has the shape `agent.kind…`, the kind possibly misspelt.
bool looks_like_property(std::string_view key);

/// Repairs what people's files hold and java.util.Properties reads as something else: odd characters in keys,
/// full-width separators, values wrapped onto the next line, `//` comments, template lines. Each is reported with its
/// line. `lines` are those of one file, in order; lines that are no properties are taken out.
void tidy_lines(std::vector<PropertyLine>& lines, std::string_view file_name, Diagnostics& diagnostics);

}  // namespace standpipe

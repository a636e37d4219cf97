#pragma once

#include <span>
#include <string_view>

#include "standpipe/option.h"

namespace standpipe {

/// The option tables that belong to no component folder: config filters, which the configuration layer runs itself, and
/// every component of Flume that this program does not run yet (`built` is false). The checker needs them so that no
/// property of a user's file is unknown merely because its component is. A component that is built takes its table away
/// from here. Constants with static storage; any thread may read them.
std::span<const ComponentInfo* const> known_components();

/// Keys that every component of a kind understands besides its own table, relative to the component
/// ("agent.sources.s1." for a source, "….interceptors.i1." for an interceptor, "….processor." for a sink processor).
/// Empty where a kind has none.
std::span<const Option> shared_options(ComponentKind kind);

/// Properties that belong to no single component: the lists of an agent, a sink group, the settings of Flume's client
/// libraries and of its monitoring. Options are named relative to `where`.
struct PropertyGroup {
  std::string_view name;     ///< "agent", "sink group", "rpc client default", …
  std::string_view where;    ///< where a user writes them: "<agent>.", "-D", …
  std::string_view summary;  ///< one sentence for the manual
  std::span<const Option> options;
};
std::span<const PropertyGroup> property_groups();

/// Null: no such group.
const PropertyGroup* find_property_group(std::string_view name);

}  // namespace standpipe

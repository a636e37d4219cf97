#pragma once

#include <span>
#include <string>

namespace standpipe {

/// Exit statuses of `standpipe config` beside 0 and kExitUsage.
inline constexpr int kExitDiffers = 1;   ///< diff: the two are not the same; push --strict: there are warnings
inline constexpr int kExitNotThere = 3;  ///< ZooKeeper does not answer, has no such node, or somebody else was faster

/// `standpipe config push | pull | diff …`: what follows `config`. Returns the exit status.
int run_config(std::span<const std::string> arguments);

}  // namespace standpipe

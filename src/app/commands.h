#pragma once

#include <span>
#include <string>

namespace standpipe {

/// The native command line: `standpipe agent | check | describe | version | help`. Returns the exit status.
int run_standpipe(std::span<const std::string> arguments);

/// Flume's: `flume-ng agent | avro-client | tool | version | help`.
int run_flume_ng(std::span<const std::string> arguments);

/// `standpipe check FILE… [--name a1] [--strict]`: 0 fine, 1 warnings with --strict, 2 errors.
int run_check(std::span<const std::string> arguments);

/// `standpipe describe NAME… | --all [--format text|md|json]`.
int run_describe(std::span<const std::string> arguments);

}  // namespace standpipe

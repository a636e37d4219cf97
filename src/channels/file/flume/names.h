#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace standpipe::file_channel::flume {

/// The number in "log-<N>"; none: another name.
std::optional<std::uint32_t> parse_log_name(std::string_view name);

/// Whether a file or folder of that name belongs to a file channel of Flume's: logs and what stands beside them,
/// checkpoints. Not its lock.
bool is_name_of_flume(std::string_view name);

}  // namespace standpipe::file_channel::flume

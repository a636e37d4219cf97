#pragma once

#include <cstdint>
#include <string>

#include "io/file_system.h"

namespace standpipe::file_channel {

inline constexpr std::string_view kDamagedFolder = "damaged";
/// What a running channel copies of one place, and keeps of a data directory in all.
inline constexpr std::uint64_t kMostDamagedAtOnce = 16u << 20;
inline constexpr std::uint64_t kMostDamagedKept = 64u << 20;

/// Bytes of a segment that do not check, copied as they stand to `damaged/<segment>@<offset>` beside it, so that they
/// can be looked at when the segment is gone. Returns how many were copied: 0 when the copy is there already, less
/// than `bytes` when kMostDamagedAtOnce or kMostDamagedKept says so.
Result<std::uint64_t> keep_damaged_bytes(FileSystem& files, const std::string& path, std::uint64_t offset,
                                         std::uint64_t bytes);

}  // namespace standpipe::file_channel

#pragma once

#include <cstdint>
#include <string_view>

namespace standpipe {

/// CRC-32C (Castagnoli) of `bytes`, continued from `crc` (0 at the start): crc32c(crc32c(0, a), b) is that of a and b
/// together. Uses the processor's instruction where there is one.
std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes);

/// The same by table: what machines without the instruction run, and what the tests compare with.
std::uint32_t crc32c_portable(std::uint32_t crc, std::string_view bytes);

}  // namespace standpipe

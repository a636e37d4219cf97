#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace standpipe::file_channel::flume {

/// The checksum of Flume's in-flight files: RFC 1321.
std::array<char, 16> md5(std::string_view bytes);

}  // namespace standpipe::file_channel::flume

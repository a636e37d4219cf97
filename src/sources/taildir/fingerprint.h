#pragma once

#include <cstdint>
#include <string_view>

namespace standpipe::taildir {

/// A hash over a few bytes of a file that tells one content from another where device and inode are the same: an inode
/// that was used again, a file that was truncated and grew past our position. Not against an adversary.
struct Fingerprint {
  static constexpr std::uint64_t kEmpty = 0xcbf29ce484222325u;

  std::uint32_t size = 0;  ///< how many bytes it covers; 0: covers nothing and agrees with everything
  std::uint64_t hash = kEmpty;

  static constexpr std::size_t kHeadBytes = 256;  ///< from the start of the file
  static constexpr std::size_t kTailBytes = 64;   ///< right before a position

  /// FNV-1a, 64 bits: short, the same on every machine, good enough for a few dozen bytes.
  static Fingerprint of(std::string_view bytes) {
    std::uint64_t hash = kEmpty;
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
    return {static_cast<std::uint32_t>(bytes.size()), hash};
  }
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

}  // namespace standpipe::taildir

#pragma once

#include <cstddef>

/// How much may be on its way between two agents of our own, in requests and in bytes. Small requests need many to fill
/// the time that a round trip or a sync takes, large ones few to hold little memory.
namespace standpipe::rpc::window {

inline constexpr unsigned kWidest = 64;               ///< requests that a sink asks for and a source grants
inline constexpr std::size_t kBytes = 4 << 20;        ///< of open requests: then nothing more is sent, or handed over
inline constexpr std::size_t kWhateverTheirSize = 2;  ///< requests: one is under way while the other is made

/// Whether one more may follow `open` requests of `bytes`, of `granted` ones.
constexpr bool has_room(std::size_t open, std::size_t bytes, std::size_t granted) {
  return open < granted && (bytes < kBytes || open < kWhateverTheirSize);
}

}  // namespace standpipe::rpc::window

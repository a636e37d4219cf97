#include "channels/file/flume/md5.h"

#include <bit>
#include <cmath>
#include <string>

#include "channels/file/little_endian.h"

namespace standpipe::file_channel::flume {

namespace {

constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

/// The whole part of 2^32 |sin(i + 1)|, as the standard defines them.
const std::array<std::uint32_t, 64>& sines() {
  static const auto kSines = [] {
    std::array<std::uint32_t, 64> made{};
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i] = static_cast<std::uint32_t>(std::floor(std::fabs(std::sin(static_cast<double>(i + 1))) * 4294967296.0));
    }
    return made;
  }();
  return kSines;
}

using State = std::array<std::uint32_t, 4>;

void take_block(State& state, const char* block) {
  auto [a, b, c, d] = state;
  for (unsigned i = 0; i < 64; ++i) {
    std::uint32_t mixed = 0;
    unsigned word = 0;
    switch (i / 16) {
      case 0:
        mixed = (b & c) | (~b & d);
        word = i;
        break;
      case 1:
        mixed = (d & b) | (~d & c);
        word = 5 * i + 1;
        break;
      case 2:
        mixed = b ^ c ^ d;
        word = 3 * i + 5;
        break;
      default:
        mixed = c ^ (b | ~d);
        word = 7 * i;
        break;
    }
    mixed += a + sines()[i] + load<std::uint32_t>(block + std::size_t{4} * (word % 16));
    a = d;
    d = c;
    c = b;
    b += std::rotl(mixed, kShifts[i / 16][i % 4]);
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

}  // namespace

std::array<char, 16> md5(std::string_view bytes) {
  State state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  for (; bytes.size() >= 64; bytes.remove_prefix(64)) take_block(state, bytes.data());
  std::string tail(bytes);
  tail += static_cast<char>(0x80);
  tail.resize(tail.size() <= 56 ? 56 : 120);
  append(tail, bits);
  for (std::size_t at = 0; at < tail.size(); at += 64) take_block(state, tail.data() + at);
  std::array<char, 16> digest{};
  for (std::size_t i = 0; i < state.size(); ++i) store(digest.data() + 4 * i, state[i]);
  return digest;
}

}  // namespace standpipe::file_channel::flume

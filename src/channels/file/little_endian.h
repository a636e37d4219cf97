#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

namespace standpipe::file_channel {

// Numbers in our files are little-endian and may stand anywhere.
static_assert(std::endian::native == std::endian::little, "big-endian machines need byte swaps here");

template <typename Number>
Number load(const char* from) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  return number;
}
template <typename Number>
void store(char* to, Number number) {
  std::memcpy(to, &number, sizeof number);
}
template <typename Number>
void append(std::string& to, Number number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace standpipe::file_channel

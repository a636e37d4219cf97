#pragma once

#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace standpipe {

/// Bytes that byte_mask64() looks at.
inline constexpr std::size_t kMaskBytes = 64;

/// Bit i is set where block[i] == wanted, for the 64 bytes at `block`. One compare for sixteen bytes where the machine
/// has SSE2 (every x86-64); eight bytes at a time elsewhere.
inline std::uint64_t byte_mask64(const char* block, char wanted) {
#ifdef __SSE2__
  const __m128i pattern = _mm_set1_epi8(wanted);
  const auto part = [&](int index) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + index);
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, pattern))));
  };
  return part(0) | part(1) << 16 | part(2) << 32 | part(3) << 48;
#else
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < kMaskBytes; ++i) mask |= static_cast<std::uint64_t>(block[i] == wanted) << i;
  return mask;
#endif
}

}  // namespace standpipe

#pragma once

#include <cstddef>
#include <memory>

namespace standpipe {

/// Memory for slabs, kept for the next one. A slab lives for milliseconds and is released by another thread than the
/// one that made it; given back to the system each time, every byte that is read costs a page fault and a cleared page
/// on top of its copy. Keeps at most kKeepBytes; blocks below kSmallest are left to the allocator. Any thread.
struct BlockCache {
  static constexpr std::size_t kSmallest = 16 * 1024;
  static constexpr std::size_t kKeepBytes = 16u << 20;

  struct Release {
    std::size_t size = 0;
    void operator()(char* block) const noexcept;
  };
  using Block = std::unique_ptr<char[], Release>;

  /// At least `size` bytes, not initialised.
  static Block take(std::size_t size);

  /// Frees what has waited unused since the last call: called every half minute or so, an agent that had much to do
  /// gives its memory back when it has become quiet. Returns the bytes freed.
  static std::size_t free_idle();
};

}  // namespace standpipe

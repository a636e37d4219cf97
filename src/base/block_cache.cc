#include "base/block_cache.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <new>

namespace standpipe {

namespace {

#if defined(__SANITIZE_ADDRESS__)
#define STANDPIPE_KEEP_BLOCKS 0  // the sanitizer has to see a released block as such
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STANDPIPE_KEEP_BLOCKS 0
#endif
#endif
#ifndef STANDPIPE_KEEP_BLOCKS
#define STANDPIPE_KEEP_BLOCKS 1
#endif

/// The blocks that wait; the youngest, whose bytes may still be in the processor's cache, goes first.
class Kept {
 public:
  /// A block of at least `size` bytes and not much more; null: none.
  char* find(std::size_t size, std::size_t& block_size) {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = count_; i-- > 0;) {
      if (entries_[i].size < size || entries_[i].size > size + size / 4) continue;
      char* block = entries_[i].block;
      block_size = entries_[i].size;
      bytes_ -= block_size;
      for (std::size_t next = i + 1; next < count_; ++next) entries_[next - 1] = entries_[next];
      --count_;
      idle_ = std::min(idle_, i);
      return block;
    }
    return nullptr;
  }

  bool keep(char* block, std::size_t size) {
    const std::scoped_lock lock(mutex_);
    if (count_ == entries_.size() || bytes_ + size > BlockCache::kKeepBytes) return false;
    entries_[count_++] = {block, size};
    bytes_ += size;
    return true;
  }

  std::size_t free_idle() {
    const std::scoped_lock lock(mutex_);
    const std::size_t before = bytes_;
    for (std::size_t i = 0; i < idle_; ++i) {
      bytes_ -= entries_[i].size;
      ::operator delete[](entries_[i].block);
    }
    std::copy(entries_.begin() + idle_, entries_.begin() + count_, entries_.begin());
    count_ -= idle_;
    idle_ = count_;
    return before - bytes_;
  }

 private:
  struct Entry {
    char* block;
    std::size_t size;
  };
  std::mutex mutex_;
  std::array<Entry, 256> entries_;
  std::size_t count_ = 0;
  std::size_t idle_ = 0;  // the first so many were there at the last free_idle() and not taken since
  std::size_t bytes_ = 0;
};

Kept& kept() {
  static Kept& blocks = *new Kept;  // outlives every slab, also one released while the process ends
  return blocks;
}

constexpr bool worth_keeping(std::size_t size) {
  return STANDPIPE_KEEP_BLOCKS == 1 && size >= BlockCache::kSmallest && size <= BlockCache::kKeepBytes;
}

}  // namespace

void BlockCache::Release::operator()(char* block) const noexcept {
  if (worth_keeping(size) && kept().keep(block, size)) return;
  ::operator delete[](block);
}

BlockCache::Block BlockCache::take(std::size_t size) {
  if (worth_keeping(size)) {
    std::size_t block_size = 0;
    if (char* block = kept().find(size, block_size); block != nullptr) return Block(block, Release{block_size});
  }
  return Block(static_cast<char*>(::operator new[](size)), Release{size});
}

std::size_t BlockCache::free_idle() { return kept().free_idle(); }

}  // namespace standpipe

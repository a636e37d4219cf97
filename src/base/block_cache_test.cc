#include "base/block_cache.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace standpipe {
namespace {

TEST(BlockCache, GivesRoomForWhatWasAskedWhateverWaits) {
  for (const std::size_t size : {BlockCache::kSmallest, BlockCache::kSmallest * 2, BlockCache::kSmallest * 9 / 8,
                                 std::size_t{1}, BlockCache::kKeepBytes, BlockCache::kKeepBytes + 1}) {
    for (int turn = 0; turn < 3; ++turn) {
      const BlockCache::Block block = BlockCache::take(size);
      ASSERT_GE(block.get_deleter().size, size);
      std::memset(block.get(), turn, size);  // the sanitizer sees a block that is too small
    }
  }
}

TEST(BlockCache, GivesABlockToOneHolderOnly) {
  std::vector<BlockCache::Block> held;
  for (int i = 0; i < 200; ++i) {
    held.push_back(BlockCache::take(BlockCache::kSmallest));
    std::memset(held.back().get(), i, BlockCache::kSmallest);
    if (i % 3 == 0) held.erase(held.begin());
  }
  for (std::size_t i = 1; i < held.size(); ++i) {
    EXPECT_NE(held[i].get(), held[i - 1].get());
    EXPECT_EQ(static_cast<unsigned char>(held[i][0]), static_cast<unsigned char>(held[i - 1][0] + 1));
  }
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(BlockCache, GivesTheLastReleasedBlockAgain) {
  char* first = nullptr;
  {
    const BlockCache::Block block = BlockCache::take(3 * BlockCache::kSmallest);
    first = block.get();
  }
  EXPECT_EQ(BlockCache::take(3 * BlockCache::kSmallest - 100).get(), first);
}

TEST(BlockCache, FreesWhatWasNotUsedBetweenTwoLooks) {
  BlockCache::free_idle();
  BlockCache::free_idle();  // nothing waits now
  std::vector<BlockCache::Block> held;
  for (int i = 0; i < 3; ++i) held.push_back(BlockCache::take(BlockCache::kSmallest));
  held.clear();
  EXPECT_EQ(BlockCache::free_idle(), 0u) << "they were in use since the last look";
  BlockCache::take(BlockCache::kSmallest).reset();
  EXPECT_EQ(BlockCache::free_idle(), 2 * BlockCache::kSmallest);
  EXPECT_EQ(BlockCache::free_idle(), BlockCache::kSmallest);
  EXPECT_EQ(BlockCache::free_idle(), 0u);
}
#endif

}  // namespace
}  // namespace standpipe

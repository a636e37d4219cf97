#include "config/spelling.h"

#include <gtest/gtest.h>

#include <string>

namespace standpipe {
namespace {

TEST(Spelling, CountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("capacity", "capacity", 3), 0U);
  EXPECT_EQ(edit_distance("capcity", "capacity", 3), 1U);
  EXPECT_EQ(edit_distance("Capactiy", "capacity", 3), 1U);  // neighbours swapped, case ignored
  EXPECT_EQ(edit_distance("port", "bind", 2), 3U);          // above the limit: limit + 1
  EXPECT_EQ(edit_distance("", "ab", 2), 2U);
}

TEST(Spelling, NamesTheNearestWordOnlyWhenItIsNear) {
  EXPECT_EQ(nearest_word("transactionCapactiy", {"capacity", "transactionCapacity"}), "transactionCapacity");
  EXPECT_EQ(nearest_word("ki", {"k1", "r1"}), "k1");
  EXPECT_EQ(nearest_word("zz", {"k1", "r1"}), "");
  EXPECT_EQ(nearest_word("x", {"y"}), "");  // nothing of the word would be left
  EXPECT_EQ(nearest_word(std::string(10'000, 'a'), {"a"}), "");
}

}  // namespace
}  // namespace standpipe

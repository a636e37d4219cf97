#include "base/secrets.h"

#include <set>

#include <gtest/gtest.h>

namespace standpipe {
namespace {

using Values = std::set<std::string>;

TEST(SecretMask, HidesEveryOccurrence) {
  const SecretMask mask(Values{"sesame"});
  EXPECT_EQ(mask.hide("open sesame: 'sesame'"), "open (not shown): '(not shown)'");
  EXPECT_EQ(mask.hide("sesamsesame"), "sesam(not shown)");
  EXPECT_EQ(mask.hide(""), "");
}

TEST(SecretMask, OfTwoThatOverlapTheLongerGoesWhole) {
  SecretMask mask(Values{"abc"});
  mask.add(Values{"abcdef"});
  EXPECT_EQ(mask.hide("abcdef abc"), "(not shown) (not shown)");
}

TEST(SecretMask, AMaskThatStandsInItsOwnReplacementEnds) {
  EXPECT_EQ(SecretMask(Values{"not"}).hide("not"), "(not shown)");
}

TEST(SecretMask, WhatStandsInHalfOfAllWordsIsLeft) {
  EXPECT_EQ(SecretMask(Values{"a", "no", ""}).hide("a no"), "a no");
}

}  // namespace
}  // namespace standpipe

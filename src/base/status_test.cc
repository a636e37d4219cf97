#include "standpipe/status.h"

#include <gtest/gtest.h>

namespace standpipe {
namespace {

Status lost() { return {Code::io, "lost"}; }
Result<int> no_number() { return lost(); }

Status hand_on() {
  TRY_ASSIGN(const int number, no_number());
  return {Code::invalid, std::to_string(number)};
}

TEST(Status, LookingOnceIsEnough) {
  EXPECT_FALSE(lost().ok());
  EXPECT_EQ(lost().code(), Code::io);
  EXPECT_EQ(lost().message(), "lost");
  EXPECT_EQ(lost().to_string(), "i/o error: lost");
  lost().ignore();
  EXPECT_FALSE(no_number().ok());
  EXPECT_EQ(no_number().status().message(), "lost");
  EXPECT_EQ(hand_on().message(), "lost");
}

TEST(Status, ACopyTakesTheDutyOver) {
  Status first = lost();
  Status second = first;
  const Status third = std::move(second);
  first = third.with_context("disk");
  EXPECT_EQ(first.message(), "disk: lost");
}

TEST(StatusDeathTest, AFailureThatNobodyLooksAtEndsTheProcess) {
#ifndef STANDPIPE_CHECKED_STATUS
  GTEST_SKIP() << "only the preset checked-status looks for them";
#endif
  constexpr const char* kSaid = "a Status was dropped unseen: lost";
  EXPECT_DEATH({ const Status dropped = lost(); }, kSaid);
  EXPECT_DEATH({ const Result<int> dropped = no_number(); }, kSaid);
  EXPECT_DEATH(
      {
        Status overwritten = lost();
        overwritten = Status();
      },
      kSaid);
  EXPECT_DEATH({ const Status copy = no_number().status(); }, kSaid);
}

}  // namespace
}  // namespace standpipe

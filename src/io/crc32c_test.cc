#include "io/crc32c.h"

#include <string>

#include <gtest/gtest.h>

namespace standpipe {
namespace {

TEST(Crc32c, AgreesWithPublishedValues) {
  EXPECT_EQ(crc32c(0, "123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(0, std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(0, std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(0, ""), 0u);
}

TEST(Crc32c, TheInstructionAndTheTableAgreeAndBothContinue) {
  std::string text;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(crc32c(7, text), crc32c_portable(7, text)) << i;
    for (const std::size_t cut : {text.size() / 2, text.size()}) {
      EXPECT_EQ(crc32c(crc32c(0, text.substr(0, cut)), text.substr(cut)), crc32c(0, text));
    }
    text += static_cast<char>(i * 37);
  }
}

}  // namespace
}  // namespace standpipe

#include <gmock/gmock.h>

#include "io/file_system.h"

namespace standpipe {
namespace {

TEST(ReadFile, ReadsWhatSaysThatItIsEmpty) {
  const auto boot = read_file(real_file_system(), "/proc/sys/kernel/random/boot_id", 4096);
  ASSERT_TRUE(boot.ok()) << boot.status().message();
  EXPECT_EQ(boot->size(), 37u);
  EXPECT_EQ(read_file(real_file_system(), "/proc/sys/kernel/random/boot_id", 36).status().code(), Code::invalid);
}

}  // namespace
}  // namespace standpipe

#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

namespace standpipe {
namespace {

using ::testing::HasSubstr;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A folder of its own; the log goes to standard error again at the end.
class LogFile : public ::testing::Test {
 protected:
  LogFile() : folder_(std::filesystem::path(::testing::TempDir()) / ("log_test_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
  }
  ~LogFile() override {
    EXPECT_TRUE(configure_logging({}).ok());
    std::filesystem::remove_all(folder_);
  }
  std::filesystem::path folder_;
};

TEST_F(LogFile, IsRotatedAtItsSizeAndOldOnesGo) {
  const LogTarget target{.console = false, .file = folder_ / "logs" / "flume.log", .max_bytes = 2000, .max_files = 2};
  ASSERT_TRUE(configure_logging(target).ok());
  for (int i = 0; i < 200; ++i) process_log().info("line " + std::to_string(i));
  EXPECT_THAT(content_of(target.file), HasSubstr("line 199"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "logs" / "flume.1.log"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "logs" / "flume.2.log"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "logs" / "flume.3.log"));
  EXPECT_LE(std::filesystem::file_size(target.file), 2000U);
}

TEST_F(LogFile, ThatCannotBeWrittenLeavesStandardError) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ / "a") << "no folder";
  ::testing::internal::CaptureStderr();
  const Status status = configure_logging({.console = false, .file = folder_ / "a" / "flume.log"});
  process_log().info("still heard");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("still heard"));
  EXPECT_EQ(status.code(), Code::io);
}

TEST_F(LogFile, HoldsNoControlCharacters) {
  const LogTarget target{.console = false, .file = folder_ / "flume.log"};
  ASSERT_TRUE(configure_logging(target).ok());
  process_log().info("one\ntwo\x1b[2J");
  EXPECT_THAT(content_of(target.file), HasSubstr("one\\x0atwo\\x1b[2J"));
}

}  // namespace
}  // namespace standpipe

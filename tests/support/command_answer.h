#pragma once

#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace standpipe::testing {

/// What a command of the program ended with and printed.
struct Answer {
  int status = 0;
  std::string out;
  std::string err;
};

/// Runs it in the test's process.
inline Answer answer_of(int (*command)(std::span<const std::string>), const std::vector<std::string>& arguments) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int status = command(arguments);
  return {status, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

}  // namespace standpipe::testing

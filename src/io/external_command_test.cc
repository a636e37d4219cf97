#include "io/external_command.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

using ::testing::HasSubstr;

Result<std::string> shell(const std::string& text, std::chrono::milliseconds limit = std::chrono::seconds(60)) {
  return run_external_command({"sh", "-c", text}, limit);
}

TEST(ExternalCommand, GivesWhatItWrote) { EXPECT_EQ(shell("echo one; echo two").value(), "one\ntwo\n"); }

TEST(ExternalCommand, AFailureIsNamed) {
  EXPECT_THAT(shell("exit 7").status().message(), HasSubstr("ended with status 7"));
  EXPECT_THAT(run_external_command({"/nowhere/at-all"}).status().message(), HasSubstr("could not be started"));
}

/// Whether a process has ended; one that nobody has reaped yet has.
bool has_ended(pid_t process) {
  if (::kill(process, 0) != 0 && errno == ESRCH) return true;
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string number, name, state;
  return !(file >> number >> name >> state) || state == "Z" || state == "X";
}

TEST(ExternalCommand, IsEndedAtTheLimit) {
  EXPECT_EQ(shell("sleep 1000", std::chrono::milliseconds(1)).status().code(), Code::timeout);
}

TEST(ExternalCommand, IsKilledWithAllThatItStarted) {
  const auto folder = std::filesystem::temp_directory_path() / ("external-command-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string place = (folder / "pid").string();
  const auto output = shell("sleep 1000 & echo $! >" + place + "; yes");
  EXPECT_THAT(output.status().message(), HasSubstr("wrote more than 1024 KiB"));
  pid_t inner = 0;
  ASSERT_TRUE(std::ifstream(place) >> inner);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!has_ended(inner) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(has_ended(inner));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace standpipe

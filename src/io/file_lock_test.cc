#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "io/file_system.h"
#include "io/memory_file_system.h"

namespace standpipe {
namespace {

class FileLockTest : public ::testing::Test {
 protected:
  FileLockTest() {
    std::string name = ::testing::TempDir() + "/file-lock-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ + "/in_use.lock";
  }
  ~FileLockTest() override {
    ::unlink(path_.c_str());
    ::rmdir(folder_.c_str());
  }
  std::string folder_;
  std::string path_;
};

/// Exit status of a child that runs `body`.
template <typename Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(FileLockTest, KeepsOutThisProcessAndSaysWhoHasIt) {
  FileSystem& files = real_file_system();
  auto first = files.lock(path_, "process 17, channel c1");
  ASSERT_TRUE(first.ok()) << first.status().to_string();
  const auto second = files.lock(path_, "somebody");
  EXPECT_EQ(second.status().code(), Code::unavailable);
  EXPECT_EQ(second.status().message(), path_ + " is locked by process 17, channel c1");
  first = Status(Code::stopped, "released");
  first.status().ignore();
  EXPECT_TRUE(files.lock(path_, "").ok());
}

TEST_F(FileLockTest, KeepsOutAnotherProcessAndNamesIt) {
  auto held = real_file_system().lock(path_, "");
  ASSERT_TRUE(held.ok());
  const std::string parent = "process " + std::to_string(::getpid());
  EXPECT_EQ(in_child([&] {
              const auto refused = real_file_system().lock(path_, "");
              return refused.status().message().find(parent) != std::string::npos ? 0 : 1;
            }),
            0);
}

TEST_F(FileLockTest, KeepsOutAndIsKeptOutByARecordLockAsJavaTakesIt) {
  const auto take_record_lock = [&] {
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT, 0644);
    struct flock range {};
    range.l_type = F_WRLCK;
    return ::fcntl(descriptor, F_SETLK, &range) == 0 ? 0 : 1;
  };
  {
    auto held = real_file_system().lock(path_, "");
    ASSERT_TRUE(held.ok());
    EXPECT_EQ(in_child(take_record_lock), 1);
  }
  int ready[2];
  int finish[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(finish), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(finish[1]);
    const char result = take_record_lock() == 0 ? 'y' : 'n';
    char end = 0;
    if (::write(ready[1], &result, 1) != 1 || ::read(finish[0], &end, 1) < 0) ::_exit(1);
    ::_exit(0);
  }
  char result = 0;
  ASSERT_EQ(::read(ready[0], &result, 1), 1);
  EXPECT_EQ(result, 'y');
  const auto refused = real_file_system().lock(path_, "");
  EXPECT_EQ(refused.status().code(), Code::unavailable);
  EXPECT_NE(refused.status().message().find("process " + std::to_string(child)), std::string::npos);
  ::close(finish[1]);
  ::waitpid(child, nullptr, 0);
  for (const int descriptor : {ready[0], ready[1], finish[0]}) ::close(descriptor);
}

TEST(MemoryFileSystem, ALockKeepsOthersOutUntilItIsDroppedOrThePowerGoes) {
  MemoryFileSystem files;
  auto held = files.lock("/in_use.lock", "process 1");
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(files.lock("/in_use.lock", "x").status().message(), "/in_use.lock is locked by process 1");
  files.power_cut();
  EXPECT_TRUE(files.lock("/in_use.lock", "x").ok());
}

}  // namespace
}  // namespace standpipe

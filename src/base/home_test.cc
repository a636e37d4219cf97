#include "base/home.h"

#include <cstdlib>

#include <pwd.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace standpipe {
namespace {

std::string home_of_the_user() {
  const passwd* const entry = ::getpwuid(::getuid());
  return entry == nullptr ? "/tmp" : entry->pw_dir;
}

TEST(Home, IsWhatTheEnvironmentSays) {
  ::setenv("HOME", "/home/u", 1);
  EXPECT_EQ(home_directory(), "/home/u");
  EXPECT_EQ(expand_home("~/a/b"), "/home/u/a/b");
  EXPECT_EQ(expand_home("/a/~/b"), "/a/~/b");
  EXPECT_EQ(expand_home("~other/a"), "~other/a");
}

TEST(Home, IsThatOfThePasswordEntryWhereTheEnvironmentSaysNothing) {
  ::setenv("HOME", "", 1);
  EXPECT_EQ(home_directory(), home_of_the_user());
  ::unsetenv("HOME");
  EXPECT_EQ(home_directory(), home_of_the_user());
  EXPECT_EQ(expand_home("~/.flume"), home_of_the_user() + "/.flume");
}

}  // namespace
}  // namespace standpipe

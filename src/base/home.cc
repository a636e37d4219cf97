#include "base/home.h"

#include <cstdlib>
#include <vector>

#include <pwd.h>
#include <unistd.h>

namespace standpipe {

namespace {
constexpr std::size_t kLargestEntry = 64u << 10;
}

std::string home_directory() {
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return home;
  std::vector<char> memory(kLargestEntry);
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwuid_r(::getuid(), &entry, memory.data(), memory.size(), &found);
  const bool named = error == 0 && found != nullptr && found->pw_dir != nullptr && *found->pw_dir != '\0';
  return named ? found->pw_dir : "/tmp";
}

std::string expand_home(std::string path) {
  if (!path.starts_with("~/")) return path;
  return home_directory() + path.substr(1);
}

}  // namespace standpipe

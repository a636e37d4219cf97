#include "support/test_environment.h"

#include <cstdlib>
#include <filesystem>

#include "base/check.h"

namespace standpipe::testing {

void CapturingLog::write(Level level, std::string_view message) {
  static constexpr std::string_view kNames[] = {"TRACE ", "DEBUG ", "INFO ", "WARN ", "ERROR "};
  std::lock_guard lock(mutex_);
  lines_.push_back(std::string(kNames[static_cast<int>(level)]) + std::string(message));
}

std::vector<std::string> CapturingLog::lines() const {
  std::lock_guard lock(mutex_);
  return lines_;
}

bool CapturingLog::contains(std::string_view part) const {
  std::lock_guard lock(mutex_);
  for (const std::string& line : lines_) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

TemporaryDirectory::TemporaryDirectory() {
  path_ = (std::filesystem::temp_directory_path() / "standpipe-XXXXXX").string();
  CHECK(::mkdtemp(path_.data()) != nullptr);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TestEnvironment::TestEnvironment(std::string component)
    : TestEnvironment(std::move(component), system_clock, real_file_system()) {}

TestEnvironment::TestEnvironment(std::string component, Clock& clock, FileSystem& files)
    : environment{"a1", std::move(component), directory.file("state"), log, clock, files, nullptr, budget, counters} {}

}  // namespace standpipe::testing

#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "io/file_system.h"
#include "standpipe/environment.h"

namespace standpipe::testing {

/// A log that a test reads. Thread-safe.
class CapturingLog final : public Log {
 public:
  bool enabled(Level) const override { return true; }
  void write(Level level, std::string_view message) override;
  std::vector<std::string> lines() const;  ///< "WARN message"
  bool contains(std::string_view part) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// A folder under the system's temporary one, removed with everything in it at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

/// The seams of one component under test: real files and clock unless others are given, a captured log, a wide budget.
struct TestEnvironment {
  explicit TestEnvironment(std::string component = "x1");
  TestEnvironment(std::string component, Clock& clock, FileSystem& files);

  TemporaryDirectory directory;
  SystemClock system_clock;
  CapturingLog log;
  MemoryBudget budget{256u << 20};
  CounterGroup counters;
  Environment environment;

  std::int64_t count(std::string_view counter) { return counters.counter(counter).value(); }
};

}  // namespace standpipe::testing

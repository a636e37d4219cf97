#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "io/file_system.h"
#include "standpipe/headers.h"

namespace standpipe::file_channel::flume {

/// Writes log files that Flume 1.9 to 1.11 reads as those of a channel whose checkpoint is missing. One thread.
class LogWriter {
 public:
  /// `folder` is empty. `log_size`: at which the next log begins.
  LogWriter(FileSystem& files, std::string folder, std::uint64_t log_size = kLargestLog);

  Status add(const Headers& headers, std::string_view body);
  /// All of it is on the device, names too, when it returns ok.
  Status finish();

  /// Flume's own limit.
  static constexpr std::uint64_t kLargestLog = 1623195647;

 private:
  Status open_log();
  Status close_log();
  Status write();
  void commit();

  FileSystem& files_;
  const std::string folder_;
  const std::uint64_t log_size_;
  std::unique_ptr<File> file_;
  std::uint32_t log_ = 0;
  std::uint64_t position_ = 0;  // of the log, bytes_ included
  std::string bytes_;
  std::int64_t transaction_ = 1;
  std::int64_t order_ = 0;
  std::size_t uncommitted_ = 0;
};

}  // namespace standpipe::file_channel::flume

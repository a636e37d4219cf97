#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "io/file_system.h"

namespace standpipe::file_channel::flume {

/// A file seen through a buffer, for reading forwards. One thread.
class FileWindow {
 public:
  /// `chunk`: how much is read at a time, at least.
  static Result<FileWindow> open(FileSystem& files, const std::string& path, std::size_t chunk);

  /// `count` bytes at `offset`, fewer only where the file ends. They stay until the next call.
  Result<std::string_view> read(std::uint64_t offset, std::size_t count);

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

 private:
  FileWindow(std::unique_ptr<File> file, std::string path, std::uint64_t size, std::size_t chunk)
      : file_(std::move(file)), path_(std::move(path)), size_(size), chunk_(chunk) {}

  std::unique_ptr<File> file_;
  std::string path_;
  std::uint64_t size_;
  std::size_t chunk_;
  std::string buffer_;
  std::uint64_t start_ = 0;  // where the buffer begins
};

}  // namespace standpipe::file_channel::flume

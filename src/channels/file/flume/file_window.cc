#include "channels/file/flume/file_window.h"

#include <algorithm>

namespace standpipe::file_channel::flume {

Result<FileWindow> FileWindow::open(FileSystem& files, const std::string& path, std::size_t chunk) {
  TRY_ASSIGN(auto file, files.open(path, FileSystem::Mode::read));
  TRY_ASSIGN(const FileInfo info, file->info());
  return FileWindow(std::move(file), path, info.size, chunk);
}

Result<std::string_view> FileWindow::read(std::uint64_t offset, std::size_t count) {
  if (offset >= size_) return std::string_view();
  count = std::min<std::uint64_t>(count, size_ - offset);
  const bool there = offset >= start_ && offset + count <= start_ + buffer_.size();
  if (!there) {
    // A large one does not stay: its memory goes with the next that is read.
    const std::size_t wanted = std::min<std::uint64_t>(std::max(count, chunk_), size_ - offset);
    if (buffer_.capacity() > 4 * chunk_ && wanted <= chunk_) std::string().swap(buffer_);
    buffer_.resize(wanted);
    start_ = offset;
    const auto read = file_->read_at(offset, buffer_.data(), wanted);
    buffer_.resize(read.ok() ? *read : 0);
    if (!read.ok()) return read.status();
  }
  return std::string_view(buffer_).substr(offset - start_, count);
}

}  // namespace standpipe::file_channel::flume

#include "channels/file/damaged_bytes.h"

#include <algorithm>

#include <fmt/format.h>

#include "channels/file/segment.h"

namespace standpipe::file_channel {

namespace {

Result<std::uint64_t> bytes_in(FileSystem& files, const std::string& folder) {
  TRY_ASSIGN(const auto names, files.list(folder));
  std::uint64_t total = 0;
  for (const std::string& name : names) {
    TRY_ASSIGN(const FileInfo info, files.info(folder + "/" + name, false));
    total += info.size;
  }
  return total;
}

}  // namespace

Result<std::uint64_t> keep_damaged_bytes(FileSystem& files, const std::string& path, std::uint64_t offset,
                                         std::uint64_t bytes) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash + 1) + std::string(kDamagedFolder);
  const std::string copy = fmt::format("{}/{}@{}", folder, path.substr(slash + 1), offset);
  TRY_ASSIGN(const auto file, files.open(path, FileSystem::Mode::read));
  TRY(files.make_directories(folder));
  if (files.info(copy).ok()) return std::uint64_t{0};
  TRY_ASSIGN(const std::uint64_t kept, bytes_in(files, folder));
  const std::uint64_t room = kept < kMostDamagedKept ? kMostDamagedKept - kept : 0;
  std::string content(std::min({bytes, room, kMostDamagedAtOnce}), '\0');
  if (content.empty()) return std::uint64_t{0};
  // What can't be read stands as zeros: the rest of it is worth keeping.
  TRY_ASSIGN(const std::size_t there, read_what_is_left(*file, offset, content.data(), content.size(),
                                                        [](std::uint64_t, std::size_t, const Status&) {}));
  content.resize(there);
  TRY(write_file_atomically(files, copy, content));
  return content.size();
}

}  // namespace standpipe::file_channel

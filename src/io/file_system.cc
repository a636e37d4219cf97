#include "io/file_system.h"

#include <algorithm>

namespace standpipe {

namespace {
constexpr std::uint64_t kLeastRead = 4096;
}  // namespace

Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t limit) {
  TRY_ASSIGN(const auto file, files.open(path, FileSystem::Mode::read));
  TRY_ASSIGN(const FileInfo info, file->info());
  if (info.type != FileInfo::Type::file) return Status(Code::invalid, path + " is not a regular file");
  if (info.size > limit) return Status(Code::invalid, path + " is larger than " + std::to_string(limit) + " bytes");
  // Files of /proc say that they are empty.
  std::string content(std::max(info.size, kLeastRead), '\0');
  TRY_ASSIGN(const std::size_t size, file->read_at(0, content.data(), content.size()));
  if (size > limit) return Status(Code::invalid, path + " is larger than " + std::to_string(limit) + " bytes");
  content.resize(size);
  return content;
}

Status write_file_atomically(FileSystem& files, const std::string& path, std::string_view content,
                             unsigned permissions) {
  const std::string temporary = path + ".tmp";
  {
    TRY_ASSIGN(const auto file, files.open(temporary, FileSystem::Mode::create, permissions));
    TRY(file->write(content));
    TRY(file->sync());
    TRY(file->close());
  }
  TRY(files.rename(temporary, path));
  const std::size_t slash = path.rfind('/');
  return files.sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

}  // namespace standpipe

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "io/file_system.h"

namespace standpipe {

namespace {

Status system_error(std::string_view what, const std::string& path, int error) {
  const Code code = error == ENOENT ? Code::not_found : (error == ENOSPC || error == EDQUOT) ? Code::full : Code::io;
  return {code, fmt::format("{} {}: {}", what, path, std::strerror(error))};
}

FileInfo to_info(const struct stat& stat) {
  FileInfo info;
  info.type = S_ISREG(stat.st_mode)   ? FileInfo::Type::file
              : S_ISDIR(stat.st_mode) ? FileInfo::Type::directory
              : S_ISLNK(stat.st_mode) ? FileInfo::Type::symlink
                                      : FileInfo::Type::other;
  info.device = stat.st_dev;
  info.inode = stat.st_ino;
  info.size = static_cast<std::uint64_t>(stat.st_size);
  info.links = stat.st_nlink;
  info.permissions = stat.st_mode & 07777;
  info.modified_ns = stat.st_mtim.tv_sec * 1'000'000'000LL + stat.st_mtim.tv_nsec;
  return info;
}

class RealFile final : public File {
 public:
  RealFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~RealFile() override { close().ignore(); }  // a writer that must know has called close()

  Result<std::size_t> read_at(std::uint64_t offset, char* target, std::size_t size) override {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t n = ::pread(descriptor_, target + done, size - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error("read", path_, errno);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Status write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::write(descriptor_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error("write", path_, errno);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  Status write_at(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error("write", path_, errno);
      bytes.remove_prefix(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  std::uint64_t next_data(std::uint64_t offset) override {
    off_t found = ::lseek(descriptor_, static_cast<off_t>(offset), SEEK_DATA);
    if (found < 0 && errno == ENXIO) found = ::lseek(descriptor_, 0, SEEK_END);
    return found < 0 ? offset : std::max(offset, static_cast<std::uint64_t>(found));
  }

  Status sync() override { return ::fdatasync(descriptor_) == 0 ? Status() : system_error("sync", path_, errno); }

  Status truncate(std::uint64_t size) override {
    return ::ftruncate(descriptor_, static_cast<off_t>(size)) == 0 ? Status() : system_error("truncate", path_, errno);
  }

  Status reserve(std::uint64_t size) override {
    int result = 0;
    do {
      result = ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size));
    } while (result != 0 && errno == EINTR);
    if (result == 0) return {};
    if (errno != EOPNOTSUPP && errno != ENOSYS) return system_error("reserve space for", path_, errno);
    // A file system that can't promise space: the length alone, and a write may find the disk full.
    TRY_ASSIGN(const FileInfo now, info());
    return now.size >= size ? Status() : truncate(size);
  }

  Result<FileInfo> info() override {
    struct stat stat {};
    if (::fstat(descriptor_, &stat) != 0) return system_error("stat", path_, errno);
    return to_info(stat);
  }

  Status close() override {
    if (descriptor_ < 0) return {};
    const int result = ::close(descriptor_);
    descriptor_ = -1;
    return result == 0 ? Status() : system_error("close", path_, errno);
  }

 private:
  int descriptor_;
  const std::string path_;
};

/// flock() keeps out this process and all that use it; the record lock keeps out Java, whose FileLock is one. The
/// system drops both when the descriptor is closed, however the process ends.
class RealFileLock final : public FileLock {
 public:
  explicit RealFileLock(int descriptor) : descriptor_(descriptor) {}
  RealFileLock(const RealFileLock&) = delete;
  RealFileLock& operator=(const RealFileLock&) = delete;
  ~RealFileLock() override { ::close(descriptor_); }

 private:
  const int descriptor_;
};

struct flock whole_file() {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

std::string holder_of(int descriptor) {
  struct flock holder = whole_file();
  std::string text(200, '\0');
  const ssize_t n = ::pread(descriptor, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  for (char& c : text) c = c < ' ' ? ' ' : c;
  while (text.ends_with(' ')) text.pop_back();
  if (::fcntl(descriptor, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK && holder.l_pid > 0) {
    const std::string pid = fmt::format("process {}", holder.l_pid);
    if (text.empty()) return pid;
    if (text.find(pid) == std::string::npos) text = pid + ", " + text;
  }
  return text.empty() ? "somebody else" : text;
}

int open_flags(FileSystem::Mode mode) {
  switch (mode) {
    case FileSystem::Mode::read: return O_RDONLY;
    case FileSystem::Mode::create: return O_RDWR | O_CREAT | O_TRUNC;
    case FileSystem::Mode::create_new: return O_RDWR | O_CREAT | O_EXCL;
    case FileSystem::Mode::append: return O_RDWR | O_CREAT | O_APPEND;
    case FileSystem::Mode::read_write: return O_RDWR;
  }
  return O_RDONLY;
}

class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, Mode mode, unsigned permissions) override {
    // O_NONBLOCK: a FIFO in the place of a log must not hang the agent.
    const int descriptor = ::open(path.c_str(), open_flags(mode) | O_CLOEXEC | O_NONBLOCK, permissions);
    if (descriptor < 0) return system_error("open", path, errno);
    auto file = std::make_unique<RealFile>(descriptor, path);
    TRY_ASSIGN(const FileInfo info, file->info());
    if (info.type == FileInfo::Type::other) return Status(Code::invalid, path + " is not a regular file");
    return std::unique_ptr<File>(std::move(file));
  }

  Result<FileInfo> info(const std::string& path, bool follow) override {
    struct stat stat {};
    const int result = follow ? ::stat(path.c_str(), &stat) : ::lstat(path.c_str(), &stat);
    if (result != 0) return system_error("stat", path, errno);
    return to_info(stat);
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (directory == nullptr) return system_error("list", path, errno);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return system_error("list", path, errno);
    return names;
  }

  Status make_directories(const std::string& path) override {
    for (std::size_t at = 1; at <= path.size(); ++at) {
      if (at != path.size() && path[at] != '/') continue;
      const std::string part = path.substr(0, at);
      if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) return system_error("make directory", part, errno);
    }
    TRY_ASSIGN(const FileInfo made, info(path, true));
    if (made.type != FileInfo::Type::directory) return system_error("make directory", path, ENOTDIR);
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) == 0 ? Status() : system_error("rename to " + to + " from", from, errno);
  }

  Status rename_new(const std::string& from, const std::string& to) override {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno == EEXIST) return {Code::invalid, fmt::format("rename {}: {} exists already", from, to)};
    if (errno != EINVAL && errno != ENOSYS) return system_error("rename to " + to + " from", from, errno);
    // File systems without RENAME_NOREPLACE (NFS): link() refuses an existing name as well.
    if (::link(from.c_str(), to.c_str()) != 0) {
      if (errno == EEXIST) return {Code::invalid, fmt::format("rename {}: {} exists already", from, to)};
      return system_error("rename to " + to + " from", from, errno);
    }
    return remove(from);
  }

  Status remove(const std::string& path) override {
    return ::unlink(path.c_str()) == 0 ? Status() : system_error("remove", path, errno);
  }

  Status remove_directory(const std::string& path) override {
    return ::rmdir(path.c_str()) == 0 ? Status() : system_error("remove directory", path, errno);
  }

  Status sync_directory(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return system_error("open", path, errno);
    const int error = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    return error == 0 ? Status() : system_error("sync", path, error);
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path, std::string_view owner) override {
    for (;;) {
      const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
      if (descriptor < 0) return system_error("open", path, errno);
      auto held = std::make_unique<RealFileLock>(descriptor);
      struct flock range = whole_file();
      if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 || ::fcntl(descriptor, F_SETLK, &range) != 0) {
        if (errno != EWOULDBLOCK && errno != EACCES && errno != EAGAIN) return system_error("lock", path, errno);
        return Status(Code::unavailable, fmt::format("{} is locked by {}", path, holder_of(descriptor)));
      }
      // Its last holder may have removed it in between: then the lock is on a file that nobody else will find.
      struct stat ours {};
      struct stat named {};
      if (::fstat(descriptor, &ours) != 0) return system_error("stat", path, errno);
      if (::stat(path.c_str(), &named) != 0 || named.st_ino != ours.st_ino || named.st_dev != ours.st_dev) continue;
      if (!owner.empty()) {
        // Only a help for who reads it: the lock holds without.
        if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, owner.data(), owner.size(), 0) < 0) errno = 0;
      }
      return std::unique_ptr<FileLock>(std::move(held));
    }
  }

  Result<std::uint64_t> free_space(const std::string& path) override {
    struct statvfs stat {};
    if (::statvfs(path.c_str(), &stat) != 0) return system_error("statvfs", path, errno);
    return static_cast<std::uint64_t>(stat.f_bavail) * stat.f_frsize;
  }
};

}  // namespace

FileSystem& real_file_system() {
  static RealFileSystem files;
  return files;
}

}  // namespace standpipe

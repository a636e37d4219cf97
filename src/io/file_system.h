#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe {

/// What a path names. Times are nanoseconds since the epoch.
struct FileInfo {
  enum class Type : unsigned char { file, directory, symlink, other };
  Type type = Type::other;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::uint64_t links = 0;
  unsigned permissions = 0;  ///< the twelve bits of chmod
  std::int64_t modified_ns = 0;
};

/// An open file. One thread at a time. Closing happens with the destructor; a writer that must know calls close().
class File {
 public:
  virtual ~File() = default;
  /// Reads up to `size` bytes at `offset`; fewer only at the end of the file. EINTR and short reads are dealt with
  /// inside.
  virtual Result<std::size_t> read_at(std::uint64_t offset, char* target, std::size_t size) = 0;
  /// Writes all of `bytes` at the end (files opened with append) or at the current position. On failure some of it may
  /// have been written; size() tells.
  virtual Status write(std::string_view bytes) = 0;
  virtual Status write_at(std::uint64_t offset, std::string_view bytes) = 0;
  /// The data (and the size) are on the device when it returns ok. After a failure what was written since the last good
  /// sync must be taken for lost, also when a later call says ok.
  virtual Status sync() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  /// Makes the file at least `size` bytes long, with room on the device for all of them where the file system can
  /// promise that: a write below `size` does not fail for want of space then. New bytes read as zero.
  virtual Status reserve(std::uint64_t size) = 0;
  virtual Result<FileInfo> info() = 0;
  /// Where the first byte at or behind `offset` stands that is not in a hole (NULs that were never written); the file's
  /// size when there is none. `offset` where the file system can't tell.
  virtual std::uint64_t next_data(std::uint64_t offset) { return offset; }
  virtual Status close() = 0;
};

/// A folder's lock, held until it is destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// The local file-system seam: the real one, one in memory, one that injects faults. Thread-safe. Failures carry the
/// path and the system's reason; Code::not_found where something does not exist, else Code::io (Code::full: no space
/// left).
class FileSystem {
 public:
  enum class Mode : unsigned char {
    read,        ///< must exist
    create,      ///< made anew or truncated
    create_new,  ///< must not exist
    append,      ///< made when missing
    read_write,  ///< must exist
  };

  virtual ~FileSystem() = default;
  /// New files get permission bits `permissions`, less the umask. Never follows a final FIFO or device: Code::invalid.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, Mode mode, unsigned permissions = 0644) = 0;
  /// What `path` is; a final symbolic link is followed when `follow` says so.
  virtual Result<FileInfo> info(const std::string& path, bool follow = true) = 0;
  /// Names in a directory, unsorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  /// With its parents; ok when it is there already.
  virtual Status make_directories(const std::string& path) = 0;
  /// Replaces `to` when it exists.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// Code::invalid when `to` exists: the one that never overwrites.
  virtual Status rename_new(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  virtual Status remove_directory(const std::string& path) = 0;
  /// Names made, renamed or removed in the directory are on the device when it returns ok.
  virtual Status sync_directory(const std::string& path) = 0;
  /// Locks the file `path` (made when missing) against every other process and against this one, without waiting, and
  /// leaves `owner` in it as text, unless `owner` is empty. Also takes the lock that Java programs take.
  /// Code::unavailable: somebody else has it; the message says who, as far as the file or the system tells.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path, std::string_view owner) = 0;
  /// Bytes free for an ordinary user.
  virtual Result<std::uint64_t> free_space(const std::string& path) = 0;
};

/// The machine's file system.
FileSystem& real_file_system();

/// The whole content; Code::invalid above `limit` bytes.
Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t limit = 64u << 20);

/// Replaces a file as a whole or not at all, durably: temporary file beside it, sync, rename, sync of the folder.
Status write_file_atomically(FileSystem& files, const std::string& path, std::string_view content,
                             unsigned permissions = 0644);

}  // namespace standpipe

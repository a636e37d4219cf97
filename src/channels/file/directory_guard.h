#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"
#include "standpipe/status.h"

namespace standpipe::file_channel {

/// Whose a directory is: the text file in it.
struct Owner {
  std::uint64_t id = 0;
  std::string agent;
  std::string channel;
};
std::string format_owner(const Owner& owner);
/// Code::corrupt: it makes no sense. Code::invalid: a newer format.
Result<Owner> parse_owner(std::string_view text);

/// A directory of a channel, made when missing and locked, against Flume too, for as long as this lives. `property` is
/// what the operator would change to use another one ("dataDirs").
class DirectoryGuard {
 public:
  static Result<DirectoryGuard> open(FileSystem& files, const std::string& path, std::string_view property,
                                     std::string_view holder);

  /// The same for one that is there, without the advice.
  static Result<DirectoryGuard> lock(FileSystem& files, const std::string& path, std::string_view holder);

  const std::string& path() const { return path_; }
  /// None: nobody's yet. Code::corrupt: the file is damaged.
  Result<std::optional<Owner>> read_owner() const;
  /// Durable when it returns ok; in a data directory with the file that makes Flume refuse it.
  Status claim(const Owner& owner, bool data_directory);

 private:
  DirectoryGuard(FileSystem& files, std::string path) : files_(&files), path_(std::move(path)) {}

  FileSystem* files_;
  std::string path_;
  std::vector<std::unique_ptr<FileLock>> locks_;
};

/// A log or checkpoint of a channel of Flume's in the folder; empty: there is none.
Result<std::string> find_flume_file(FileSystem& files, const std::string& folder);

/// Whether `path` is our file that makes Flume refuse a folder. Its name looks like that of a log of Flume's.
Result<bool> is_guard(FileSystem& files, const std::string& path);
Status write_guard(FileSystem& files, const std::string& path);
Status write_owner(FileSystem& files, const std::string& folder, const Owner& owner);

inline constexpr std::string_view kOwnerFile = "standpipe-channel";
/// In data directories: what makes Flume refuse them.
inline constexpr std::string_view kGuardFile = "log-1";

}  // namespace standpipe::file_channel

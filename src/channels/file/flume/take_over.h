#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "channels/file/directory_guard.h"
#include "channels/file/encryption.h"
#include "channels/file/flume/backlog.h"
#include "standpipe/environment.h"

namespace standpipe::file_channel::flume {

/// What a take-over did.
struct TakenOver {
  std::uint64_t events = 0;
  std::uint64_t damaged = 0;  ///< events whose bytes don't check; they stay in the old logs
};

struct TakeOverOptions {
  std::uint64_t segment_size = 0;
  std::uint64_t minimum_free = 0;  ///< bytes of a file system that stay free
};

/// Turns a channel's folders from Flume's into ours: docs/design/file-channel.md, "Taking over from Flume". The folders
/// are locked by the caller. The events are in our segments exactly once when it returned ok, also where it was killed
/// before, at any point, and called again. Before its one deciding step a failure leaves Flume's files as they were.
class TakeOver {
 public:
  /// `owner`: who the folders belong to afterwards.
  /// `keys`: what our segments are encrypted with.
  TakeOver(Environment& environment, const KeyRing& keys, Directories directories, TakeOverOptions options,
           Owner owner);

  /// Whose the folders will be once a take-over that was decided and not finished is; none: there is no such one.
  static Result<std::optional<Owner>> decided_owner(FileSystem& files, const std::string& checkpoint);

  /// Whether one was decided and not finished.
  Result<bool> is_decided() const;
  /// From the beginning.
  Result<TakenOver> run();
  /// The rest of one that was decided.
  Result<TakenOver> resume();

 private:
  struct Decision {
    Owner owner;
    std::string folder;  ///< where Flume's files go, in each of the folders
    TakenOver result;
    std::vector<std::string> data;
    std::string backup;
  };
  static std::string format(const Decision& decision);
  static Result<Decision> parse(std::string_view text);

  std::string decision_path() const;
  std::vector<std::string> all_folders() const;
  Status clear_unfinished(const std::string& folder);
  Result<std::string> free_name() const;
  Result<TakenOver> copy(const Backlog& backlog);
  Status guard_against_flume(const std::string& folder);
  Status finish(const Decision& decision);
  Status move_old_files(const std::string& folder, const std::string& to);
  Status move_segments(const std::string& folder);

  Environment& environment_;
  FileSystem& files_;
  const KeyRing& keys_;
  Directories directories_;
  TakeOverOptions options_;
  Owner owner_;
};

}  // namespace standpipe::file_channel::flume

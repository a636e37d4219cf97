#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "io/file_system.h"

namespace standpipe {

/// A file system in memory that knows what a disk would know: bytes count as durable after File::sync(), names after
/// sync_directory(), and power_cut() forgets the rest. A rename is atomic: a cut leaves the old name or the new one.
/// No symbolic links. Thread-safe. Files opened from it must not outlive it.
class MemoryFileSystem final : public FileSystem {
 public:
  MemoryFileSystem();
  ~MemoryFileSystem() override;

  Result<std::unique_ptr<File>> open(const std::string& path, Mode mode, unsigned permissions = 0644) override;
  Result<FileInfo> info(const std::string& path, bool follow = true) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status rename_new(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, std::string_view owner) override;
  Result<std::uint64_t> free_space(const std::string& path) override;

  /// The machine loses power and comes back: what was not synced is gone. Files open across it must be dropped.
  void power_cut();
  /// The same, but each file keeps a part, chosen by `seed`, of what was written to it and not synced: a front part of
  /// what was appended, and any of the sectors (512 bytes) that were written in place.
  void power_cut_torn(std::uint32_t seed);
  /// Bytes that all files together may hold; a write that exceeds it is cut short and fails with Code::full.
  void set_capacity(std::uint64_t bytes);
  /// Formats it. Files open across it must be dropped.
  void clear();
  /// Changes a file behind everybody's back, durably: damage.
  void change(const std::string& path, const std::function<void(std::string& content)>& change);
  /// All files now: path -> content.
  std::map<std::string, std::string> files() const;

 private:
  struct Node;
  struct Disk;
  class OpenFile;
  class Lock;
  using NodePtr = std::shared_ptr<Node>;

  Status rename_locked(const std::string& from, const std::string& to, bool replace);
  /// `kept` bytes of `unsynced` appended ones stay; a sector written in place stays when `keeps_sector` says so.
  struct Survival {
    std::function<std::size_t(std::size_t unsynced)> kept;
    std::function<bool()> keeps_sector;
  };
  void cut(const NodePtr& node, const Survival& survival);

  std::shared_ptr<Disk> disk_;
};

}  // namespace standpipe

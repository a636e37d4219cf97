#pragma once

#include <set>

#include "io/file_system.h"
#include "store/store.h"

namespace standpipe {

/// The store behind file://. A flush is an fdatasync, so that an event counted as stored survives a power cut; or, with
/// Durability::written, only a write (as Flume does it), which survives the death of the process but not of the
/// machine. `files` must outlive the store and its files.
class LocalStore final : public Store {
 public:
  enum class Durability : unsigned char { written, synced };

  LocalStore(FileSystem& files, Durability durability) : files_(files), durability_(durability) {}

  Result<std::unique_ptr<StoreFile>> create(const std::string& path) override;
  Result<std::unique_ptr<StoreFile>> append(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status settle_names(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::uint64_t> size(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Status remove(const std::string& path) override;
  Result<std::string> read(const std::string& path, std::uint64_t offset, std::size_t size) override;
  Status recover(const std::string& path, std::uint64_t length) override;

 private:
  Status make_folder(const std::string& folder);
  void mark_changed(const std::string& path);

  FileSystem& files_;
  const Durability durability_;
  std::set<std::string> changed_folders_;  // names in them are not yet durable
};

}  // namespace standpipe

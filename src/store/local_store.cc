#include "store/local_store.h"

#include <algorithm>

namespace standpipe {

namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

class LocalFile final : public StoreFile {
 public:
  LocalFile(std::unique_ptr<File> file, std::uint64_t size, bool synced)
      : file_(std::move(file)), size_(size), synced_(synced) {}

  Status write(std::string_view bytes) override {
    // At the known end, not "append": a failed write must not leave a hole that a later one would close.
    TRY(file_->write_at(size_, bytes));
    size_ += bytes.size();
    return {};
  }
  Status flush() override { return synced_ ? file_->sync() : Status(); }
  Status close() override { return file_->close(); }
  std::uint64_t size() const override { return size_; }

 private:
  std::unique_ptr<File> file_;
  std::uint64_t size_;
  const bool synced_;
};

}  // namespace

void LocalStore::mark_changed(const std::string& path) {
  if (durability_ == Durability::synced) changed_folders_.insert(folder_of(path));
}

Status LocalStore::make_folder(const std::string& folder) {
  // Every folder that gets a new name in it has to be synced, up to the first that was there before.
  for (std::string missing = folder; !files_.info(missing).ok();) {
    mark_changed(missing);
    const std::string parent = folder_of(missing);
    if (parent == missing) break;
    missing = parent;
  }
  return files_.make_directories(folder);
}

Result<std::unique_ptr<StoreFile>> LocalStore::create(const std::string& path) {
  auto opened = files_.open(path, FileSystem::Mode::create_new);
  if (!opened.ok() && opened.status().code() == Code::not_found) {
    TRY(make_folder(folder_of(path)));
    opened = files_.open(path, FileSystem::Mode::create_new);
  }
  if (!opened.ok()) {
    if (files_.info(path, false).ok()) return Status(Code::invalid, path + " exists already");
    return opened.status();
  }
  mark_changed(path);
  return std::unique_ptr<StoreFile>(
      std::make_unique<LocalFile>(std::move(opened).value(), 0, durability_ == Durability::synced));
}

Result<std::unique_ptr<StoreFile>> LocalStore::append(const std::string& path) {
  TRY_ASSIGN(auto file, files_.open(path, FileSystem::Mode::read_write));
  TRY_ASSIGN(const FileInfo info, file->info());
  return std::unique_ptr<StoreFile>(
      std::make_unique<LocalFile>(std::move(file), info.size, durability_ == Durability::synced));
}

Status LocalStore::rename(const std::string& from, const std::string& to) {
  Status renamed = files_.rename_new(from, to);
  if (renamed.code() == Code::not_found && files_.info(from, false).ok()) {
    TRY(make_folder(folder_of(to)));
    renamed = files_.rename_new(from, to);
  }
  TRY(std::move(renamed));
  mark_changed(from);
  mark_changed(to);
  return {};
}

Status LocalStore::settle_names(const std::string& path) {
  // From the file's folder upwards: a folder's own name stands in its parent.
  for (std::string folder = folder_of(path); !changed_folders_.empty();) {
    const auto changed = changed_folders_.find(folder);
    if (changed != changed_folders_.end()) {
      TRY(files_.sync_directory(folder));
      changed_folders_.erase(changed);
    }
    const std::string parent = folder_of(folder);
    if (parent == folder) break;
    folder = parent;
  }
  return {};
}

Result<bool> LocalStore::exists(const std::string& path) {
  const auto info = files_.info(path, false);
  if (info.ok()) return true;
  if (info.status().code() == Code::not_found) return false;
  return info.status();
}

Result<std::uint64_t> LocalStore::size(const std::string& path) {
  TRY_ASSIGN(const FileInfo info, files_.info(path));
  return info.size;
}

Result<std::vector<std::string>> LocalStore::list(const std::string& folder) { return files_.list(folder); }

Status LocalStore::remove(const std::string& path) {
  TRY(files_.remove(path));
  mark_changed(path);
  return {};
}

Result<std::string> LocalStore::read(const std::string& path, std::uint64_t offset, std::size_t size) {
  TRY_ASSIGN(const auto file, files_.open(path, FileSystem::Mode::read));
  std::string bytes(size, '\0');
  TRY_ASSIGN(const std::size_t got, file->read_at(offset, bytes.data(), size));
  bytes.resize(got);
  return bytes;
}

Status LocalStore::recover(const std::string& path, std::uint64_t length) {
  TRY_ASSIGN(const auto file, files_.open(path, FileSystem::Mode::read_write));
  TRY_ASSIGN(const FileInfo info, file->info());
  if (info.size > length) TRY(file->truncate(length));
  if (durability_ == Durability::synced) TRY(file->sync());
  return file->close();
}

}  // namespace standpipe

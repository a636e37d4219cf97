#include "io/faulty_file_system.h"

namespace standpipe {

class FaultyFileSystem::FaultyFile final : public File {
 public:
  FaultyFile(FaultyFileSystem& owner, std::unique_ptr<File> inner, std::string path)
      : owner_(owner), inner_(std::move(inner)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* target, std::size_t size) override {
    TRY(owner_.enter(Operation::read, path_));
    return inner_->read_at(offset, target, size);
  }
  Status write(std::string_view bytes) override {
    return write_with(bytes, [&](std::string_view part) { return inner_->write(part); });
  }
  Status write_at(std::uint64_t offset, std::string_view bytes) override {
    return write_with(bytes, [&](std::string_view part) { return inner_->write_at(offset, part); });
  }
  Status sync() override {
    owner_.wait_while_held(path_);
    TRY(owner_.enter(Operation::sync, path_));
    return inner_->sync();
  }
  Status truncate(std::uint64_t size) override {
    TRY(owner_.enter(Operation::truncate, path_));
    return inner_->truncate(size);
  }
  Status reserve(std::uint64_t size) override {
    TRY(owner_.enter(Operation::reserve, path_));
    return inner_->reserve(size);
  }
  Result<FileInfo> info() override { return inner_->info(); }
  std::uint64_t next_data(std::uint64_t offset) override { return inner_->next_data(offset); }
  Status close() override {
    TRY(owner_.enter(Operation::close, path_));
    return inner_->close();
  }

 private:
  template <typename Write>
  Status write_with(std::string_view bytes, Write write) {
    bool half_done = false;
    Status injected = owner_.enter(Operation::write, path_, &half_done);
    if (injected.ok()) return write(bytes);
    if (half_done) TRY(write(bytes.substr(0, bytes.size() / 2)));
    return injected;
  }

  FaultyFileSystem& owner_;
  std::unique_ptr<File> inner_;
  const std::string path_;
};

void FaultyFileSystem::inject(Fault fault) {
  std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
}

void FaultyFileSystem::fail_change(std::size_t after, bool for_ever) {
  std::lock_guard lock(mutex_);
  changes_left_ = after;
  changes_end_ = for_ever;
  change_failed_ = false;
}

bool FaultyFileSystem::change_failed() const {
  std::lock_guard lock(mutex_);
  return change_failed_;
}

void FaultyFileSystem::heal() {
  std::lock_guard lock(mutex_);
  changes_left_ = kNever;
  faults_.clear();
}

void FaultyFileSystem::hold_syncs(const std::string& path_contains) {
  std::lock_guard lock(mutex_);
  held_ = path_contains;
}

void FaultyFileSystem::release_syncs() {
  std::lock_guard lock(mutex_);
  held_.clear();
  released_.notify_all();
}

void FaultyFileSystem::wait_while_held(const std::string& path) {
  std::unique_lock lock(mutex_);
  ++waiting_;
  released_.wait(lock, [&] { return held_.empty() || path.find(held_) == std::string::npos; });
  --waiting_;
}

std::size_t FaultyFileSystem::held_syncs() const {
  std::lock_guard lock(mutex_);
  return waiting_;
}

std::size_t FaultyFileSystem::calls(Operation operation) const {
  std::lock_guard lock(mutex_);
  return calls_[static_cast<std::size_t>(operation)];
}

Status FaultyFileSystem::enter(Operation operation, const std::string& path, bool* half_done) {
  std::lock_guard lock(mutex_);
  ++calls_[static_cast<std::size_t>(operation)];
  const bool reads = operation == Operation::read || operation == Operation::info || operation == Operation::list;
  if (!reads && operation != Operation::close && changes_left_ != kNever) {
    if (changes_left_ == 0) {
      // A process that has ended leaves no half of what it never came to.
      if (half_done != nullptr) *half_done = !change_failed_;
      change_failed_ = true;
      if (!changes_end_) changes_left_ = kNever;
      return {Code::io, path + ": Input/output error"};
    }
    --changes_left_;
  }
  for (Fault& fault : faults_) {
    if (fault.operation != operation || path.find(fault.path_contains) == std::string::npos) continue;
    if (fault.after > 0) {
      --fault.after;
      continue;
    }
    if (fault.times == 0) continue;
    --fault.times;
    if (half_done != nullptr) *half_done = fault.half_done;
    return fault.why.with_context(path + ": ");
  }
  return {};
}

Result<std::unique_ptr<File>> FaultyFileSystem::open(const std::string& path, Mode mode, unsigned permissions) {
  TRY(enter(Operation::open, path));
  TRY_ASSIGN(auto file, inner_.open(path, mode, permissions));
  return std::unique_ptr<File>(std::make_unique<FaultyFile>(*this, std::move(file), path));
}

Result<FileInfo> FaultyFileSystem::info(const std::string& path, bool follow) {
  TRY(enter(Operation::info, path));
  return inner_.info(path, follow);
}

Result<std::vector<std::string>> FaultyFileSystem::list(const std::string& path) {
  TRY(enter(Operation::list, path));
  return inner_.list(path);
}

Status FaultyFileSystem::make_directories(const std::string& path) {
  TRY(enter(Operation::make_directories, path));
  return inner_.make_directories(path);
}

Status FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  bool half_done = false;
  Status injected = enter(Operation::rename, from, &half_done);
  if (injected.ok()) return inner_.rename(from, to);
  if (half_done) TRY(inner_.rename(from, to));
  return injected;
}

Status FaultyFileSystem::rename_new(const std::string& from, const std::string& to) {
  bool half_done = false;
  Status injected = enter(Operation::rename, from, &half_done);
  if (injected.ok()) return inner_.rename_new(from, to);
  if (half_done) TRY(inner_.rename_new(from, to));
  return injected;
}

Status FaultyFileSystem::remove(const std::string& path) {
  TRY(enter(Operation::remove, path));
  return inner_.remove(path);
}

Status FaultyFileSystem::remove_directory(const std::string& path) {
  TRY(enter(Operation::remove, path));
  return inner_.remove_directory(path);
}

Status FaultyFileSystem::sync_directory(const std::string& path) {
  TRY(enter(Operation::sync_directory, path));
  return inner_.sync_directory(path);
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::lock(const std::string& path, std::string_view owner) {
  return inner_.lock(path, owner);
}

Result<std::uint64_t> FaultyFileSystem::free_space(const std::string& path) { return inner_.free_space(path); }

}  // namespace standpipe

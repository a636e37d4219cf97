#include "io/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

#include "base/text.h"

namespace standpipe {

struct MemoryFileSystem::Node {
  FileInfo::Type type = FileInfo::Type::file;
  std::uint64_t inode = 0;
  unsigned permissions = 0755;
  std::string content;
  std::string durable;           // content at the last sync
  std::uint64_t dirty_from = 0;  // what stands before is the same in both
  std::map<std::string, NodePtr> entries;
  std::map<std::string, NodePtr> durable_entries;
};

struct MemoryFileSystem::Disk {
  mutable std::mutex mutex;
  NodePtr root;
  std::uint64_t next_inode = 1;
  std::uint64_t capacity = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t used = 0;
  std::map<std::string, const FileLock*> locks;

  NodePtr make(FileInfo::Type type) {
    auto node = std::make_shared<Node>();
    node->type = type;
    node->inode = next_inode++;
    return node;
  }

  /// Null: there is none.
  NodePtr find(std::string_view path) const {
    NodePtr node = root;
    for (const std::string_view part : split(path, '/')) {
      if (part.empty() || part == ".") continue;
      const auto at = node->entries.find(std::string(part));
      if (at == node->entries.end()) return nullptr;
      node = at->second;
    }
    return node;
  }
};

namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }
std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }
Status missing(const std::string& what, const std::string& path) {
  return {Code::not_found, what + " " + path + ": No such file or directory"};
}

}  // namespace

class MemoryFileSystem::OpenFile final : public File {
 public:
  OpenFile(std::shared_ptr<Disk> disk, NodePtr node, std::string path, Mode mode)
      : disk_(std::move(disk)), node_(std::move(node)), path_(std::move(path)), mode_(mode) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* target, std::size_t size) override {
    std::lock_guard lock(disk_->mutex);
    if (offset >= node_->content.size()) return std::size_t{0};
    const std::size_t count = std::min<std::uint64_t>(size, node_->content.size() - offset);
    std::memcpy(target, node_->content.data() + offset, count);
    return count;
  }
  Status write(std::string_view bytes) override {
    std::lock_guard lock(disk_->mutex);
    if (mode_ == Mode::append) position_ = node_->content.size();
    const std::uint64_t at = position_;
    position_ += bytes.size();
    return put(at, bytes);
  }
  Status write_at(std::uint64_t offset, std::string_view bytes) override {
    std::lock_guard lock(disk_->mutex);
    return put(offset, bytes);
  }
  Status sync() override {
    std::lock_guard lock(disk_->mutex);
    // Only what changed is copied: files mostly grow.
    node_->durable.resize(std::min<std::uint64_t>(node_->durable.size(), node_->dirty_from));
    node_->durable.append(node_->content, node_->durable.size());
    node_->dirty_from = node_->content.size();
    return {};
  }
  Status truncate(std::uint64_t size) override {
    std::lock_guard lock(disk_->mutex);
    disk_->used = disk_->used - node_->content.size() + size;
    node_->content.resize(size);
    node_->dirty_from = std::min(node_->dirty_from, size);
    return {};
  }
  Status reserve(std::uint64_t size) override {
    std::lock_guard lock(disk_->mutex);
    const std::uint64_t now = node_->content.size();
    if (size <= now) return {};
    const std::uint64_t room = disk_->capacity - std::min(disk_->capacity, disk_->used);
    if (size - now > room) return {Code::full, "reserve space for " + path_ + ": No space left on device"};
    disk_->used += size - now;
    node_->content.resize(size);
    node_->dirty_from = std::min(node_->dirty_from, now);
    return {};
  }
  Result<FileInfo> info() override {
    std::lock_guard lock(disk_->mutex);
    return info_of(*node_);
  }
  Status close() override { return {}; }

  static FileInfo info_of(const Node& node) {
    FileInfo info;
    info.type = node.type;
    info.device = 1;
    info.inode = node.inode;
    info.size = node.content.size();
    info.links = 1;
    info.permissions = node.permissions;
    return info;
  }

 private:
  Status put(std::uint64_t offset, std::string_view bytes) {
    if (mode_ == Mode::read) return {Code::io, "write " + path_ + ": Bad file descriptor"};
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t grown = end > node_->content.size() ? end - node_->content.size() : 0;
    const std::uint64_t room = disk_->capacity - std::min(disk_->capacity, disk_->used);
    const bool fits = grown <= room;
    if (!fits) bytes = bytes.substr(0, bytes.size() - std::min<std::uint64_t>(bytes.size(), grown - room));
    if (offset + bytes.size() > node_->content.size()) {
      disk_->used += offset + bytes.size() - node_->content.size();
      node_->content.resize(offset + bytes.size());
    }
    node_->dirty_from = std::min(node_->dirty_from, offset);
    if (!bytes.empty()) std::memcpy(node_->content.data() + offset, bytes.data(), bytes.size());
    return fits ? Status() : Status(Code::full, "write " + path_ + ": No space left on device");
  }

  std::shared_ptr<Disk> disk_;
  NodePtr node_;
  const std::string path_;
  const Mode mode_;
  std::uint64_t position_ = 0;
};

/// Lives in the disk's list of paths; no processes here, so the lock keeps out everybody.
class MemoryFileSystem::Lock final : public FileLock {
 public:
  Lock(std::shared_ptr<Disk> disk, std::string path) : disk_(std::move(disk)), path_(std::move(path)) {}
  ~Lock() override {
    std::lock_guard lock(disk_->mutex);
    const auto at = disk_->locks.find(path_);
    if (at != disk_->locks.end() && at->second == this) disk_->locks.erase(at);  // a power cut may have dropped it
  }

 private:
  std::shared_ptr<Disk> disk_;
  const std::string path_;
};

MemoryFileSystem::MemoryFileSystem() : disk_(std::make_shared<Disk>()) {
  disk_->root = disk_->make(FileInfo::Type::directory);
}
MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, Mode mode, unsigned permissions) {
  std::lock_guard lock(disk_->mutex);
  NodePtr node = disk_->find(path);
  const bool makes = mode == Mode::create || mode == Mode::create_new || mode == Mode::append;
  if (node == nullptr) {
    const NodePtr parent = disk_->find(parent_of(path));
    if (!makes || parent == nullptr) return missing("open", path);
    node = disk_->make(FileInfo::Type::file);
    node->permissions = permissions;
    parent->entries[name_of(path)] = node;
  } else if (mode == Mode::create_new) {
    return Status(Code::io, "open " + path + ": File exists");
  } else if (node->type == FileInfo::Type::directory && mode != Mode::read) {
    return Status(Code::io, "open " + path + ": Is a directory");
  }
  if (mode == Mode::create) {
    disk_->used -= node->content.size();
    node->content.clear();
    node->dirty_from = 0;
  }
  return std::unique_ptr<File>(std::make_unique<OpenFile>(disk_, std::move(node), path, mode));
}

Result<FileInfo> MemoryFileSystem::info(const std::string& path, bool) {
  std::lock_guard lock(disk_->mutex);
  const NodePtr node = disk_->find(path);
  if (node == nullptr) return missing("stat", path);
  return OpenFile::info_of(*node);
}

Result<std::vector<std::string>> MemoryFileSystem::list(const std::string& path) {
  std::lock_guard lock(disk_->mutex);
  const NodePtr node = disk_->find(path);
  if (node == nullptr) return missing("list", path);
  std::vector<std::string> names;
  for (const auto& [name, entry] : node->entries) names.push_back(name);
  return names;
}

Status MemoryFileSystem::make_directories(const std::string& path) {
  std::lock_guard lock(disk_->mutex);
  NodePtr node = disk_->root;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    NodePtr& next = node->entries[std::string(part)];
    if (next == nullptr) next = disk_->make(FileInfo::Type::directory);
    if (next->type != FileInfo::Type::directory) return {Code::io, "make directory " + path + ": Not a directory"};
    node = next;
  }
  return {};
}

Status MemoryFileSystem::rename_locked(const std::string& from, const std::string& to, bool replace) {
  const NodePtr source = disk_->find(parent_of(from));
  const NodePtr target = disk_->find(parent_of(to));
  const NodePtr node = disk_->find(from);
  if (source == nullptr || target == nullptr || node == nullptr) return missing("rename to " + to + " from", from);
  if (!replace && target->entries.contains(name_of(to))) {
    return {Code::invalid, "rename " + from + ": " + to + " exists already"};
  }
  source->entries.erase(name_of(from));
  target->entries[name_of(to)] = node;
  return {};
}

Status MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(disk_->mutex);
  return rename_locked(from, to, true);
}

Status MemoryFileSystem::rename_new(const std::string& from, const std::string& to) {
  std::lock_guard lock(disk_->mutex);
  return rename_locked(from, to, false);
}

Status MemoryFileSystem::remove(const std::string& path) {
  std::lock_guard lock(disk_->mutex);
  const NodePtr node = disk_->find(path);
  if (node == nullptr) return missing("remove", path);
  if (node->type == FileInfo::Type::directory) return {Code::io, "remove " + path + ": Is a directory"};
  disk_->used -= node->content.size();
  disk_->find(parent_of(path))->entries.erase(name_of(path));
  return {};
}

Status MemoryFileSystem::remove_directory(const std::string& path) {
  std::lock_guard lock(disk_->mutex);
  const NodePtr node = disk_->find(path);
  if (node == nullptr) return missing("remove directory", path);
  if (!node->entries.empty()) return {Code::io, "remove directory " + path + ": Directory not empty"};
  disk_->find(parent_of(path))->entries.erase(name_of(path));
  return {};
}

Status MemoryFileSystem::sync_directory(const std::string& path) {
  std::lock_guard lock(disk_->mutex);
  const NodePtr directory = disk_->find(path);
  if (directory == nullptr) return missing("sync", path);
  std::set<const Node*> moved;  // was durable here, is not here any more
  for (const auto& [name, entry] : directory->durable_entries) {
    if (!directory->entries.contains(name)) moved.insert(entry.get());
  }
  directory->durable_entries = directory->entries;
  for (const auto& [name, entry] : directory->entries) moved.erase(entry.get());  // renamed within the folder
  if (moved.empty()) return {};
  // What was renamed away keeps its new name, wherever that is: a rename is one step for a journalling file system.
  const std::function<void(const NodePtr&)> settle = [&](const NodePtr& at) {
    for (const auto& [name, entry] : at->entries) {
      if (moved.contains(entry.get())) at->durable_entries[name] = entry;
      settle(entry);
    }
  };
  settle(disk_->root);
  return {};
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path, std::string_view owner) {
  TRY_ASSIGN(const auto file, open(path, Mode::append));
  std::lock_guard lock(disk_->mutex);
  const NodePtr node = disk_->find(path);
  if (disk_->locks.contains(path)) {
    return Status(Code::unavailable, path + " is locked by " + (node->content.empty() ? "somebody" : node->content));
  }
  disk_->used = disk_->used - node->content.size() + owner.size();
  node->content = owner;
  node->dirty_from = 0;
  auto held = std::make_unique<Lock>(disk_, path);
  disk_->locks[path] = held.get();
  return std::unique_ptr<FileLock>(std::move(held));
}

Result<std::uint64_t> MemoryFileSystem::free_space(const std::string&) {
  std::lock_guard lock(disk_->mutex);
  return disk_->capacity - std::min(disk_->capacity, disk_->used);
}

void MemoryFileSystem::cut(const NodePtr& node, const Survival& survival) {
  constexpr std::size_t kSector = 512;
  std::string survives = node->durable;
  const std::string& content = node->content;
  const std::size_t common = std::min(survives.size(), content.size());
  bool overwritten = false;
  for (std::size_t at = node->dirty_from / kSector * kSector; at < common; at += kSector) {
    const std::size_t count = std::min(kSector, common - at);
    if (survives.compare(at, count, content, at, count) == 0) continue;
    overwritten = true;
    if (survival.keeps_sector()) survives.replace(at, count, content, at, count);
  }
  // What was appended behind a part written in place is a later write: it need not have come after it, but mostly does.
  if (content.size() > survives.size() && !overwritten) {
    survives.append(content, survives.size(), survival.kept(content.size() - survives.size()));
  }
  disk_->used += survives.size();
  node->content = survives;
  node->dirty_from = survives.size();
  node->durable = std::move(survives);
  node->entries = node->durable_entries;
  for (const auto& [name, entry] : node->entries) cut(entry, survival);
}

void MemoryFileSystem::power_cut() {
  std::lock_guard lock(disk_->mutex);
  disk_->locks.clear();
  disk_->used = 0;  // counted anew: files that were removed may be back
  cut(disk_->root, {[](std::size_t) { return std::size_t{0}; }, [] { return false; }});
}

void MemoryFileSystem::power_cut_torn(std::uint32_t seed) {
  std::lock_guard lock(disk_->mutex);
  disk_->locks.clear();
  const auto next = [&seed] {
    seed = seed * 1664525 + 1013904223;
    return std::size_t{seed >> 8};
  };
  disk_->used = 0;
  cut(disk_->root, {[&](std::size_t unsynced) { return next() % (unsynced + 1); }, [&] { return next() % 2 == 0; }});
}

void MemoryFileSystem::clear() {
  std::lock_guard lock(disk_->mutex);
  disk_->root = disk_->make(FileInfo::Type::directory);
  disk_->used = 0;
  disk_->locks.clear();
}

void MemoryFileSystem::change(const std::string& path, const std::function<void(std::string& content)>& change) {
  std::lock_guard lock(disk_->mutex);
  const NodePtr node = disk_->find(path);
  if (node == nullptr) return;
  disk_->used -= node->content.size();
  change(node->content);
  disk_->used += node->content.size();
  node->durable = node->content;
  node->dirty_from = node->content.size();
}

void MemoryFileSystem::set_capacity(std::uint64_t bytes) {
  std::lock_guard lock(disk_->mutex);
  disk_->capacity = bytes;
}

std::map<std::string, std::string> MemoryFileSystem::files() const {
  std::lock_guard lock(disk_->mutex);
  std::map<std::string, std::string> found;
  const std::function<void(const NodePtr&, const std::string&)> walk = [&](const NodePtr& node,
                                                                           const std::string& path) {
    if (node->type == FileInfo::Type::file) found[path] = node->content;
    for (const auto& [name, entry] : node->entries) walk(entry, path + "/" + name);
  };
  walk(disk_->root, "");
  return found;
}

}  // namespace standpipe

#include "io/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/text.h"

namespace standpipe {

struct MemoryFileSystem::Node {
  FileInfo::Type type = FileInfo::Type::file;
  std::uint64_t inode = 0;
  std::string content;
  std::string durable;  // content at the last sync
  std::map<std::string, NodePtr> entries;
  std::map<std::string, NodePtr> durable_entries;
};

struct MemoryFileSystem::Disk {
  mutable std::mutex mutex;
  NodePtr root;
  std::uint64_t next_inode = 1;
  std::uint64_t capacity = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t used = 0;

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
    node_->durable = node_->content;
    return {};
  }
  Status truncate(std::uint64_t size) override {
    std::lock_guard lock(disk_->mutex);
    disk_->used = disk_->used - node_->content.size() + size;
    node_->content.resize(size);
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
    if (!bytes.empty()) std::memcpy(node_->content.data() + offset, bytes.data(), bytes.size());
    return fits ? Status() : Status(Code::full, "write " + path_ + ": No space left on device");
  }

  std::shared_ptr<Disk> disk_;
  NodePtr node_;
  const std::string path_;
  const Mode mode_;
  std::uint64_t position_ = 0;
};

MemoryFileSystem::MemoryFileSystem() : disk_(std::make_shared<Disk>()) {
  disk_->root = disk_->make(FileInfo::Type::directory);
}
MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, Mode mode, unsigned) {
  std::lock_guard lock(disk_->mutex);
  NodePtr node = disk_->find(path);
  const bool makes = mode == Mode::create || mode == Mode::create_new || mode == Mode::append;
  if (node == nullptr) {
    const NodePtr parent = disk_->find(parent_of(path));
    if (!makes || parent == nullptr) return missing("open", path);
    node = disk_->make(FileInfo::Type::file);
    parent->entries[name_of(path)] = node;
  } else if (mode == Mode::create_new) {
    return Status(Code::io, "open " + path + ": File exists");
  } else if (node->type == FileInfo::Type::directory && mode != Mode::read) {
    return Status(Code::io, "open " + path + ": Is a directory");
  }
  if (mode == Mode::create) {
    disk_->used -= node->content.size();
    node->content.clear();
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
  const auto before = std::exchange(directory->durable_entries, directory->entries);
  // What was renamed away keeps its new name, wherever that is: a rename is one step for a journalling file system.
  const std::function<void(const NodePtr&)> settle = [&](const NodePtr& at) {
    for (const auto& [name, entry] : at->entries) {
      const bool moved = std::any_of(before.begin(), before.end(), [&, node = entry](const auto& old) {
        return old.second == node && !directory->entries.contains(old.first);
      });
      if (moved) at->durable_entries[name] = entry;
      settle(entry);
    }
  };
  settle(disk_->root);
  return {};
}

Result<std::uint64_t> MemoryFileSystem::free_space(const std::string&) {
  std::lock_guard lock(disk_->mutex);
  return disk_->capacity - std::min(disk_->capacity, disk_->used);
}

void MemoryFileSystem::cut(const NodePtr& node, const std::function<std::size_t(std::size_t)>& kept_of) {
  std::string survives = node->durable;
  if (node->content.size() > survives.size() && node->content.starts_with(survives)) {
    survives.append(node->content, survives.size(), kept_of(node->content.size() - survives.size()));
  }
  disk_->used = disk_->used - node->content.size() + survives.size();
  node->content = survives;
  node->durable = std::move(survives);
  node->entries = node->durable_entries;
  for (const auto& [name, entry] : node->entries) cut(entry, kept_of);
}

void MemoryFileSystem::power_cut() {
  std::lock_guard lock(disk_->mutex);
  cut(disk_->root, [](std::size_t) { return std::size_t{0}; });
}

void MemoryFileSystem::power_cut_torn(std::uint32_t seed) {
  std::lock_guard lock(disk_->mutex);
  cut(disk_->root, [&seed](std::size_t unsynced) {
    seed = seed * 1664525 + 1013904223;
    return std::size_t{seed >> 8} % (unsynced + 1);
  });
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

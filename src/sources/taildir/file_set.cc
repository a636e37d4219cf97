#include "sources/taildir/file_set.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>

#include <fmt/format.h>

#include "base/clock.h"

namespace standpipe::taildir {

namespace {
constexpr std::int64_t kSecondNs = 1'000'000'000;

std::string join(const std::string& directory, std::string_view name) {
  return fmt::format("{}/{}", directory == "/" ? "" : directory, name);
}
std::string directory_of(const std::string& path) { return path.substr(0, std::max<std::size_t>(1, path.rfind('/'))); }
}  // namespace

FileSet::FileSet(std::vector<FileGroup> groups, Options options, Environment& environment)
    : groups_(std::move(groups)), options_(std::move(options)), environment_(environment) {
  for (const FileGroup& group : groups_) directories_[group.directory].groups.push_back(&group);
}

std::vector<std::string> FileSet::directories() const {
  std::vector<std::string> result;
  for (const auto& entry : directories_) result.push_back(entry.first);
  return result;
}

const FileGroup* FileSet::group_of(const std::string& directory, const std::string& name) const {
  const auto found = directories_.find(directory);
  if (found == directories_.end()) return nullptr;
  for (const FileGroup* group : found->second.groups) {
    if (group->pattern.matches(name)) return group;
  }
  return nullptr;
}

bool FileSet::matches(const std::string& directory, const std::string& name) const {
  return group_of(directory, name) != nullptr;
}

Status FileSet::scan(bool force) {
  Status first;
  for (auto& [path, directory] : directories_) {
    Status status = scan_directory(path, directory, force);
    if (!status.ok() && first.ok()) first = std::move(status);
  }
  return first;
}

Status FileSet::scan_directory(const std::string& path, Directory& directory, bool force) {
  TRY_ASSIGN(const FileInfo info, environment_.files.info(path));
  if (info.type != FileInfo::Type::directory) return {Code::invalid, path + " is not a directory"};
  // A folder that changed within the last second may change again without its time showing it.
  const bool settled = info.modified_ns + kSecondNs < environment_.clock.now_ms() * 1'000'000;
  if (!force && options_.cache_listing && settled && info.modified_ns == directory.listed_modified_ns) return {};
  TRY_ASSIGN(const std::vector<std::string> names, environment_.files.list(path));
  directory.listed_modified_ns = settled ? info.modified_ns : -1;

  struct Entry {
    std::string path;
    FileInfo info;
    const FileGroup* group;
  };
  std::vector<Entry> entries;
  std::unordered_set<std::string> present;
  for (const std::string& name : names) {
    std::string file_path = join(path, name);
    const FileGroup* group = group_of(path, name);
    if (group == nullptr && by_path_.find(file_path) == by_path_.end()) continue;
    const auto file_info = environment_.files.info(file_path);
    if (!file_info.ok() || file_info->type != FileInfo::Type::file) continue;
    present.insert(file_path);
    entries.push_back({std::move(file_path), *file_info, group});
  }
  // Oldest first, as Flume reads them.
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.info.modified_ns, a.path) < std::tie(b.info.modified_ns, b.path);
  });
  for (const Entry& entry : entries) seen(entry.path, entry.info, entry.group);

  std::vector<std::string> lost;
  for (const auto& [known, file] : by_path_) {
    if (known.size() > path.size() && known.starts_with(join(path, "")) && !present.contains(known) &&
        known.find('/', join(path, "").size()) == std::string::npos) {
      lost.push_back(known);
    }
  }
  for (const std::string& known : lost) name_lost(known);
  return {};
}

TailFile* FileSet::find(const std::string& directory, const std::string& name) {
  const auto found = by_path_.find(join(directory, name));
  return found == by_path_.end() ? nullptr : found->second;
}

void FileSet::look_at(const std::string& directory, const std::string& name) {
  const std::string path = join(directory, name);
  const auto info = environment_.files.info(path);
  if (!info.ok() || info->type != FileInfo::Type::file) {
    name_lost(path);
    return;
  }
  seen(path, *info, group_of(directory, name));
}

void FileSet::seen(const std::string& path, const FileInfo& info, const FileGroup* group) {
  const FileIdentity id{info.device, info.inode};
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) {
    name_lost(path);  // another file had this name
    if (group != nullptr) add(path, info, *group);
    return;
  }
  TailFile& file = *known->second;
  file.size = info.size;
  if (file.path == path) {
    file.gone = group == nullptr;
    by_path_[path] = &file;
    return;
  }
  // A second name of the same file (a link) is no rename while the first one still leads to it.
  if (!file.gone && leads_to(file.path, id)) return;
  renamed(file, path, group);
}

bool FileSet::leads_to(const std::string& path, const FileIdentity& id) const {
  const auto info = environment_.files.info(path);
  return info.ok() && FileIdentity{info->device, info->inode} == id;
}

void FileSet::renamed(TailFile& file, const std::string& path, const FileGroup* group) {
  name_lost(path);
  if (const auto old = by_path_.find(file.path); old != by_path_.end() && old->second == &file) by_path_.erase(old);
  environment_.log.debug(fmt::format("{} is now {}: read on at {}", file.path, path, file.read.offset));
  file.path = path;
  file.gone = group == nullptr;
  by_path_[path] = &file;
}

void FileSet::name_lost(const std::string& path) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return;
  found->second->gone = true;
  by_path_.erase(found);
}

void FileSet::add(const std::string& path, const FileInfo& info, const FileGroup& group) {
  auto file = std::make_unique<TailFile>();
  file->id = {info.device, info.inode};
  file->path = path;
  file->size = info.size;
  file->last_growth = environment_.clock.steady_now();
  Headers headers = group.headers;
  if (!options_.path_header.empty()) headers.set(options_.path_header, path);
  file->headers = std::make_shared<const Headers>(std::move(headers));
  if (!open(*file)) {
    // Not known then. Permissions may change without the folder's time showing it.
    if (const auto folder = directories_.find(directory_of(path)); folder != directories_.end()) {
      folder->second.listed_modified_ns = -1;
    }
    return;
  }
  TailFile& added = *file;
  files_.push_back(std::move(file));
  by_id_[added.id] = &added;
  by_path_[path] = &added;
  if (options_.on_new) options_.on_new(added);
}

TailFile* FileSet::adopt(const std::string& directory, const std::string& name, const std::string& old_path) {
  const std::string path = join(directory, name);
  const std::size_t slash = std::min(old_path.rfind('/'), old_path.size());
  const FileGroup* group = group_of(directory, old_path.substr(std::min(slash + 1, old_path.size())));
  if (group == nullptr) return nullptr;
  const auto info = environment_.files.info(path);
  if (!info.ok() || info->type != FileInfo::Type::file) return nullptr;
  if (by_id_.contains({info->device, info->inode})) return nullptr;
  add(path, *info, *group);
  const auto added = by_path_.find(path);
  if (added == by_path_.end()) return nullptr;
  added->second->gone = true;
  return added->second;
}

bool FileSet::open(TailFile& file) {
  auto opened = environment_.files.open(file.path, FileSystem::Mode::read);
  if (!opened.ok()) {
    // Gone since it was listed: the next look finds that out.
    const Status why = opened.status();
    if (why.code() != Code::not_found && options_.on_unreadable) options_.on_unreadable(why);
    return false;
  }
  const auto info = (*opened)->info();
  if (!info.ok() || FileIdentity{info->device, info->inode} != file.id) return false;
  file.file = std::move(*opened);
  file.size = info->size;
  ++open_;
  return true;
}

void FileSet::close(TailFile& file) {
  if (file.file == nullptr) return;
  file.file = nullptr;
  --open_;
}

void FileSet::forget(TailFile& file) {
  by_id_.erase(file.id);
  if (const auto path = by_path_.find(file.path); path != by_path_.end() && path->second == &file) by_path_.erase(path);
  const auto found =
      std::find_if(files_.begin(), files_.end(), [&](const std::unique_ptr<TailFile>& f) { return f.get() == &file; });
  if (found != files_.end()) files_.erase(found);
}

void FileSet::limit_open() {
  if (open_ <= options_.max_open) return;
  std::vector<TailFile*> idle;
  for (const auto& file : files_) {
    // A file without a name could not be opened again.
    if (file->file != nullptr && !file->gone && !file->has_unread() && file->progress.idle())
      idle.push_back(file.get());
  }
  std::sort(idle.begin(), idle.end(),
            [](const TailFile* a, const TailFile* b) { return a->last_growth < b->last_growth; });
  for (TailFile* file : idle) {
    if (open_ <= options_.max_open) return;
    close(*file);
  }
}

}  // namespace standpipe::taildir

#include "channels/file/locate.h"

#include <algorithm>

#include <fmt/format.h>

#include "channels/file/segment_format.h"
#include "channels/file/snapshot.h"

namespace standpipe::file_channel {

namespace {

enum class Role : unsigned char { none, checkpoint, data };

/// Snapshots tell a checkpointDir, segments or Flume's guard a data directory.
Result<Role> role_of(FileSystem& files, const std::string& folder) {
  TRY_ASSIGN(const auto names, files.list(folder));
  Role role = Role::none;
  for (const std::string& name : names) {
    if (parse_snapshot_name(name) || parse_consumed_name(name)) return Role::checkpoint;
    if (parse_segment_name(name)) role = Role::data;
    if (name == kGuardFile && std::find(names.begin(), names.end(), kOwnerFile) != names.end()) role = Role::data;
  }
  return role;
}

Status add(Folders& folders, Role role, const std::string& folder) {
  if (role == Role::data) {
    folders.data.push_back(folder);
    return {};
  }
  if (!folders.checkpoint.empty()) {
    return {Code::invalid,
            fmt::format("{} and {} are both a checkpointDir: name one channel at a time", folders.checkpoint, folder)};
  }
  folders.checkpoint = folder;
  return {};
}

}  // namespace

Result<Folders> locate_folders(FileSystem& files, std::span<const std::string> named) {
  Folders folders;
  for (std::string folder : named) {
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    TRY_ASSIGN(const Role role, role_of(files, folder));
    if (role != Role::none) {
      TRY(add(folders, role, folder));
      continue;
    }
    TRY_ASSIGN(auto names, files.list(folder));
    std::sort(names.begin(), names.end());
    bool found = false;
    for (const std::string& name : names) {
      const std::string inner = folder + "/" + name;
      const auto info = files.info(inner);
      if (!info.ok() || info->type != FileInfo::Type::directory) continue;
      TRY_ASSIGN(const Role inner_role, role_of(files, inner));
      if (inner_role == Role::none) continue;
      TRY(add(folders, inner_role, inner));
      found = true;
    }
    if (!found) return Status(Code::invalid, folder + " holds no file channel, nor does any folder in it");
  }
  if (folders.checkpoint.empty()) return Status(Code::invalid, "no checkpointDir is among the folders: name it too");
  if (folders.data.empty()) return Status(Code::invalid, "none of dataDirs is among the folders: name them too");
  return folders;
}

}  // namespace standpipe::file_channel

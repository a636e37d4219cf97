#include "channels/file/directory_guard.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "channels/file/flume/names.h"
#include "channels/file/segment_format.h"
#include "io/crc32c.h"

namespace standpipe::file_channel {

namespace {

constexpr std::string_view kFirstLine = "standpipe file channel";
constexpr std::string_view kCheckKey = "check ";
constexpr std::string_view kGuardText =
    "This folder holds events of a Standpipe file channel. The file keeps Flume from starting an empty channel on it.\n"
    "To hand the events back to Flume: standpipe tool file-channel export\n";

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// Makes the folder and what is missing above it, so that it is there after a power cut.
Status make_durable(FileSystem& files, const std::string& path) {
  std::vector<std::string> missing;
  for (std::string at = path; at.size() > 1 && !files.info(at).ok(); at = parent_of(at)) missing.push_back(at);
  TRY(files.make_directories(path));
  for (const std::string& made : missing) TRY(files.sync_directory(parent_of(made)));
  return {};
}

std::string check_line(std::string_view text) { return fmt::format("{}{:08x}\n", kCheckKey, crc32c(0, text)); }

}  // namespace

std::string format_owner(const Owner& owner) {
  const std::string text = fmt::format("{}\nformat {}\nid {}\nagent {}\nchannel {}\n", kFirstLine, kFormat,
                                       to_hex(owner.id), owner.agent, owner.channel);
  return text + check_line(text);
}

Result<Owner> parse_owner(std::string_view text) {
  const std::size_t check = text.rfind(kCheckKey);
  if (check == std::string_view::npos || text.substr(check) != check_line(text.substr(0, check))) {
    return Status(Code::corrupt, "its checksum does not agree");
  }
  const std::vector<std::string_view> lines = split(text, '\n');
  const auto value = [&lines](std::size_t line, std::string_view key) {
    const bool there = line < lines.size() && lines[line].starts_with(key);
    return there ? lines[line].substr(key.size()) : std::string_view();
  };
  if (value(1, "format ") != std::to_string(kFormat)) {
    return Status(Code::invalid, fmt::format("written in format {}, this version knows {}: use a newer one",
                                             value(1, "format "), kFormat));
  }
  const auto id = from_hex(value(2, "id "));
  if (!id) return Status(Code::corrupt, "it names no id");
  return Owner{*id, std::string(value(3, "agent ")), std::string(value(4, "channel "))};
}

Result<DirectoryGuard> DirectoryGuard::open(FileSystem& files, const std::string& path, std::string_view property,
                                            std::string_view holder) {
  TRY(make_durable(files, path));
  auto guard = lock(files, path, holder);
  if (guard.ok()) return guard;
  return Status(guard.status().code(),
                fmt::format("{}; give the channel a folder of its own with {}", guard.status().message(), property));
}

Result<DirectoryGuard> DirectoryGuard::lock(FileSystem& files, const std::string& path, std::string_view holder) {
  DirectoryGuard guard(files, path);
  // Ours first: a Flume that could not get its own lock removes the file of it when it ends.
  for (const auto& [name, text] :
       {std::pair<std::string_view, std::string_view>{"standpipe.lock", holder}, {"in_use.lock", ""}}) {
    auto lock = files.lock(path + "/" + std::string(name), text);
    if (!lock.ok()) {
      return Status(lock.status().code(), fmt::format("can't lock {}: {}", path, lock.status().message()));
    }
    guard.locks_.push_back(std::move(*lock));
  }
  return guard;
}

Result<std::optional<Owner>> DirectoryGuard::read_owner() const {
  const std::string path = path_ + "/" + std::string(kOwnerFile);
  const auto text = read_file(*files_, path, 4096);
  if (text.status().code() == Code::not_found) return std::optional<Owner>();
  if (!text.ok()) return text.status();
  auto owner = parse_owner(*text);
  if (!owner.ok()) return owner.status().with_context(path);
  return std::optional<Owner>(std::move(*owner));
}

Status DirectoryGuard::claim(const Owner& owner, bool data_directory) {
  if (data_directory) TRY(write_guard(*files_, path_ + "/" + std::string(kGuardFile)));
  return write_owner(*files_, path_, owner);
}

Result<std::string> find_flume_file(FileSystem& files, const std::string& folder) {
  TRY_ASSIGN(const auto names, files.list(folder));
  for (const std::string& name : names) {
    const std::string path = folder + "/" + name;
    const bool log = flume::parse_log_name(name).has_value();
    if (!log && name != "checkpoint" && name != "checkpoint.meta") continue;
    TRY_ASSIGN(const FileInfo info, files.info(path));
    if (info.type != FileInfo::Type::file) continue;
    TRY_ASSIGN(const bool guard, is_guard(files, path));
    if (!guard) return path;
  }
  return std::string();
}

Result<bool> is_guard(FileSystem& files, const std::string& path) {
  const auto info = files.info(path);
  if (info.status().code() == Code::not_found) return false;
  if (!info.ok()) return info.status();
  if (info->size != kGuardText.size()) return false;
  TRY_ASSIGN(const std::string text, read_file(files, path, kGuardText.size()));
  return text == kGuardText;
}

Status write_guard(FileSystem& files, const std::string& path) {
  return write_file_atomically(files, path, kGuardText);
}

Status write_owner(FileSystem& files, const std::string& folder, const Owner& owner) {
  return write_file_atomically(files, folder + "/" + std::string(kOwnerFile), format_owner(owner));
}

}  // namespace standpipe::file_channel

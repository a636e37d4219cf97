#include "channels/file/default_folders.h"

#include "channels/file/directory_guard.h"
#include "channels/file/flume/take_over.h"

namespace standpipe::file_channel {

namespace {

/// Whose the folder is, or will be when a take-over that was decided is finished; none: nobody's of ours.
Result<std::optional<Owner>> owner_of(FileSystem& files, const std::string& checkpoint) {
  const auto text = read_file(files, checkpoint + "/" + std::string(kOwnerFile), 4096);
  if (text.ok()) {
    auto owner = parse_owner(*text);
    if (owner.ok()) return std::optional<Owner>(std::move(*owner));
    return owner.status().with_context(checkpoint);
  }
  if (text.status().code() != Code::not_found) return text.status();
  return flume::TakeOver::decided_owner(files, checkpoint);
}

Result<bool> has_files_of_flume(FileSystem& files, const Folders& folders) {
  std::vector<std::string> all = folders.data;
  all.push_back(folders.checkpoint);
  for (const std::string& folder : all) {
    if (!files.info(folder).ok()) continue;
    TRY_ASSIGN(const std::string file, find_flume_file(files, folder));
    if (!file.empty()) return true;
  }
  return false;
}

}  // namespace

Result<Folders> choose_folders(const Folders& configured, Environment& environment) {
  if (!configured.all_default) return configured;
  const Folders flume{.checkpoint = configured.defaults_of_flume[0], .data = {configured.defaults_of_flume[1]}};
  FileSystem& files = environment.files;
  if (files.info(configured.checkpoint + "/" + std::string(kOwnerFile)).ok()) return configured;
  TRY_ASSIGN(const auto owner, owner_of(files, flume.checkpoint));
  if (owner) {
    if (owner->agent == environment.agent && owner->channel == environment.component) return flume;
    Folders own = configured;
    own.defaults_of_flume.clear();  // another channel has taken them over
    return own;
  }
  TRY_ASSIGN(const bool flumes, has_files_of_flume(files, flume));
  return flumes ? flume : configured;
}

}  // namespace standpipe::file_channel

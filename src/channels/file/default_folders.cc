#include "channels/file/default_folders.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>

#include "channels/file/directory_guard.h"
#include "channels/file/flume/take_over.h"

namespace standpipe::file_channel {

namespace {

/// A channel without configured folders.
struct Claim {
  const FileSystem* files;
  std::string agent;
  std::string channel;
  std::string checkpoint;           // its own
  std::string checkpoint_of_flume;  // that it could take over
};

struct Claims {
  std::mutex mutex;
  std::uint64_t made = 0;
  std::map<std::uint64_t, Claim> oldest_first;
};

Claims& claims() {
  static Claims all;
  return all;
}

bool has_owner(FileSystem& files, const std::string& checkpoint) {
  return files.info(checkpoint + "/" + std::string(kOwnerFile)).ok();
}

/// Those before `environment`'s channel that could take over the same folders of Flume's.
std::vector<Claim> claims_before(const Environment& environment, const std::string& checkpoint_of_flume) {
  Claims& all = claims();
  std::lock_guard lock(all.mutex);
  std::vector<Claim> found;
  for (const auto& [number, claim] : all.oldest_first) {
    if (claim.agent == environment.agent && claim.channel == environment.component) break;
    if (claim.files == &environment.files && claim.checkpoint_of_flume == checkpoint_of_flume) found.push_back(claim);
  }
  return found;
}

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
  if (has_owner(files, configured.checkpoint)) return configured;
  Folders own = configured;
  own.defaults_of_flume.clear();  // they are another channel's
  TRY_ASSIGN(const auto owner, owner_of(files, flume.checkpoint));
  if (owner) {
    if (owner->agent == environment.agent && owner->channel == environment.component) return flume;
    return own;
  }
  TRY_ASSIGN(const bool flumes, has_files_of_flume(files, flume));
  if (!flumes) return configured;
  const std::vector<Claim> before = claims_before(environment, flume.checkpoint);
  const auto lives_elsewhere = [&files](const Claim& claim) { return has_owner(files, claim.checkpoint); };
  return std::all_of(before.begin(), before.end(), lives_elsewhere) ? flume : own;
}

DefaultFoldersClaim::DefaultFoldersClaim(const Folders& configured, const Environment& environment) {
  if (!configured.all_default) return;
  std::lock_guard lock(claims().mutex);
  number_ = ++claims().made;
  claims().oldest_first.emplace(number_, Claim{&environment.files, environment.agent, environment.component,
                                               configured.checkpoint, configured.defaults_of_flume[0]});
}

DefaultFoldersClaim::~DefaultFoldersClaim() {
  std::lock_guard lock(claims().mutex);
  claims().oldest_first.erase(number_);
}

}  // namespace standpipe::file_channel

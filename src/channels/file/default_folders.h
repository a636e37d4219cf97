#pragma once

#include <cstdint>

#include "channels/file/recovery.h"
#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe::file_channel {

/// Where the channel lives: the folders that were configured; where there are none, folders of its own, or those that
/// Flume uses by default, when Flume's events are in them or were taken over by this channel. What is on disk decides,
/// so a channel stays where it is when others come. Of several that could take over the same, the one whose
/// DefaultFoldersClaim is the oldest does.
Result<Folders> choose_folders(const Folders& configured, Environment& environment);

/// A channel's place in the row, from when it is made until it ends: channels are made in the order of the
/// configuration, and start side by side. Thread-safe.
class DefaultFoldersClaim {
 public:
  DefaultFoldersClaim(const Folders& configured, const Environment& environment);
  DefaultFoldersClaim(const DefaultFoldersClaim&) = delete;
  DefaultFoldersClaim& operator=(const DefaultFoldersClaim&) = delete;
  ~DefaultFoldersClaim();

 private:
  std::uint64_t number_ = 0;  // 0: folders are configured
};

}  // namespace standpipe::file_channel

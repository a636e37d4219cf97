#pragma once

#include "channels/file/recovery.h"
#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe::file_channel {

/// Where the channel lives: the folders that were configured; where there are none, folders of its own, or those that
/// Flume uses by default, when Flume's events are in them or were taken over by this channel. What is on disk decides,
/// so a channel stays where it is when others come.
Result<Folders> choose_folders(const Folders& configured, Environment& environment);

}  // namespace standpipe::file_channel

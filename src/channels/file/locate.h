#pragma once

#include <span>
#include <string>

#include "channels/file/recovery.h"
#include "io/file_system.h"
#include "standpipe/status.h"

namespace standpipe::file_channel {

/// A channel's folders from what an operator names: its checkpointDir and all of its dataDirs, in any order, or folders
/// that hold these. What is in a folder says which it is. Code::invalid: a folder is none of it, or one is missing.
/// Locks and changes nothing.
Result<Folders> locate_folders(FileSystem& files, std::span<const std::string> named);

}  // namespace standpipe::file_channel

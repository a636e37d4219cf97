#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "channels/file/flume/log_reader.h"
#include "io/file_system.h"
#include "standpipe/environment.h"

namespace standpipe::file_channel::flume {

/// Where a channel of Flume's lives.
struct Directories {
  std::string checkpoint;
  std::vector<std::string> data;
  std::string backup_checkpoint;  ///< empty: none
};

/// What Flume would deliver, in order; eight bytes an event.
struct Backlog {
  std::map<std::uint32_t, LogFile> logs;  ///< by id
  std::deque<Pointer> waiting;
  std::string source;  ///< "the checkpoint", "the backup checkpoint", "all logs"
};

/// Finds out what waits, as Flume 1.9 to 1.11 do at a start: from the checkpoint and what the logs say since; where
/// there is no good one, from all logs. Reads only. Code::invalid: refused (encrypted, of an older format, a log is
/// missing); Code::corrupt: damaged in a way that would lose events unseen. The message names file, offset and way out.
Result<Backlog> read_backlog(FileSystem& files, Log& log, const Directories& directories);

}  // namespace standpipe::file_channel::flume

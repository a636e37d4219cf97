#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "channels/file/directory_guard.h"
#include "channels/file/encryption.h"
#include "channels/file/flume/take_over.h"
#include "channels/file/interval_set.h"
#include "channels/file/segment.h"
#include "standpipe/environment.h"

namespace standpipe::file_channel {

/// Where a channel lives.
struct Folders {
  std::string checkpoint;
  std::vector<std::string> data;
  /// Where Flume would keep the channel's events, as no folders are given; empty: they are.
  std::vector<std::string> defaults_of_flume = {};
  bool all_default = false;  ///< no folder is given
};

/// How a channel of Flume's in the folders is taken over.
struct FromFlume {
  std::string backup_checkpoint;  ///< where it kept a second checkpoint; empty: nowhere
  flume::TakeOverOptions options;
};

/// What stands in a channel's folders: locked, checked, tails cut. Nothing else was changed.
struct Recovered {
  std::vector<DirectoryGuard> guards;
  std::uint64_t channel_id = 0;
  std::uint64_t generation = 0;  ///< the newest that was found; 0: none
  std::uint64_t next = 0;        ///< no number at or above it was ever used
  std::uint64_t next_segment = 1;
  IntervalSet gone;
  std::vector<Range> lost;                     ///< of these: not taken as far as is known, and nowhere
  std::vector<std::vector<Segment>> segments;  ///< of each data folder
  flume::TakenOver taken_over;                 ///< from Flume, by this call
};

/// Opens the folders, made and claimed when new. Reads the list of segments, the last one of each folder, and what says
/// which events are gone: its time does not depend on how many events wait. Refuses (and leaves untouched) what belongs
/// to somebody else or to a newer version, or holds events encrypted with a key that is not in the ring. Folders of a
/// channel of Flume's are taken over, which takes as long as it takes to copy its events; without `from_flume` they are
/// refused too.
Result<Recovered> recover(const Folders& folders, const KeyRing& keys, Environment& environment,
                          const FromFlume* from_flume);

}  // namespace standpipe::file_channel

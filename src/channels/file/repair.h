#pragma once

#include <string>
#include <vector>

#include "channels/file/inspection.h"
#include "standpipe/environment.h"

namespace standpipe::file_channel {

/// What repair() did, a line each; empty: there was nothing to do.
struct Repaired {
  std::vector<std::string> done;
  Inspection before;
};

/// Makes a channel's folders whole: what is damaged is copied to damaged/, what nobody can read any more is blanked or
/// noted as gone, a torn tail is cut, a new snapshot is taken. Bytes of events that check are never touched. Locks the
/// folders for as long as it takes. Code::unavailable: somebody else has them, and nothing was changed. Doing it again
/// changes nothing.
Result<Repaired> repair(Environment& environment, const Folders& folders);

}  // namespace standpipe::file_channel

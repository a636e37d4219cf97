#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Takes lines over TCP and answers each with OK or FAILED: for a person with telnet, and for simple clients.
/// OK means that every required channel has stored the line as durably as it promises. What arrived together is handed
/// over together; a connection is not read while its hand-overs wait, so a full channel slows its clients down.
/// Lives on the network loop. At stop, lines that were handed over are still answered, for half a second at most.
extern const SourceFactory kNetcatSource;

}  // namespace standpipe

#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Runs a command and makes an event of each line that it prints, for as long as it runs, or again and again.
/// Guarantees: order; what finds no room in a channel is kept and tried again while the command waits at its full pipe.
/// A command can't be asked to repeat itself, so what it printed last is lost when the agent is killed.
/// The command and all that it started end with the source: SIGTERM to its process group, SIGKILL two seconds later.
extern const SourceFactory kExecSource;

}  // namespace standpipe

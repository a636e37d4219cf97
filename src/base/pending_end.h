#pragma once

namespace standpipe {

/// Whether SIGTERM or SIGINT waits to be taken, or was. An agent blocks both in every thread and takes them where it
/// waits (SignalWait); whoever has to wait for something else for long asks here and gives up.
bool end_is_pending();

/// The signal has been taken and the process ends: end_is_pending() from now on.
void announce_end();

}  // namespace standpipe

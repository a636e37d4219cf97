#pragma once

namespace standpipe {

/// Whether SIGTERM or SIGINT waits to be taken. An agent blocks both in every thread and takes them where it waits
/// (SignalWait); whoever has to wait for something else for long asks here and gives up.
bool end_is_pending();

}  // namespace standpipe

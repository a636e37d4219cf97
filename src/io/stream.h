#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "standpipe/status.h"

namespace standpipe {

/// All that comes out of a pipe, FIFO or terminal until its other end closes. Code::timeout at `deadline`,
/// Code::invalid beyond `max_bytes`, Code::stopped when the process is to end (end_is_pending). Blocks; any thread.
Result<std::string> read_stream(int descriptor, std::chrono::steady_clock::time_point deadline, std::size_t max_bytes);

/// Waits until the descriptor can be read, in steps short enough for a signal: ok, Code::timeout or Code::stopped.
Status wait_readable(int descriptor, std::chrono::steady_clock::time_point deadline);

}  // namespace standpipe

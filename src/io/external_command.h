#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "standpipe/status.h"

namespace standpipe {

/// Runs a program (found through PATH, no shell) and returns all that it wrote to its standard output. A failure says
/// why: it can't be started, a non-zero exit, more than 1 MiB of output, longer than `limit`, or the end of this
/// process is pending. In the last three cases it is killed with all that it started and that stayed in its process
/// group.
Result<std::string> run_external_command(const std::vector<std::string>& command,
                                         std::chrono::milliseconds limit = std::chrono::seconds(60));

}  // namespace standpipe

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "standpipe/batch.h"

namespace standpipe {

/// An event as Flume's logger sink prints it: `{ headers:{k=v, k2=v2} body: 48 65 6C 6C 6F … Hello }`.
/// Headers come in the order in which a java.util.HashMap that was filled by name would list them, so that logs can be
/// compared line by line. The dump shows the first `max_bytes` bytes of the body, 16 to a line; lines after the first
/// start with their offset.
std::vector<std::string> event_lines(const EventRef& event, std::size_t max_bytes);

}  // namespace standpipe

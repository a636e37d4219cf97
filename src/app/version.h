#pragma once

#include <string>

namespace standpipe {

/// Version, revision, and the libraries that are built in.
std::string version_text();

/// The five lines that `flume-ng version` prints, in Flume's shape.
std::string flume_version_text();

}  // namespace standpipe

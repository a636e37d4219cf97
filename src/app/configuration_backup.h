#pragma once

#include <string>

#include "config/load.h"
#include "standpipe/status.h"

namespace standpipe {

/// -b/--backup-directory, as in Flume: the properties that run, placeholders replaced, in
/// <directory>/.<agent>.properties. It holds secrets, and so only its owner may read it. Replaced as a whole.
Status store_backup(const std::string& directory, const std::string& agent, const Configuration& configuration);

/// What store_backup() wrote, for a start at which nothing else can be read. Code::not_found: there is none.
Result<ConfigText> read_backup(const std::string& directory, const std::string& agent);

}  // namespace standpipe

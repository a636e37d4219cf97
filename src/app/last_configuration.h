#pragma once

#include <span>
#include <string>

#include "config/load.h"
#include "standpipe/status.h"

namespace standpipe {

/// The configuration from ZooKeeper that ran last, in <state folder>/last-configuration.properties: the text as it was
/// read, placeholders and all. Only its owner may read it. Replaced as a whole, and only by another text.
Status store_last_configuration(const std::string& state_root, std::span<const ConfigText> texts);

/// What store_last_configuration() wrote, for a start at which ZooKeeper does not answer. Code::not_found: there is
/// none.
Result<ConfigText> read_last_configuration(const std::string& state_root);

}  // namespace standpipe

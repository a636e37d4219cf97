#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace standpipe {

using Properties = std::map<std::string, std::string, std::less<>>;

/// What -Dflume.root.logger=LEVEL,TARGET… (with flume.log.dir, flume.log.file) and the 1.11 form (flume.log.level,
/// flume.log.to) ask for. TARGET console: standard error; LOGFILE or DAILY: the file. Without any: INFO to standard
/// error. Words that are neither level nor target are named in `problems`.
LogTarget log_target(const Properties& properties, std::vector<std::string>& problems);

/// Whether -Dkey=true was given.
bool is_on(const Properties& properties, std::string_view key);

/// One line for each -Dflume.*, log4j or monitoring property that has no effect here, with what to use instead.
std::vector<std::string> ignored_properties(const Properties& properties);

}  // namespace standpipe

#pragma once

#include "rpc/thrift/wire.h"
#include "standpipe/environment.h"
#include "standpipe/settings.h"

namespace standpipe::thrift {

/// What the option `protocol` means, which is what Flume makes of it: `binary` in lower case only, else compact. Says
/// so in the log where that may surprise.
Protocol protocol_of(const Settings& settings, Log& log);

}  // namespace standpipe::thrift

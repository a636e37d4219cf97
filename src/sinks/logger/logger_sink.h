#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Writes each event to the agent's own log at INFO, as Flume's logger sink does: for looking at a flow.
/// An event counts as delivered when its line was handed to the log.
extern const SinkFactory kLoggerSink;

}  // namespace standpipe

#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Flume's file_roll sink: events go into one file in a local folder, a new one every sink.rollInterval. A lease is
/// committed when its bytes were handed to the operating system, or with sink.fsync when they are on the disk; several
/// leases share one write and one sync. What a failed write left is cut away before the events are written again, so
/// that a file never holds half an event. No file is ever overwritten.
extern const ComponentInfo kFileRollSinkInfo;
extern const SinkFactory kFileRollSink;

}  // namespace standpipe

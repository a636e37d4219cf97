#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Takes events by Avro RPC from Flume's and our own Avro sinks, from avro-client and from Flume's Java clients.
/// A request is answered OK after every required channel has stored its events as durably as it promises, in the order
/// of the requests of a connection; a connection is not read while four of its requests wait, so a full channel slows
/// its clients down. Lives on the network loop. At stop, what was handed over is answered for half a second at most.
extern const SourceFactory kAvroSource;

}  // namespace standpipe

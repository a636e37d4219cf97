#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Takes events by Thrift RPC from Flume's and our own Thrift sinks and from Flume's Java Thrift client. A request is
/// answered OK after every required channel has stored its events as durably as it promises, in the order of the
/// requests of a connection; a connection is not read while four of its requests wait, so a full channel slows its
/// clients down. Lives on the network loop. At stop, what was handed over is answered for half a second at most.
extern const SourceFactory kThriftSource;

}  // namespace standpipe

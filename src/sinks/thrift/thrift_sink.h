#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Sends events by Thrift RPC to a Thrift source, of Flume's or of ours. A lease is committed after the receiver has
/// answered OK for exactly its events; whatever else happens, it goes back to the channel, and its events may then come
/// twice at the receiver. Flume gets one request at a time; a receiver of our own kind as many as the two have agreed
/// on. No turn waits for the network: answers wake the next one.
extern const SinkFactory kThriftSink;

}  // namespace standpipe

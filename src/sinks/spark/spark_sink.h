#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Listens for receivers of Spark Streaming, which pull: a receiver asks for events, stores what it gets and
/// acknowledges it. Each batch that is handed out is a lease; it is committed by the acknowledgement of its number,
/// over whatever connection that comes, and before it is answered. A batch that is refused, not acknowledged within
/// `timeout` or not even sent goes back to the channel. No turn waits for the network: requests wake the next one.
extern const SinkFactory kSparkSink;

}  // namespace standpipe

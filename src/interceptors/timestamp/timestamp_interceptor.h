#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Sets a header to the time at which the batch came in, in milliseconds since 1970. The clock is read once per batch,
/// so the events of one batch carry the same time and go on sharing their header blocks. Thread-safe; no state.
extern const InterceptorFactory kTimestampInterceptor;

}  // namespace standpipe

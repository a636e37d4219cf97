#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Sets a header to a random UUID (version 4), a different one for each event. Random bytes come from the kernel, for
/// many events at once. Thread-safe.
extern const InterceptorFactory kUuidInterceptor;

}  // namespace standpipe

#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Sets a header to this machine's address or name, which is looked up once per process, with the first batch.
/// Thread-safe; its value never changes after that.
extern const InterceptorFactory kHostInterceptor;

}  // namespace standpipe

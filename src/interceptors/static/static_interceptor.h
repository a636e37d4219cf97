#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Sets one header to one value, once per header block of a batch. Thread-safe; no state.
extern const InterceptorFactory kStaticInterceptor;

}  // namespace standpipe

#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Removes headers by name, by a list of names or by a pattern that the whole name must match; once per header block of
/// a batch. Thread-safe; no state.
extern const InterceptorFactory kRemoveHeaderInterceptor;

}  // namespace standpipe

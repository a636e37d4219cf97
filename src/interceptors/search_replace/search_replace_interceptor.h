#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Replaces what a pattern finds in bodies. A body in which it finds nothing stays untouched, byte for byte, also when
/// it is no text at all. A pattern that runs away on a body leaves that body as it is; the counter RegexGaveUpCount
/// tells how often. Thread-safe; no state.
extern const InterceptorFactory kSearchReplaceInterceptor;

}  // namespace standpipe

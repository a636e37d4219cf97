#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Keeps the events in whose body a pattern is found, or drops them with excludeEvents. An event on which the pattern
/// runs away is kept, whatever excludeEvents says; the counter RegexGaveUpCount tells how often, EventFilteredCount how
/// many events were dropped. Thread-safe; no state.
extern const InterceptorFactory kRegexFilterInterceptor;

}  // namespace standpipe

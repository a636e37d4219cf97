#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Puts the groups of a pattern's first match in the body into headers, through a serializer each. Events of a batch
/// with equal results share a header block. A group that took no part, or whose text its serializer can't read, sets no
/// header; no match leaves the event as it is. Counters: RegexGaveUpCount (the pattern ran away), SerializeFailCount (a
/// text that was no date). Thread-safe; no state.
extern const InterceptorFactory kRegexExtractorInterceptor;

}  // namespace standpipe

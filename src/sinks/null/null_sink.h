#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Discards what it takes and says so now and then: for measuring a flow, or draining a channel on purpose.
/// An event counts as delivered when it was taken; every `logEveryNEvents` events one line tells the total.
extern const SinkFactory kNullSink;

}  // namespace standpipe

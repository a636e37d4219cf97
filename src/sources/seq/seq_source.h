#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Makes events whose bodies are the numbers 0, 1, 2 …: for tests that must see that nothing is lost or out of order.
/// Every number is stored once: what finds no room is tried again before the next one. A restart of the agent begins
/// with 0.
extern const SourceFactory kSeqSource;

}  // namespace standpipe

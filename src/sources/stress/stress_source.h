#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Makes equal events as fast as the channels take them, or at a given rate: a load for measuring what comes behind it.
/// Events that find no room are counted as failed and not tried again.
extern const SourceFactory kStressSource;

}  // namespace standpipe

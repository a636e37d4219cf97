#pragma once

#include "config/load.h"

namespace standpipe {

/// Makes every component of a configuration once, as a start would, and throws it away. What only the component itself
/// can judge (options that exclude each other, a codec that nobody knows) becomes a diagnostic; the sources and sinks
/// at fault leave the graph, as they will at the start. Starts nothing and touches nothing outside the process.
void try_components(Configuration& configuration);

}  // namespace standpipe

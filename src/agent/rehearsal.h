#pragma once

#include "config/load.h"

namespace standpipe {

/// Makes every component of a configuration and lets it go again, for `check`: what a component alone can judge about
/// its settings (a scheme that is not built, options that exclude each other) becomes a diagnostic, and the component
/// leaves its graph as it would leave the agent. Starts nothing and touches nothing outside the process.
void rehearse(Configuration& configuration);

}  // namespace standpipe

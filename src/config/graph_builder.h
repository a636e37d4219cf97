#pragma once

#include "config/agent_text.h"
#include "config/catalog.h"
#include "config/diagnostic.h"
#include "config/graph.h"

namespace standpipe {

/// From what the file says about one agent to what can run of it. What is defective is left out with a diagnostic; what
/// depends on it follows.
AgentGraph build_graph(const AgentText& text, const Catalog& catalog, Diagnostics& diagnostics);

}  // namespace standpipe

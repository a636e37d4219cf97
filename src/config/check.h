#pragma once

#include <string>
#include <string_view>

#include "config/diagnostic.h"
#include "config/graph.h"

namespace standpipe {

/// One diagnostic as an editor and a person read it:
///   flume.conf:12: error: a1.sinks.k1.type: 'loger' is no known sink [unknown-type]
///       did you mean 'logger'?
///       -> sink k1 is left out
std::string render(const Diagnostic& diagnostic);
/// All of them, and a last line that counts them ("2 errors, 1 warning").
std::string render(const Diagnostics& diagnostics);

/// The agent's flow as a picture in text: sources -> channels -> sinks, with types, selectors, interceptors and groups,
/// and below it the reliability level of each source's way to each sink, with the hop that weakens it.
std::string render_flow(const AgentGraph& graph);

/// 0: fine. 1: warnings, and `strict`. 2: errors. Notes never count.
int exit_code(const Diagnostics& diagnostics, bool strict);

}  // namespace standpipe

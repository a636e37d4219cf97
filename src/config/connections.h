#pragma once

#include <map>
#include <set>
#include <string>

#include "config/agent_text.h"
#include "config/diagnostic.h"
#include "config/graph.h"

namespace standpipe {

/// Who is connected to whom by the words of the file, whether or not it can run.
struct Wiring {
  std::map<std::string, const ComponentText*, std::less<>> channels;  ///< every declared channel
  std::map<std::string, const ComponentText*, std::less<>> sources;
  std::map<std::string, const ComponentText*, std::less<>> sinks;
  std::set<std::string, std::less<>> written;  ///< channels that a source names
  std::set<std::string, std::less<>> read;     ///< channels that a sink names
};

/// What only the whole graph shows: channels that nobody writes or reads (those with neither are taken out), batches
/// above their channel's transactionCapacity, capacities below it.
void check_connections(AgentGraph& graph, const Wiring& wiring, Diagnostics& diagnostics);

}  // namespace standpipe

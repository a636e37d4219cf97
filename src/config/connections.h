#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/agent_text.h"
#include "config/diagnostic.h"
#include "config/graph.h"

namespace standpipe {

/// One declared component by the words of the file, whether or not it can run.
struct Wired {
  const ComponentText* text = nullptr;
  std::optional<ComponentNode> node;  ///< with its settings; nothing: its type is unknown
  std::vector<std::string> channels;  ///< the channels that a source or sink names
};
using WiredMap = std::map<std::string, Wired, std::less<>>;

/// Who is connected to whom by the words of the file.
struct Wiring {
  WiredMap channels;
  WiredMap sources;
  WiredMap sinks;
  std::set<std::string, std::less<>> written;  ///< channels that a source names
  std::set<std::string, std::less<>> read;     ///< channels that a sink names

  /// Whether a channel is declared, and so can be missing from the graph only because it is defective. `missing` are
  /// the listed components without properties ("channels.c1").
  bool is_left_out(std::string_view channel, const std::set<std::string, std::less<>>& missing) const;
};

/// What only the whole graph shows: channels that nobody writes or reads (those with neither are taken out), batches
/// above their channel's transactionCapacity, capacities below it. Numbers are compared for components that are left
/// out, too: a user repairs a file in one go.
void check_connections(AgentGraph& graph, const Wiring& wiring, Diagnostics& diagnostics);

}  // namespace standpipe

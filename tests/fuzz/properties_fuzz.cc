// The whole way from bytes to a graph and its rendering: nothing that a file holds may crash, hang or exhaust the
// checker; what the parser read must survive being written and read again; whatever the file says, a graph mentions
// nothing that it does not hold.

#include <cstdint>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "config/check.h"
#include "config/known/known.h"
#include "config/load.h"
#include "config/properties.h"
#include "config/test_catalog.h"

using namespace standpipe;

namespace {

/// The components of config's own tests, which stand for all that are built, and Flume's that are not.
const Catalog& catalog() {
  static const std::vector<const ComponentInfo*> kAll = [] {
    std::vector<const ComponentInfo*> all(std::begin(config_test::kInfos), std::end(config_test::kInfos));
    all.insert(all.end(), known_components().begin(), known_components().end());
    return all;
  }();
  static const Catalog kCatalog(kAll);
  return kCatalog;
}

void check_component(const ComponentNode& node) {
  CHECK(!node.name.empty() && node.info != nullptr && node.info->built);
}

template <class Node>
void check_names(const std::vector<Node>& nodes) {
  std::set<std::string_view> names;
  for (const Node& node : nodes) {
    check_component(node);
    CHECK(names.insert(node.name).second);
  }
}

void check_groups(const AgentGraph& graph) {
  std::set<std::string_view> taken;
  for (const GroupNode& group : graph.groups) {
    CHECK(!group.sinks.empty());
    for (const std::string& sink : group.sinks) {
      CHECK(graph.sink(sink) != nullptr && graph.group_of(sink) == &group);
      CHECK(taken.insert(sink).second);
    }
  }
}

void check_graph(const AgentGraph& graph) {
  check_names(graph.channels);
  check_names(graph.sources);
  check_names(graph.sinks);
  check_names(graph.groups);
  for (const SourceNode& source : graph.sources) {
    CHECK(!source.channels.empty() && source.selector.info != nullptr);
    for (const std::string& channel : source.channels) CHECK(graph.channel(channel) != nullptr);
    for (const InterceptorNode& interceptor : source.interceptors) check_component(interceptor);
  }
  for (const SinkNode& sink : graph.sinks) CHECK(graph.channel(sink.channel) != nullptr);
  check_groups(graph);
}

void check_lines(std::string_view bytes) {
  Diagnostics diagnostics;
  for (const PropertyLine& line : parse_properties(bytes, 0, "fuzz", diagnostics)) {
    CHECK(line.first_line >= 1 && line.last_line >= line.first_line);
    Diagnostics none;
    const auto again = parse_properties(format_property(line.key, line.value), 0, "again", none);
    CHECK(again.size() == 1 && again[0].key == line.key && again[0].value == line.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_lines(bytes);
  const ConfigText text{"fuzz", std::string(bytes)};
  const Configuration loaded = load_configuration({&text, 1}, catalog(), {});
  for (const AgentGraph& graph : loaded.agents) {
    check_graph(graph);
    render_flow(graph);
  }
  for (const Diagnostic& found : loaded.diagnostics) CHECK(!found.message.empty());
  render(loaded.diagnostics);
  return 0;
}

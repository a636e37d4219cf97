#include "config/graph.h"

#include <algorithm>

namespace standpipe {

namespace {

template <typename Node>
const Node* find_node(const std::vector<Node>& nodes, std::string_view wanted) {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.name == wanted; });
  return found == nodes.end() ? nullptr : &*found;
}

}  // namespace

const ChannelNode* AgentGraph::channel(std::string_view wanted) const { return find_node(channels, wanted); }
const SourceNode* AgentGraph::source(std::string_view wanted) const { return find_node(sources, wanted); }
const SinkNode* AgentGraph::sink(std::string_view wanted) const { return find_node(sinks, wanted); }

const GroupNode* AgentGraph::group_of(std::string_view sink) const {
  for (const GroupNode& group : groups) {
    if (std::find(group.sinks.begin(), group.sinks.end(), sink) != group.sinks.end()) return &group;
  }
  return nullptr;
}

bool same_component(const ComponentNode& a, const ComponentNode& b) {
  return a.name == b.name && a.info == b.info && a.settings.values() == b.settings.values();
}

bool same_component(const SourceNode& a, const SourceNode& b) {
  const auto same = [](const ComponentNode& x, const ComponentNode& y) { return same_component(x, y); };
  return same(a, b) && a.channels == b.channels && a.backoff_increment == b.backoff_increment &&
         a.max_backoff == b.max_backoff && same(a.selector, b.selector) &&
         std::equal(a.interceptors.begin(), a.interceptors.end(), b.interceptors.begin(), b.interceptors.end(), same);
}

bool same_component(const SinkNode& a, const SinkNode& b) {
  return same_component(static_cast<const ComponentNode&>(a), static_cast<const ComponentNode&>(b)) &&
         a.channel == b.channel && a.quarantine == b.quarantine;
}

bool same_component(const GroupNode& a, const GroupNode& b) {
  return same_component(static_cast<const ComponentNode&>(a), static_cast<const ComponentNode&>(b)) &&
         a.sinks == b.sinks;
}

}  // namespace standpipe

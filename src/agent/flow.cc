#include "agent/flow.h"

#include <fmt/format.h>

#include "agent/builtin.h"
#include "base/check.h"
#include "core/quarantine.h"

namespace standpipe {

namespace {

ChannelRunner& channel_of(const FlowBuilder::Channels& channels, std::string_view name) {
  const auto found = channels.find(name);
  CHECK(found != channels.end());  // the graph is checked
  return *found->second;
}

ChannelGates gates_of(const FlowBuilder::Channels& channels, const std::vector<std::string>& names) {
  ChannelGates gates;
  for (const std::string& name : names) gates.push_back(channel_of(channels, name).gate());
  return gates;
}

/// What a failure is about, where the configuration says so: "flume.conf:12: source r1: ".
std::string about(const ComponentNode& node, std::string_view kind) {
  const std::string place = node.file.empty() ? std::string() : fmt::format("{}:{}: ", node.file, node.line);
  return fmt::format("{}{} {}: ", place, kind, node.name);
}

}  // namespace

Result<RunningChannel> FlowBuilder::make_channel(const ChannelNode& node) const {
  const ChannelFactory* factory = find_channel_factory(*node.info);
  CHECK(factory != nullptr);
  RunningChannel running;
  running.node = node;
  running.world = std::make_shared<ComponentWorld>(process_, agent_, "channel", node.name);
  auto channel = factory->create(node.settings, running.world->environment());
  if (!channel.ok()) return channel.status().with_context(about(node, "channel"));
  struct InItsWorld {
    std::shared_ptr<ComponentWorld> world;
    std::unique_ptr<Channel> channel;
  };
  const auto both = std::make_shared<InItsWorld>(InItsWorld{running.world, std::move(channel).value()});
  running.made = std::make_unique<ChannelRunner>(node.name, std::shared_ptr<Channel>(both, both->channel.get()),
                                                 running.world->environment());
  running.runner = running.made.get();
  return running;
}

Result<IngestPlan> FlowBuilder::make_plan(const SourceNode& node, Environment& environment,
                                          const Channels& channels) const {
  IngestPlan plan;
  for (const InterceptorNode& interceptor : node.interceptors) {
    const InterceptorFactory* factory = find_interceptor_factory(*interceptor.info);
    CHECK(factory != nullptr);
    auto made = factory->create(interceptor.settings, environment);
    if (!made.ok())
      return made.status().with_context(about(node, "source") + fmt::format("interceptor {}: ", interceptor.name));
    plan.interceptors.push_back(std::move(made).value());
  }
  for (const std::string& name : node.channels) plan.channels.push_back(channel_of(channels, name).named());
  if (node.selector.info == nullptr) {
    plan.selector = make_replicating_selector(node.channels.size());
    return plan;
  }
  auto selector = make_selector(node.selector.settings, node.channels, environment);
  if (!selector.ok()) return selector.status().with_context(about(node, "source") + "selector: ");
  plan.selector = std::move(selector).value();
  return plan;
}

Result<RunningSource> FlowBuilder::make_source(const SourceNode& node, const Channels& channels) const {
  const SourceFactory* factory = find_source_factory(*node.info);
  CHECK(factory != nullptr);
  RunningSource running;
  running.node = node;
  running.world = std::make_shared<ComponentWorld>(process_, agent_, "source", node.name);
  Environment& environment = running.world->environment();
  auto source = factory->create(node.settings, environment);
  if (!source.ok()) return source.status().with_context(about(node, "source"));
  TRY_ASSIGN(IngestPlan plan, make_plan(node, environment, channels));
  running.ingest = std::make_shared<SourceIngest>(environment, process_.engine, std::move(plan));
  running.ingest->keep(running.world);
  running.made = std::make_unique<SourceRunner>(node.name, std::move(source).value(), running.ingest, environment,
                                                gates_of(channels, node.channels));
  running.runner = running.made.get();
  return running;
}

Result<std::unique_ptr<GroupMember>> FlowBuilder::make_member(const SinkNode& node, ComponentWorld& world,
                                                              const Channels& channels) const {
  const SinkFactory* factory = find_sink_factory(*node.info);
  CHECK(factory != nullptr);
  if (node.quarantine) world.set_quarantine(std::make_unique<DeadLetterFile>(world.environment()));
  auto sink = factory->create(node.settings, world.environment());
  if (!sink.ok()) return sink.status().with_context(about(node, "sink"));
  return std::make_unique<GroupMember>(node.name, std::move(sink).value(), channel_of(channels, node.channel).named(),
                                       world.environment());
}

Result<RunningSinks> FlowBuilder::make_sinks(const SinkUnit& unit, const Channels& channels) const {
  const GroupNode& group = unit.group;
  RunningSinks running;
  running.unit = unit;
  GroupMembers members;
  std::vector<std::string> used;
  for (const SinkNode& node : unit.sinks) {
    running.worlds.push_back(std::make_unique<ComponentWorld>(process_, agent_, "sink", node.name));
    TRY_ASSIGN(std::unique_ptr<GroupMember> member, make_member(node, *running.worlds.back(), channels));
    members.push_back(std::move(member));
    used.push_back(node.channel);
  }
  const ChannelGates gates = gates_of(channels, used);
  if (group.info == nullptr) {
    running.made = std::make_unique<SinkRunner>(unit.name(), make_default_processor(std::move(members.front())),
                                                running.worlds.front()->environment(), gates);
    running.runner = running.made.get();
    return running;
  }
  running.group_world = std::make_unique<ComponentWorld>(process_, agent_, "sink group", group.name);
  Environment& environment = running.group_world->environment();
  auto processor = make_sink_processor(group.settings, std::move(members), environment.log, environment.clock);
  if (!processor.ok()) return processor.status().with_context(about(group, "sink group"));
  running.made = std::make_unique<SinkRunner>(unit.name(), std::move(processor).value(), environment, gates);
  running.runner = running.made.get();
  return running;
}

}  // namespace standpipe

#pragma once

#include <span>
#include <string_view>

#include "standpipe/component.h"

namespace standpipe {

/// Every component that this program can make. One readable list: builtin.cc.
const SourceFactory* find_source_factory(const ComponentInfo& info);
const ChannelFactory* find_channel_factory(const ComponentInfo& info);
const SinkFactory* find_sink_factory(const ComponentInfo& info);
const InterceptorFactory* find_interceptor_factory(const ComponentInfo& info);

/// The tables of all components: the built ones with their serializers and deserializers, the engine's selectors and
/// processors, and what Flume knows and this program does not build yet.
std::span<const ComponentInfo* const> all_components();

}  // namespace standpipe

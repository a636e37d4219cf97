#pragma once

#include <memory>

#include "standpipe/channel.h"
#include "standpipe/environment.h"
#include "standpipe/interceptor.h"
#include "standpipe/option.h"
#include "standpipe/settings.h"
#include "standpipe/sink.h"
#include "standpipe/source.h"
#include "standpipe/status.h"

namespace standpipe {

/// How a component is made: its table and one function that may fail (constructors can't). Settings are checked against
/// the table before; create() checks what a table can't say (two options that exclude each other, a pattern that does
/// not compile) and touches nothing outside the process: that is start()'s. `environment` outlives the component.
/// Each component's header declares one of these: `extern const SourceFactory kTaildirSource;`
template <typename Component>
struct Factory {
  const ComponentInfo* info;
  Result<std::unique_ptr<Component>> (*create)(const Settings& settings, Environment& environment);
};
using SourceFactory = Factory<Source>;
using ChannelFactory = Factory<Channel>;
using SinkFactory = Factory<Sink>;
using InterceptorFactory = Factory<Interceptor>;

}  // namespace standpipe

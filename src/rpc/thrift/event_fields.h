#pragma once

#include "rpc/thrift/wire.h"

/// The fields of Flume's ThriftFlumeEvent, and the parameters of its two methods.
namespace standpipe::thrift {

inline constexpr Field kHeaders{1, Type::map};
inline constexpr Field kBody{2, Type::string};
inline constexpr Field kEventArgument{1, Type::structure};
inline constexpr Field kEventsArgument{1, Type::list};

}  // namespace standpipe::thrift

#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "rpc/link.h"
#include "rpc/request.h"
#include "standpipe/environment.h"
#include "standpipe/settings.h"
#include "standpipe/sink.h"

namespace standpipe::rpc {

/// A protocol in which requests with events are sent and answered.
class SinkProtocol {
 public:
  virtual ~SinkProtocol() = default;
  virtual std::unique_ptr<Link> link(Network& network, std::function<void()> changed) const = 0;
  /// As many of the first events of a lease, which is not empty, as go into one request; one at least.
  virtual RequestExtent measure(const Lease& lease) const = 0;
  /// The request with those. Null slab: `budget` has no room, and `force` was not set.
  virtual EncodedRequest encode(const Lease& lease, const RequestExtent& extent, std::int32_t serial,
                                MemoryBudget& budget, bool force) const = 0;
};

/// A sink that sends to another agent, whatever the protocol: connects, fills the window, settles leases by their
/// answers, connects anew. A lease is committed after the receiver has answered OK for exactly its events; whatever
/// else happens, it goes back. No turn waits for the network: answers wake the next one. `settings` are of a table that
/// has the options of rpc::sink_options.
Result<std::unique_ptr<Sink>> make_sink(const Settings& settings, Environment& environment,
                                        std::unique_ptr<const SinkProtocol> protocol);

}  // namespace standpipe::rpc

#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "net/network.h"
#include "net/tls.h"
#include "rpc/link.h"

namespace standpipe::avro {

struct LinkOptions {
  ConnectOptions peer;
  unsigned window = 1;  ///< requests that we would like to have open, told to peers of our own kind
  std::optional<int> deflate_level = std::nullopt;  ///< the connection is compressed
  std::shared_ptr<const TlsContext> tls = nullptr;  ///< and encrypted
  bool deflate_outside_tls = true;                  ///< where it is both: what Flume 1.10 and 1.11 do
};

/// The client's end of a connection to an Avro source. The first request carries the handshake.
class Link : public rpc::Link {
 public:
  Link(Network& network, const LinkOptions& options, std::function<void()> changed);
};

}  // namespace standpipe::avro

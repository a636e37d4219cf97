#pragma once

#include <functional>
#include <memory>

#include "net/network.h"
#include "net/tls.h"
#include "rpc/link.h"
#include "rpc/thrift/wire.h"

namespace standpipe::thrift {

struct LinkOptions {
  ConnectOptions peer;
  Protocol protocol = Protocol::compact;
  unsigned window = 1;  ///< requests that we would like to have open; more than one: the peer is asked
  std::shared_ptr<const TlsContext> tls = nullptr;
};

/// The client's end of a connection to a Thrift source. In front of the first request goes a call that asks for a
/// window, by a method that only our own sources know (message.h).
class Link : public rpc::Link {
 public:
  Link(Network& network, const LinkOptions& options, std::function<void()> changed);
};

}  // namespace standpipe::thrift

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/rpc_server.h"
#include "support/thrift_client.h"

namespace standpipe::testing {

/// A Thrift source, as far as a sink notices. See RpcTestServer.
class ThriftTestServer final : public RpcTestServer {
 public:
  explicit ThriftTestServer(bool compact = true);
  ~ThriftTestServer();

 private:
  struct Request {
    std::uint32_t serial;
    std::string name;
    std::vector<SentEvent> events;
  };

  void serve(Peer& peer);
  /// Empty: it was no request for events, and is answered.
  std::optional<Request> read_request(Peer& peer);
  bool answer(Peer& peer, const Request& request);

  const ThriftBytes bytes_;
};

}  // namespace standpipe::testing

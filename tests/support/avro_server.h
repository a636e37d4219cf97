#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/avro_client.h"
#include "support/rpc_server.h"

namespace standpipe::testing {

/// An Avro source, as far as a sink notices. See RpcTestServer.
class AvroTestServer final : public RpcTestServer {
 public:
  AvroTestServer();
  ~AvroTestServer();

  /// Knows no protocol by its hash: the client must send its text.
  void forget_protocols();
  std::string text_of_client() const;  ///< the protocol that the last handshake brought along

 private:
  struct Request;
  class Reader;

  void serve(Peer& peer);
  Request read_request(Peer& peer, bool& established);
  bool answer(Peer& peer, const Request& request);

  bool forgetful_ = false;
  std::string text_of_client_;
};

}  // namespace standpipe::testing

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/sent_event.h"
#include "support/tcp_client.h"

namespace standpipe::testing {

/// A blocking client of a source that takes requests, whatever the protocol. Requests may be sent before earlier ones
/// are answered.
class RpcTestClient {
 public:
  explicit RpcTestClient(std::uint16_t port) : client_(port) {}
  virtual ~RpcTestClient() = default;

  /// Sends one request and reads its answer: "OK", "FAILED", "error …", or "" when the connection ended.
  std::string append(const SentEvent& event) { return client_.send(request(event)) ? answer() : ""; }
  std::string append_batch(const std::vector<SentEvent>& events) {
    return client_.send(request(events)) ? answer() : "";
  }
  /// The bytes of the next request, an append or an appendBatch.
  virtual std::string request(const SentEvent& event) = 0;
  virtual std::string request(const std::vector<SentEvent>& events) = 0;
  /// The next answer, which must be that of the oldest request without one.
  virtual std::string answer() = 0;

  TcpClient& raw() { return client_; }

 protected:
  TcpClient client_;
};

}  // namespace standpipe::testing

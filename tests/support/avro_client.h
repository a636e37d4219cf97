#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/sent_event.h"
#include "support/tcp_client.h"

namespace standpipe::testing {

/// Requests of an Avro client as bytes, written down from the protocol: nothing of the code under test is used.
namespace avro_bytes {
std::string number(std::int64_t value);
std::string text(std::string_view bytes);
std::string event(const SentEvent& event);
/// A handshake by Flume's hash; with `window`, as our own peers send it.
std::string handshake(unsigned window = 0);
std::string append(const SentEvent& event);
std::string append_batch(const std::vector<SentEvent>& events);
/// `buffer` bytes a buffer; 0: one buffer.
std::string frame(std::int32_t serial, std::string_view message, std::size_t buffer = 0);
}  // namespace avro_bytes

/// A blocking client of an Avro source.
class AvroTestClient {
 public:
  explicit AvroTestClient(std::uint16_t port, unsigned window = 0) : client_(port), window_(window) {}

  /// Sends one request and reads its answer: "OK", "FAILED", "error: …", or "" when the connection ended.
  std::string append(const SentEvent& event) { return call(avro_bytes::append(event)); }
  std::string append_batch(const std::vector<SentEvent>& events) { return call(avro_bytes::append_batch(events)); }
  /// Only sends, with the next serial.
  bool send(std::string_view call);
  /// The next answer, which must be that of the oldest request without one.
  std::string answer();
  TcpClient& raw() { return client_; }
  /// The window that the source granted in its first answer.
  const std::string& granted() const { return granted_; }

 private:
  std::string call(const std::string& message) { return send(message) ? answer() : ""; }
  TcpClient client_;
  const unsigned window_;
  std::int32_t sent_ = 0;
  std::int32_t answered_ = 0;
  std::string granted_;
};

}  // namespace standpipe::testing

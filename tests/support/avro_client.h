#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/rpc_client.h"
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

/// Reads one message's parts; a test's peer is trusted to be well-formed, and at() throws where it is not.
class AvroBytesReader {
 public:
  explicit AvroBytesReader(std::string bytes) : bytes_(std::move(bytes)) {}
  std::int64_t number();
  std::string raw(std::size_t size);
  std::string text() { return raw(static_cast<std::size_t>(number())); }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

/// A frame as it comes from a server. Empty message and serial 0: the connection has ended.
struct AvroAnswer {
  std::int32_t serial = 0;
  std::string message;
};
AvroAnswer read_avro_answer(TcpClient& client);

/// A client of an Avro source.
class AvroTestClient final : public RpcTestClient {
 public:
  explicit AvroTestClient(std::uint16_t port, unsigned window = 0) : RpcTestClient(port), window_(window) {}

  std::string request(const SentEvent& event) override { return next(avro_bytes::append(event)); }
  std::string request(const std::vector<SentEvent>& events) override { return next(avro_bytes::append_batch(events)); }
  std::string answer() override;
  /// The window that the source granted in its first answer.
  const std::string& granted() const { return granted_; }

 private:
  std::string next(std::string_view call);
  const unsigned window_;
  std::int32_t sent_ = 0;
  std::int32_t answered_ = 0;
  std::string granted_;
};

}  // namespace standpipe::testing

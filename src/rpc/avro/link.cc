#include "rpc/avro/link.h"

#include <algorithm>
#include <utility>

#include "net/deflated_connection.h"
#include "rpc/avro/event_encoder.h"
#include "rpc/avro/frame_reader.h"
#include "rpc/avro/message.h"

namespace standpipe::avro {

namespace {

// Answers are short; an error's text is the longest.
constexpr std::size_t kLargestAnswer = 256 * 1024;

std::string word(std::size_t size) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  return bytes;
}

/// One connection: the handshake, requests and answers.
class AvroDialect final : public rpc::Dialect {
 public:
  AvroDialect(Network& network, const LinkOptions& options) : network_(network), options_(options) {}

  std::unique_ptr<Connection> over(std::unique_ptr<Connection> connection) override {
    const auto deflate = [this](std::unique_ptr<Connection> below) {
      return deflated(std::move(below), {.level = *options_.deflate_level}, network_);
    };
    const bool outside = options_.deflate_outside_tls;
    if (options_.deflate_level && outside) connection = deflate(std::move(connection));
    if (options_.tls) connection = tls_client(std::move(connection), options_.tls, network_, options_.peer.host);
    if (options_.deflate_level && !outside) connection = deflate(std::move(connection));
    return connection;
  }

  void send(Connection& connection, std::int32_t serial, EncodedRequest request) override {
    if (greeted_) return connection.write(std::move(request.slab), request.bytes);
    first_ = std::move(request);
    first_serial_ = serial;
    greet(connection, {kSourceProtocolHash, {}, kSourceProtocolHash, options_.window});
  }

  Status hear(Connection& connection, StreamBuffer& buffer, Heard& heard) override {
    const Status scanned = frames_.scan(buffer);
    if (!scanned.ok()) return no_avro(scanned);
    if (!frames_.found()) return {};
    const StreamBuffer::Part part = frames_.take(buffer, messages_);
    for (const Message& message : messages_) TRY(take_answer(connection, message, heard));
    return {};
  }

  std::string_view hint() const override {
    if (first_.slab == nullptr) return "";  // nothing was asked yet, or it has answered
    return " before it answered: is it an avro source, and are ssl and compression-type as here? its log may tell";
  }

 private:
  /// The first request, or it again, behind a handshake: the call is not copied, it becomes the frame's second buffer.
  void greet(Connection& connection, const HandshakeRequest& handshake) {
    std::string front;
    put_handshake(front, handshake);
    const std::string_view call = first_.bytes.substr(kFrameHead);
    const auto serial = static_cast<std::uint32_t>(first_serial_);
    connection.write(word(serial) + word(2) + word(front.size()) + front + word(call.size()));
    connection.write(first_.slab, call);
  }

  /// Whoever speaks something else from the first byte on: that says more than the length that its bytes make up.
  Status no_avro(const Status& why) const {
    if (greeted_) return {Code::corrupt, "answers with " + why.message()};
    return {Code::corrupt, "does not answer in Avro: is it an avro source, and are ssl and compression-type as here?"};
  }

  Status take_answer(Connection& connection, const Message& message, Heard& heard) {
    DatumReader reader(message.bytes);
    if (!greeted_) {
      TRY(take_greeting(connection, reader, heard));
      if (!greeted_) return {};  // the request is on its way again
    }
    Status status = get_answer(reader);
    if (status.code() == Code::corrupt) return status;
    heard.answers.push_back({message.serial, std::move(status)});
    return {};
  }

  Status take_greeting(Connection& connection, DatumReader& reader, Heard& heard) {
    HandshakeResponse response;
    if (first_.slab == nullptr || !get_handshake(reader, response)) {
      return {Code::corrupt, "its answer is no answer of Avro's"};
    }
    if (response.match == HandshakeResponse::Match::none) return greet_again(connection, response);
    greeted_ = true;
    first_ = {};
    heard.window = std::clamp(response.window, 1u, std::max(1u, options_.window));
    return {};
  }

  Status greet_again(Connection& connection, const HandshakeResponse& response) {
    if (std::exchange(sent_text_, true)) return {Code::corrupt, "refuses Flume's Avro protocol"};
    greet(connection, {kSourceProtocolTextHash, kSourceProtocolText, response.server_hash.value_or(kSourceProtocolHash),
                       options_.window});
    return {};
  }

  Network& network_;
  const LinkOptions options_;
  FrameReader frames_{kLargestAnswer};
  std::vector<Message> messages_;
  EncodedRequest first_;  // until the handshake is done
  std::int32_t first_serial_ = 0;
  bool greeted_ = false;
  bool sent_text_ = false;
};

}  // namespace

Link::Link(Network& network, const LinkOptions& options, std::function<void()> changed)
    : rpc::Link(
          network, options.peer, [&network, options] { return std::make_unique<AvroDialect>(network, options); },
          std::move(changed)) {}

}  // namespace standpipe::avro

#include "rpc/avro/call_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "rpc/avro/message.h"

namespace standpipe::avro {

namespace {

constexpr std::size_t kLongestName = 100;  // of a method, in a message

Status no_call() { return {Code::corrupt, "a message that is no Avro request"}; }

}  // namespace

Status CallReader::take(StreamBuffer& buffer, std::vector<rpc::Request>& requests, bool& more) {
  Status scanned = frames_.scan(buffer);
  more = frames_.more();
  if (frames_.found()) {
    const StreamBuffer::Part part = frames_.take(buffer, service_.messages);
    for (const Message& message : service_.messages) requests.push_back({part.slab, message.bytes, message.serial});
  }
  return scanned;
}

Status CallReader::open(Call& call, std::string& reply) {
  if (!established_) TRY(shake_hands(call, reply));
  if (!established_) return {};
  if (!get_call(call.parameters, call.method)) return no_call();
  if (!call.method.empty()) return {};
  reply = call.front.empty() ? no_such_method(call) : framed(call.serial, call.front);  // a ping: the handshake is all
  return {};
}

Status CallReader::shake_hands(Call& call, std::string& reply) {
  HandshakeRequest request;
  if (!get_handshake(call.parameters, request)) return no_call();
  auto response = service_.clients.greet(request);
  if (!response.ok()) {
    put_handshake(call.front, HandshakeResponse{});
    put_error(call.front, response.status().message());
    reply = framed(call.serial, call.front);
    return response.status();
  }
  call.window = response->window = std::min(request.window, service_.widest_window);
  put_handshake(call.front, *response);
  established_ = response->match != HandshakeResponse::Match::none;
  if (!established_) reply = framed(call.serial, call.front);
  return {};
}

std::string_view CallReader::hint(std::string_view first_bytes) const {
  if (first_bytes.starts_with("\x16\x03")) return service_.tls_hint;
  const auto first = first_bytes.empty() ? 0u : static_cast<unsigned char>(first_bytes[0]);
  const auto second = first_bytes.size() < 2 ? 0u : static_cast<unsigned char>(first_bytes[1]);
  if (first == 0x78 && (first << 8 | second) % 31 == 0) return service_.deflate_hint;
  if (first_bytes.starts_with("GET") || first_bytes.starts_with("POS")) return "; it speaks HTTP";
  return {};
}

std::string no_such_method(const Call& call) {
  std::string message = call.front;
  put_error(message, fmt::format("no such method: {}", call.method.substr(0, kLongestName)));
  return framed(call.serial, message);
}

}  // namespace standpipe::avro

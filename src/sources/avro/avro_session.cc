#include "sources/avro/avro_session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "rpc/window.h"
#include "standpipe/counters.h"

namespace standpipe {

namespace {

using avro::HandshakeRequest;
using avro::HandshakeResponse;

constexpr std::size_t kLongestName = 100;  // of a method, in a message

Status no_call() { return {Code::corrupt, "a message that is no Avro request"}; }

/// What Flume answers with FAILED to append as well; anything else is an error of the call.
bool is_channel_failure(const Status& status) {
  return status.code() != Code::poison && status.code() != Code::invalid && status.code() != Code::corrupt;
}

}  // namespace

AvroShared::AvroShared(Environment& env, Ingest& target, std::size_t largest_request)
    : rpc::SessionShared(env, target),
      max_request(largest_request),
      append_received(env.counters.counter(counter_names::kAppendReceived)),
      append_accepted(env.counters.counter(counter_names::kAppendAccepted)),
      batch_received(env.counters.counter(counter_names::kAppendBatchReceived)),
      batch_accepted(env.counters.counter(counter_names::kAppendBatchAccepted)) {}

AvroSession::AvroSession(AvroShared& shared, std::unique_ptr<Connection> connection, Ended ended)
    : rpc::Session(shared, std::move(connection), std::move(ended)), shared_(shared), frames_(shared.max_request) {}

Status AvroSession::take_requests(StreamBuffer& buffer, std::vector<Request>& requests, bool& more) {
  Status scanned = frames_.scan(buffer);
  more = frames_.more();
  if (frames_.found()) {
    const StreamBuffer::Part part = frames_.take(buffer, shared_.messages);
    for (const avro::Message& message : shared_.messages) {
      requests.push_back({part.slab, message.bytes, message.serial});
    }
  }
  return scanned;
}

Status AvroSession::serve(const Request& request) {
  avro::DatumReader reader(request.bytes);
  std::string front;
  if (!established_) {
    bool goes_on = true;
    TRY(handshake(reader, front, goes_on));
    if (!goes_on) {
      answer(avro::framed(request.serial, front));
      return {};
    }
  }
  return call(reader, request, std::move(front));
}

/// Puts the handshake's answer in front of the call's. `goes_on`: there is a call to carry out behind it.
Status AvroSession::handshake(avro::DatumReader& reader, std::string& front, bool& goes_on) {
  HandshakeRequest request;
  if (!avro::get_handshake(reader, request)) return no_call();
  auto response = shared_.clients.greet(request);
  if (!response.ok()) {
    put_handshake(front, HandshakeResponse{});
    avro::put_error(front, response.status().message());
    goes_on = false;
    refuse(response.status());
    return {};
  }
  // A peer of ours waits for no answer before the next request.
  if (request.window > 0) refuse_behind_failures();
  response->window = std::min(request.window, rpc::window::kWidest);
  put_handshake(front, *response);
  established_ = response->match != HandshakeResponse::Match::none;
  goes_on = established_;
  return {};
}

Status AvroSession::call(avro::DatumReader& reader, const Request& request, std::string front) {
  std::string_view method;
  if (!avro::get_call(reader, method)) return no_call();
  if (method.empty() && !front.empty()) {  // a ping: the handshake is all
    answer(avro::framed(request.serial, front));
    return {};
  }
  const bool single = method == "append";
  if (!single && method != "appendBatch") {
    avro::put_error(front, fmt::format("no such method: {}", method.substr(0, kLongestName)));
    answer(avro::framed(request.serial, front));
    return {};
  }
  Batch batch;
  batch.pin(request.slab);
  TRY(single ? shared_.decoder.append(reader, batch) : shared_.decoder.append_batch(reader, batch));
  deliver_events(std::move(batch), single, request.serial, std::move(front));
  return {};
}

void AvroSession::deliver_events(Batch batch, bool single, std::int32_t serial, std::string front) {
  (single ? shared_.append_received : shared_.batch_received).add();
  deliver(std::move(batch),
          [&shared = shared_, single, serial, front = std::move(front)](std::string& out, const Status& result) {
            std::string message = front;
            if (result.ok()) {
              (single ? shared.append_accepted : shared.batch_accepted).add();
              avro::put_answer(message, avro::RpcStatus::ok);
            } else if (!single || is_channel_failure(result)) {
              avro::put_answer(message, avro::RpcStatus::failed);
            } else {
              avro::put_error(message, result.message());
            }
            out += avro::framed(serial, message);
          });
}

/// What the peer may have meant instead.
std::string_view AvroSession::hint(std::string_view first_bytes) const {
  if (first_bytes.starts_with("\x16\x03")) return "; it speaks TLS: set ssl on both sides, or on neither";
  const auto first = first_bytes.empty() ? 0u : static_cast<unsigned char>(first_bytes[0]);
  const auto second = first_bytes.size() < 2 ? 0u : static_cast<unsigned char>(first_bytes[1]);
  if (first == 0x78 && (first << 8 | second) % 31 == 0) {
    return "; it sends deflate: set compression-type = deflate on both sides, or on neither";
  }
  if (first_bytes.starts_with("GET") || first_bytes.starts_with("POS")) return "; it speaks HTTP";
  return {};
}

}  // namespace standpipe

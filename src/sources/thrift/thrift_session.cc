#include "sources/thrift/thrift_session.h"

#include <algorithm>

#include <fmt/format.h>

#include "rpc/window.h"

namespace standpipe {

namespace {

using thrift::Fault;
using thrift::MessageHead;
using thrift::MessageType;
using thrift::Protocol;
using thrift::RpcStatus;

constexpr std::size_t kLongestName = 100;  // of a method, in a message

std::string_view other(Protocol protocol) {
  return protocol == Protocol::compact ? "; it speaks the binary protocol: set protocol alike on both sides"
                                       : "; it speaks the compact protocol: set protocol alike on both sides";
}

}  // namespace

Status ThriftSession::take_requests(StreamBuffer& buffer, std::vector<rpc::Request>& requests, bool& more) {
  Status scanned = frames_.scan(buffer);
  more = frames_.more();
  if (frames_.found()) {
    const StreamBuffer::Part part = frames_.take(buffer, shared_.messages);
    for (const std::string_view message : shared_.messages) requests.push_back({part.slab, message});
  }
  return scanned;
}

Status ThriftSession::serve(const rpc::Request& request) {
  thrift::Reader reader(request.bytes, shared_.protocol);
  MessageHead head;
  if (!reader.get_message(head) || (head.type != MessageType::call && head.type != MessageType::oneway)) {
    return {Code::corrupt,
            fmt::format("a message that is no Thrift call by the {} protocol", thrift::to_string(shared_.protocol))};
  }
  if (head.name == thrift::kAppend || head.name == thrift::kAppendBatch) return serve_events(reader, head, request);
  if (head.name == thrift::kWindowMethod) return grant_window(reader, head);
  fault(head, Fault::unknown_method, fmt::format("no such method: {}", head.name.substr(0, kLongestName)));
  return {};
}

Status ThriftSession::serve_events(thrift::Reader& reader, const MessageHead& head, const rpc::Request& request) {
  const bool single = head.name == thrift::kAppend;
  Batch batch;
  batch.pin(request.slab);
  const Status status = single ? shared_.decoder.append(reader, batch) : shared_.decoder.append_batch(reader, batch);
  if (status.code() == Code::invalid) {
    fault(head, Fault::protocol, status.message());
    return {};
  }
  TRY(status);
  deliver(std::move(batch), {.single = single, .serial = head.serial, .one_way = head.type == MessageType::oneway});
  return {};
}

std::string ThriftSession::answer_to(const EventCall& call, const Status& result) {
  std::string out;
  if (call.one_way) return out;
  const std::string_view method = call.single ? thrift::kAppend : thrift::kAppendBatch;
  if (!result.ok() && !rpc::is_channel_failure(result)) {
    thrift::put_fault(out, shared_.protocol, method, call.serial, Fault::internal, result.message());
    return out;
  }
  const RpcStatus said = result.ok() ? RpcStatus::ok : RpcStatus::failed;
  thrift::put_answer(out, shared_.protocol, method, call.serial, static_cast<std::int32_t>(said));
  return out;
}

Status ThriftSession::grant_window(thrift::Reader& reader, const MessageHead& head) {
  unsigned window = 0;
  if (!thrift::get_window_call(reader, window)) return {Code::corrupt, "a call for a window that has none"};
  refuse_behind_failures();
  std::string out;
  thrift::put_answer(out, shared_.protocol, head.name, head.serial,
                     static_cast<std::int32_t>(std::clamp(window, 1u, rpc::window::kWidest)));
  answer(std::move(out));
  return {};
}

void ThriftSession::fault(const MessageHead& head, Fault fault, std::string_view text) {
  if (head.type == MessageType::oneway) return;
  std::string out;
  thrift::put_fault(out, shared_.protocol, head.name.substr(0, kLongestName), head.serial, fault, text);
  answer(std::move(out));
}

std::string_view ThriftSession::hint(std::string_view first_bytes) const {
  constexpr std::string_view kHttp[] = {"GET ", "POST", "PUT ", "HEAD"};
  if (first_bytes.starts_with("\x16\x03")) return "; it speaks TLS: set ssl on both sides, or on neither";
  for (const std::string_view method : kHttp) {
    if (first_bytes.starts_with(method)) return "; it speaks HTTP";
  }
  // Without a frame round it.
  if (thrift::speaks(first_bytes, Protocol::compact) || thrift::speaks(first_bytes, Protocol::binary)) {
    return "; it speaks Thrift without frames: have it use the framed transport, as Flume's clients do";
  }
  if (first_bytes.size() < thrift::kFrameHead) return {};
  const std::string_view message = first_bytes.substr(thrift::kFrameHead);
  const Protocol unexpected = shared_.protocol == Protocol::compact ? Protocol::binary : Protocol::compact;
  if (thrift::speaks(message, unexpected)) return other(shared_.protocol);
  // A serial, then the number of buffers: both small.
  constexpr std::string_view kZeros{"\0\0", 2};
  if (first_bytes.starts_with(kZeros) && message.starts_with(kZeros)) {
    return "; it may speak Avro: that takes an avro source";
  }
  return {};
}

}  // namespace standpipe

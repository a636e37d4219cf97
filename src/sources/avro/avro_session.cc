#include "sources/avro/avro_session.h"

#include <utility>

#include "rpc/avro/message.h"
#include "rpc/window.h"

namespace standpipe {

AvroShared::AvroShared(Environment& environment, Ingest& target, std::size_t max_request)
    : SourceShared(environment, target),
      service{.protocol = avro::kSourceProtocol,
              .max_request = max_request,
              .widest_window = rpc::window::kWidest,
              .tls_hint = "; it speaks TLS: set ssl on both sides, or on neither",
              .deflate_hint = "; it sends deflate: set compression-type = deflate on both sides, or on neither"} {}

Status AvroSession::serve(const rpc::Request& request) {
  avro::Call call(request);
  std::string reply;
  const Status opened = calls_.open(call, reply);
  // A peer of ours waits for no answer before the next request.
  if (call.window > 0) refuse_behind_failures();
  if (!reply.empty()) answer(std::move(reply));
  if (!opened.ok() || call.method.empty()) return opened;
  const bool single = call.method == "append";
  if (!single && call.method != "appendBatch") {
    answer(avro::no_such_method(call));
    return {};
  }
  Batch batch;
  batch.pin(request.slab);
  TRY(single ? shared_.decoder.append(call.parameters, batch) : shared_.decoder.append_batch(call.parameters, batch));
  deliver(std::move(batch), {.single = single, .serial = call.serial, .front = std::move(call.front)});
  return {};
}

std::string AvroSession::answer_to(const EventCall& call, const Status& result) {
  std::string message = call.front;
  if (result.ok()) {
    avro::put_answer(message, avro::RpcStatus::ok);
  } else if (!call.single || rpc::is_channel_failure(result)) {
    avro::put_answer(message, avro::RpcStatus::failed);
  } else {
    avro::put_error(message, result.message());
  }
  return avro::framed(call.serial, message);
}

}  // namespace standpipe

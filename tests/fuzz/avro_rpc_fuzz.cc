// Requests as a client may send them to an Avro source: whatever the bytes and however they are cut, reading them ends,
// within its limits, and what is an event points into the message; cut elsewhere they give the same.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "rpc/avro/call_reader.h"
#include "rpc/avro/event_decoder.h"
#include "rpc/avro/event_encoder.h"
#include "rpc/avro/message.h"

namespace {

using namespace standpipe;
using namespace standpipe::avro;

constexpr std::size_t kMaxFrame = 1 << 16;

class NoBackend final : public LeaseBackend {
 public:
  Status commit(std::size_t, std::size_t) override { return {}; }
  void give_back(std::size_t, std::size_t) override {}
};

/// What was decoded, encoded by us, is decoded to the same.
void check_round_trip(Batch batch) {
  if (batch.empty()) return;
  const auto frozen = std::make_shared<const Batch>(std::move(batch));
  const Lease lease({{frozen, 0, frozen->size()}}, std::make_unique<NoBackend>());
  MemoryBudget budget(64 << 20);
  const RequestExtent extent = measure_batch(lease, 1 << 30);
  CHECK(extent.events == lease.size());
  const EncodedRequest request = encode_batch(lease, extent, 1, budget, true);
  DatumReader reader(request.bytes.substr(kFrameHead));
  std::string_view method;
  CHECK(get_call(reader, method) && method == "appendBatch");
  Batch again;
  CHECK(EventDecoder({.events = 1 << 30, .headers = 1 << 30, .headers_in_all = 1 << 30})
            .append_batch(reader, again)
            .ok());
  CHECK(reader.remaining() == 0 && again.size() == lease.size());
  for (std::size_t i = 0; i < lease.size(); ++i) {
    CHECK(std::as_const(again)[i].body == lease[i].body);
    CHECK(*std::as_const(again)[i].headers == *lease[i].headers);
  }
}

/// One request, as the source takes it apart; what came of it as text.
std::string serve(const rpc::Request& request, CallReader& calls, EventDecoder& decoder) {
  Call call(request);
  std::string reply;
  const Status opened = calls.open(call, reply);
  if (!opened.ok()) return opened.message() + reply;
  if (call.method.empty()) return reply;
  Batch batch;
  const Status status =
      call.method == "append" ? decoder.append(call.parameters, batch) : decoder.append_batch(call.parameters, batch);
  if (!status.ok()) return status.message();
  std::string text = call.front + std::string(call.method) + ":";
  const std::string_view bytes = request.bytes;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const EventRef event = std::as_const(batch)[i];
    CHECK(event.body.data() >= bytes.data() && event.body.data() + event.body.size() <= bytes.data() + bytes.size());
    text += std::to_string(event.headers->size()) + "," + std::string(event.body) + ";";
  }
  check_round_trip(std::move(batch));
  return text;
}

std::string read_all(std::string_view stream, std::size_t piece) {
  MemoryBudget budget(1 << 20);
  StreamBuffer buffer(budget, 32 * 1024);
  Service service{.protocol = kSourceProtocol, .max_request = kMaxFrame, .widest_window = 8};
  CallReader calls(service);
  EventDecoder decoder({.events = 1000, .headers = 100, .headers_in_all = 1000});
  std::vector<rpc::Request> requests;
  std::string seen;
  while (!stream.empty()) {
    const std::span<char> room = buffer.room();
    CHECK(!room.empty());
    const std::size_t size = std::min({room.size(), stream.size(), piece});
    std::memcpy(room.data(), stream.data(), size);
    buffer.filled(size);
    stream.remove_prefix(size);
    Status status;
    for (bool more = true; more && status.ok(); requests.clear()) {
      status = calls.take(buffer, requests, more);
      for (const rpc::Request& request : requests) {
        seen += std::to_string(request.serial) + " " + serve(request, calls, decoder);
      }
    }
    if (!status.ok()) return seen + "!";
  }
  return seen;
}

/// The same bytes as an answer to our own client.
void read_as_answer(std::string_view bytes) {
  DatumReader reader(bytes);
  HandshakeResponse response;
  if (!get_handshake(reader, response)) return;
  get_answer(reader).ignore();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  read_as_answer(stream);
  const std::string whole = read_all(stream, stream.size());
  CHECK(read_all(stream, 1 + data[0]) == whole);
  return 0;
}

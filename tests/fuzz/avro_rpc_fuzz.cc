// Requests as a client may send them to an Avro source: whatever the bytes and however they are cut, reading them ends,
// within its limits, and what is an event points into the message; cut elsewhere they give the same.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "rpc/avro/event_decoder.h"
#include "rpc/avro/event_encoder.h"
#include "rpc/avro/frame_reader.h"
#include "rpc/avro/known_clients.h"
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
std::string serve(std::string_view bytes, KnownClients& clients, EventDecoder& decoder, bool& established) {
  DatumReader reader(bytes);
  if (!established) {
    HandshakeRequest request;
    if (!get_handshake(reader, request)) return "no handshake;";
    const auto response = clients.greet(request);
    if (!response.ok()) return response.status().message();
    established = response->match != HandshakeResponse::Match::none;
    std::string answer;
    put_handshake(answer, *response);
    if (!established) return answer;
  }
  std::string_view method;
  if (!get_call(reader, method)) return "no call;";
  Batch batch;
  const Status status = method == "append" ? decoder.append(reader, batch) : decoder.append_batch(reader, batch);
  if (!status.ok()) return status.message();
  std::string text = std::string(method) + ":";
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
  FrameReader frames(kMaxFrame);
  KnownClients clients(kSourceProtocol);
  EventDecoder decoder({.events = 1000, .headers = 100, .headers_in_all = 1000});
  std::vector<Message> messages;
  std::string seen;
  bool established = false;
  while (!stream.empty()) {
    const std::span<char> room = buffer.room();
    CHECK(!room.empty());
    const std::size_t size = std::min({room.size(), stream.size(), piece});
    std::memcpy(room.data(), stream.data(), size);
    buffer.filled(size);
    stream.remove_prefix(size);
    const Status status = frames.scan(buffer);
    if (frames.found()) {
      const StreamBuffer::Part part = frames.take(buffer, messages);
      for (const Message& message : messages) {
        seen += std::to_string(message.serial) + " " + serve(message.bytes, clients, decoder, established);
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

// Requests as a client may send them to a Thrift source, by either protocol: whatever the bytes and however they are
// cut, reading them ends, within its limits, and what is an event points into the message; cut elsewhere they give the
// same.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "rpc/thrift/event_decoder.h"
#include "rpc/thrift/event_encoder.h"
#include "rpc/thrift/frame_reader.h"
#include "rpc/thrift/message.h"

namespace {

using namespace standpipe;
using namespace standpipe::thrift;

constexpr std::size_t kMaxFrame = 1 << 16;

class NoBackend final : public LeaseBackend {
 public:
  Status commit(std::size_t, std::size_t) override { return {}; }
  void give_back(std::size_t, std::size_t) override {}
};

/// What was decoded, encoded by us by either protocol, is decoded to the same.
void check_round_trip(Batch batch, Protocol protocol) {
  if (batch.empty()) return;
  const auto frozen = std::make_shared<const Batch>(std::move(batch));
  const Lease lease({{frozen, 0, frozen->size()}}, std::make_unique<NoBackend>());
  MemoryBudget budget(64 << 20);
  const RequestExtent extent = measure_batch(lease, protocol, 1 << 30);
  CHECK(extent.events == lease.size());
  const EncodedRequest request = encode_batch(lease, protocol, extent, -1, budget, true);
  Reader reader(request.bytes.substr(kFrameHead), protocol);
  MessageHead head;
  CHECK(reader.get_message(head) && head.name == kAppendBatch && head.serial == -1);
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
std::string serve(std::string_view bytes, Protocol protocol, EventDecoder& decoder) {
  Reader reader(bytes, protocol);
  MessageHead head;
  if (!reader.get_message(head)) return "no call;";
  unsigned window = 0;
  if (head.name == kWindowMethod) {
    return get_window_call(reader, window) ? "window " + std::to_string(window) : "no window;";
  }
  if (head.name != kAppend && head.name != kAppendBatch) {
    return reader.skip(Type::structure) ? "other:" + std::to_string(reader.remaining()) : "damaged other;";
  }
  Batch batch;
  const Status status = head.name == kAppend ? decoder.append(reader, batch) : decoder.append_batch(reader, batch);
  if (!status.ok()) return status.message();
  std::string text = std::string(head.name) + ":";
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const EventRef event = std::as_const(batch)[i];
    CHECK(event.body.data() >= bytes.data() && event.body.data() + event.body.size() <= bytes.data() + bytes.size());
    text += std::to_string(event.headers->size()) + "," + std::string(event.body) + ";";
  }
  check_round_trip(batch.share(), Protocol::compact);
  check_round_trip(std::move(batch), Protocol::binary);
  return text;
}

std::string read_all(std::string_view stream, Protocol protocol, std::size_t piece) {
  MemoryBudget budget(1 << 20);
  StreamBuffer buffer(budget, 32 * 1024);
  FrameReader frames(kMaxFrame);
  EventDecoder decoder({.events = 1000, .headers = 100, .headers_in_all = 1000});
  std::vector<std::string_view> messages;
  std::string seen;
  while (!stream.empty()) {
    const std::span<char> room = buffer.room();
    CHECK(!room.empty());
    const std::size_t size = std::min({room.size(), stream.size(), piece});
    std::memcpy(room.data(), stream.data(), size);
    buffer.filled(size);
    stream.remove_prefix(size);
    do {
      const Status status = frames.scan(buffer);
      if (frames.found()) {
        const StreamBuffer::Part part = frames.take(buffer, messages);
        for (const std::string_view message : messages) seen += serve(message, protocol, decoder);
      }
      if (!status.ok()) return seen + "!";
    } while (frames.more());
  }
  return seen;
}

/// The same bytes as an answer to our own client.
void read_as_answer(std::string_view bytes, Protocol protocol) {
  Reader reader(bytes, protocol);
  MessageHead head;
  if (reader.get_message(head)) get_answer(reader, head).ignore();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Protocol protocol = (data[0] & 1) == 0 ? Protocol::compact : Protocol::binary;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  read_as_answer(stream, protocol);
  const std::string whole = read_all(stream, protocol, stream.size());
  CHECK(read_all(stream, protocol, 1 + data[0] / 2) == whole);
  return 0;
}

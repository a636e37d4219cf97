#include "support/avro_server.h"

#include <algorithm>

namespace standpipe::testing {

namespace {

std::string word(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

}  // namespace

struct AvroTestServer::Request {
  std::string serial;
  std::string front;  // of the answer: the handshake's
  bool none = false;  // the handshake was refused
  std::vector<SentEvent> events;
};

/// The parts of one message.
class AvroTestServer::Reader {
 public:
  explicit Reader(Peer& peer) {
    for (std::uint32_t left = peer.word(); left > 0; --left) message_ += peer.raw(peer.word());
  }
  std::string take(std::size_t size) {
    if (message_.size() - at_ < size) throw Peer::Gone();
    at_ += size;
    return message_.substr(at_ - size, size);
  }
  std::int64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
    throw Peer::Gone();
  }
  std::string text() { return take(static_cast<std::size_t>(number())); }
  template <typename Item>
  void items(Item&& item) {
    while (std::int64_t count = number()) {
      if (count < 0) {
        count = -count;
        number();
      }
      for (; count > 0; --count) item();
    }
  }
  SentEvent event() {
    SentEvent event;
    items([&] {
      const std::string name = text();
      event.headers.set(name, text());
    });
    event.body = text();
    return event;
  }

 private:
  std::string message_;
  std::size_t at_ = 0;
};

AvroTestServer::AvroTestServer() {
  start([this](Peer& peer) { serve(peer); });
}

AvroTestServer::~AvroTestServer() { stop(); }

void AvroTestServer::serve(Peer& peer) {
  std::vector<Request> waiting;
  bool established = false;
  for (;;) {
    waiting.push_back(read_request(peer, established));
    if (waiting.size() < together() && waiting.front().front.empty()) continue;
    std::reverse(waiting.begin(), waiting.end());
    bool goes_on = true;
    for (const Request& open : waiting) goes_on = answer(peer, open) && goes_on;
    waiting.clear();
    if (!goes_on) return;
  }
}

AvroTestServer::Request AvroTestServer::read_request(Peer& peer, bool& established) {
  Request request;
  request.serial = peer.raw(4);
  Reader reader(peer);
  if (!established) {
    reader.take(16);
    std::string text;
    if (reader.number() == 1) text = reader.text();
    reader.take(16);
    unsigned window = 0;
    if (reader.number() == 1) {
      reader.items([&] {
        const std::string key = reader.text();
        const std::string value = reader.text();
        if (key == "standpipe.window") window = static_cast<unsigned>(std::stoul(value));
      });
    }
    const unsigned granted = grant_to(window);
    std::lock_guard lock(mutex_);
    text_of_client_ = text;
    request.none = forgetful_ && text.empty();
    established = !request.none;
    request.front = avro_bytes::number(request.none ? 2 : 0) + avro_bytes::number(0) + avro_bytes::number(0);
    request.front += avro_bytes::number(granted > 0 ? 1 : 0);
    if (granted > 0) {
      request.front += avro_bytes::number(1) + avro_bytes::text("standpipe.window") +
                       avro_bytes::text(std::to_string(granted)) + avro_bytes::number(0);
    }
    if (request.none) return request;
  }
  reader.items([&] {
    reader.text();
    reader.text();
  });
  const std::string method = reader.text();
  if (method == "appendBatch") {
    reader.items([&] { request.events.push_back(reader.event()); });
  } else {
    request.events.push_back(reader.event());
  }
  return request;
}

bool AvroTestServer::answer(Peer& peer, const Request& request) {
  std::string message = request.front;
  const Says says = request.none ? Says::nothing : take(request.events);
  if (says == Says::ok) message += std::string(3, '\0');
  if (says == Says::failed) message += std::string("\0\0\2", 3);
  if (says == Says::error) message += std::string("\0\1\0", 3) + avro_bytes::text("no such luck");
  if (says == Says::hangs_up) return false;
  if (says != Says::nothing || request.none) {
    peer.send(request.serial + word(1) + word(static_cast<std::uint32_t>(message.size())) + message);
  }
  return true;
}

void AvroTestServer::forget_protocols() {
  std::lock_guard lock(mutex_);
  forgetful_ = true;
}

std::string AvroTestServer::text_of_client() const {
  std::lock_guard lock(mutex_);
  return text_of_client_;
}

}  // namespace standpipe::testing

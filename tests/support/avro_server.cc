#include "support/avro_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "support/patience.h"

namespace standpipe::testing {

namespace {

constexpr std::size_t kLargest = 64 << 20;

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

/// One connection; reading ends with an exception of its own when the peer has gone or sends nonsense.
class AvroTestServer::Peer {
 public:
  struct Gone {};

  explicit Peer(int descriptor) : descriptor_(descriptor) {}

  std::string raw(std::size_t size) {
    if (size > kLargest) throw Gone();
    std::string bytes(size, '\0');
    for (std::size_t got = 0; got < size;) {
      const ssize_t count = ::recv(descriptor_, bytes.data() + got, size - got, 0);
      if (count <= 0) throw Gone();
      got += static_cast<std::size_t>(count);
    }
    return bytes;
  }
  std::uint32_t word() {
    std::uint32_t value = 0;
    for (const char byte : raw(4)) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
  }
  void send(const std::string& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t count = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;  // the next read finds out
      sent += static_cast<std::size_t>(count);
    }
  }
  void next_message() {
    message_.clear();
    at_ = 0;
    for (std::uint32_t left = word(); left > 0; --left) message_ += raw(word());
  }

  // -- parts of the message
  std::string take(std::size_t size) {
    if (message_.size() - at_ < size) throw Gone();
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
    throw Gone();
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

  bool established = false;

 private:
  const int descriptor_;
  std::string message_;
  std::size_t at_ = 0;
};

AvroTestServer::AvroTestServer() : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listening_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listening_, 64) != 0) return;
  ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept(); });
}

AvroTestServer::~AvroTestServer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  ::shutdown(listening_, SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  drop_connections();
  for (std::thread& thread : threads_) thread.join();
  ::close(listening_);
}

void AvroTestServer::accept() {
  for (;;) {
    const int descriptor = ::accept(listening_, nullptr, nullptr);
    if (descriptor < 0) return;
    std::lock_guard lock(mutex_);
    ++connections_;
    open_.push_back(descriptor);
    if (stopping_) ::shutdown(descriptor, SHUT_RDWR);
    threads_.emplace_back([this, descriptor] { serve(descriptor); });
    changed_.notify_all();
  }
}

void AvroTestServer::serve(int descriptor) {
  Peer peer(descriptor);
  std::vector<Request> waiting;
  try {
    while (auto request = read_request(peer)) {
      waiting.push_back(std::move(*request));
      std::size_t together = 1;
      {
        std::lock_guard lock(mutex_);
        together = together_;
      }
      if (waiting.size() < together && waiting.front().front.empty()) continue;
      std::reverse(waiting.begin(), waiting.end());
      bool goes_on = true;
      for (const Request& open : waiting) goes_on = answer(peer, open) && goes_on;
      waiting.clear();
      if (!goes_on) break;
    }
  } catch (const Peer::Gone&) {
  }
  std::lock_guard lock(mutex_);
  std::erase(open_, descriptor);
  ::close(descriptor);
}

std::optional<AvroTestServer::Request> AvroTestServer::read_request(Peer& peer) {
  Request request;
  request.serial = peer.raw(4);
  peer.next_message();
  if (!peer.established) {
    const std::string hash = peer.take(16);
    std::string text;
    if (peer.number() == 1) text = peer.text();
    peer.take(16);
    unsigned window = 0;
    if (peer.number() == 1) {
      peer.items([&] {
        const std::string key = peer.text();
        const std::string value = peer.text();
        if (key == "standpipe.window") window = static_cast<unsigned>(std::stoul(value));
      });
    }
    std::lock_guard lock(mutex_);
    text_of_client_ = text;
    asked_window_ = window;
    request.none = forgetful_ && text.empty();
    peer.established = !request.none;
    const unsigned granted = std::min(window, granted_);
    request.front = avro_bytes::number(request.none ? 2 : 0) + avro_bytes::number(0) + avro_bytes::number(0);
    request.front += avro_bytes::number(granted > 0 ? 1 : 0);
    if (granted > 0) {
      request.front += avro_bytes::number(1) + avro_bytes::text("standpipe.window") +
                       avro_bytes::text(std::to_string(granted)) + avro_bytes::number(0);
    }
    if (request.none) return request;
  }
  peer.items([&] {
    peer.text();
    peer.text();
  });
  const std::string method = peer.text();
  if (method == "appendBatch") {
    peer.items([&] { request.events.push_back(peer.event()); });
  } else {
    request.events.push_back(peer.event());
  }
  return request;
}

bool AvroTestServer::answer(Peer& peer, const Request& request) {
  std::unique_lock lock(mutex_);
  ++requests_;
  const Says says = request.none ? Says::nothing : says_;
  std::string message = request.front;
  if (says == Says::ok) {
    for (const SentEvent& event : request.events) events_.push_back(event);
    batches_.push_back(request.events.size());
    message += std::string(3, '\0');
  }
  changed_.notify_all();
  if (says == Says::failed) message += std::string("\0\0\2", 3);
  if (says == Says::error) message += std::string("\0\1\0", 3) + avro_bytes::text("no such luck");
  lock.unlock();
  if (says == Says::hangs_up) return false;
  if (says != Says::nothing || request.none) {
    peer.send(request.serial + word(1) + word(static_cast<std::uint32_t>(message.size())) + message);
  }
  return true;
}

void AvroTestServer::say(Says what) {
  std::lock_guard lock(mutex_);
  says_ = what;
}
void AvroTestServer::grant(unsigned window) {
  std::lock_guard lock(mutex_);
  granted_ = window;
}
void AvroTestServer::answer_together(std::size_t requests) {
  std::lock_guard lock(mutex_);
  together_ = requests;
}
void AvroTestServer::forget_protocols() {
  std::lock_guard lock(mutex_);
  forgetful_ = true;
}
void AvroTestServer::drop_connections() {
  std::lock_guard lock(mutex_);
  for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
}

std::vector<SentEvent> AvroTestServer::events() const {
  std::lock_guard lock(mutex_);
  return events_;
}
std::vector<std::string> AvroTestServer::bodies() const {
  std::vector<std::string> bodies;
  for (SentEvent& event : events()) bodies.push_back(std::move(event.body));
  return bodies;
}
std::vector<std::size_t> AvroTestServer::batches() const {
  std::lock_guard lock(mutex_);
  return batches_;
}
std::size_t AvroTestServer::connections() const {
  std::lock_guard lock(mutex_);
  return connections_;
}
std::size_t AvroTestServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}
unsigned AvroTestServer::asked_window() const {
  std::lock_guard lock(mutex_);
  return asked_window_;
}
std::string AvroTestServer::text_of_client() const {
  std::lock_guard lock(mutex_);
  return text_of_client_;
}

bool AvroTestServer::wait_until(const std::function<bool(const AvroTestServer&)>& condition) const {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    if (condition(*this)) return true;
    std::unique_lock lock(mutex_);
    if (std::chrono::steady_clock::now() >= deadline) return false;
    changed_.wait_for(lock, std::chrono::milliseconds(5));
  }
}

}  // namespace standpipe::testing

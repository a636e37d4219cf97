#include "support/rpc_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "support/patience.h"

namespace standpipe::testing {

namespace {
constexpr std::size_t kLargest = 64 << 20;
}  // namespace

std::string RpcTestServer::Peer::raw(std::size_t size) {
  if (size > kLargest) throw Gone();
  std::string bytes(size, '\0');
  for (std::size_t got = 0; got < size;) {
    const ssize_t count = ::recv(descriptor_, bytes.data() + got, size - got, 0);
    if (count <= 0) throw Gone();
    got += static_cast<std::size_t>(count);
  }
  return bytes;
}

std::uint32_t RpcTestServer::Peer::word() {
  std::uint32_t value = 0;
  for (const char byte : raw(4)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

void RpcTestServer::Peer::send(const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;  // the next read finds out
    sent += static_cast<std::size_t>(count);
  }
}

RpcTestServer::RpcTestServer() : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listening_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listening_, 64) != 0) return;
  ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

RpcTestServer::~RpcTestServer() { ::close(listening_); }

void RpcTestServer::start(std::function<void(Peer&)> serve) {
  serve_ = std::move(serve);
  acceptor_ = std::thread([this] { accept(); });
}

void RpcTestServer::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  ::shutdown(listening_, SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  drop_connections();
  for (std::thread& thread : threads_) thread.join();
}

void RpcTestServer::accept() {
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

void RpcTestServer::serve(int descriptor) {
  Peer peer(descriptor);
  try {
    serve_(peer);
  } catch (const Peer::Gone&) {
  }
  std::lock_guard lock(mutex_);
  std::erase(open_, descriptor);
  ::close(descriptor);
  changed_.notify_all();
}

RpcTestServer::Says RpcTestServer::take(const std::vector<SentEvent>& events) {
  std::lock_guard lock(mutex_);
  ++requests_;
  changed_.notify_all();
  if (says_ != Says::ok) return says_;
  events_.insert(events_.end(), events.begin(), events.end());
  batches_.push_back(events.size());
  return says_;
}

unsigned RpcTestServer::grant_to(unsigned window) {
  std::lock_guard lock(mutex_);
  asked_window_ = window;
  return std::min(window, granted_);
}

std::size_t RpcTestServer::together() const {
  std::lock_guard lock(mutex_);
  return together_;
}

void RpcTestServer::say(Says what) {
  std::lock_guard lock(mutex_);
  says_ = what;
}
void RpcTestServer::grant(unsigned window) {
  std::lock_guard lock(mutex_);
  granted_ = window;
}
void RpcTestServer::answer_together(std::size_t requests) {
  std::lock_guard lock(mutex_);
  together_ = requests;
}
void RpcTestServer::drop_connections() {
  std::unique_lock lock(mutex_);
  for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  const std::size_t old = connections_;
  // What has come and was not looked at is still judged by what holds now.
  changed_.wait_for(lock, kPatience, [&] { return open_.empty() || connections_ != old; });
}

std::vector<SentEvent> RpcTestServer::events() const {
  std::lock_guard lock(mutex_);
  return events_;
}
std::vector<std::string> RpcTestServer::bodies() const {
  std::vector<std::string> bodies;
  for (SentEvent& event : events()) bodies.push_back(std::move(event.body));
  return bodies;
}
std::vector<std::size_t> RpcTestServer::batches() const {
  std::lock_guard lock(mutex_);
  return batches_;
}
std::size_t RpcTestServer::connections() const {
  std::lock_guard lock(mutex_);
  return connections_;
}
std::size_t RpcTestServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}
unsigned RpcTestServer::asked_window() const {
  std::lock_guard lock(mutex_);
  return asked_window_;
}

bool RpcTestServer::wait_until(const std::function<bool(const RpcTestServer&)>& condition) const {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    if (condition(*this)) return true;
    std::unique_lock lock(mutex_);
    if (std::chrono::steady_clock::now() >= deadline) return false;
    changed_.wait_for(lock, std::chrono::milliseconds(5));
  }
}

}  // namespace standpipe::testing

#include "support/tcp_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <limits>

#include "support/patience.h"

namespace standpipe::testing {

TcpClient::TcpClient(std::uint16_t port) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{kPatience.count(), 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return;
  ::close(descriptor_);
  descriptor_ = -1;
}

TcpClient::~TcpClient() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool TcpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

void TcpClient::finish() { ::shutdown(descriptor_, SHUT_WR); }

bool TcpClient::fill() {
  char chunk[4096];
  const ssize_t size = ::recv(descriptor_, chunk, sizeof chunk, 0);
  if (size <= 0) return false;
  buffer_.append(chunk, static_cast<std::size_t>(size));
  return true;
}

std::string TcpClient::line() {
  while (buffer_.find('\n') == std::string::npos) {
    if (!fill()) return {};
  }
  const std::size_t end = buffer_.find('\n');
  std::string result = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return result;
}

std::string TcpClient::bytes(std::size_t size) {
  while (buffer_.size() < size && fill()) {
  }
  std::string result = buffer_.substr(0, size);
  buffer_.erase(0, result.size());
  return result;
}

std::string TcpClient::rest() {
  while (fill()) {
  }
  return std::move(buffer_);
}

}  // namespace standpipe::testing

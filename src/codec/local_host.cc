#include "codec/local_host.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <memory>

namespace standpipe {

namespace {

std::string address_of(const addrinfo& info) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* address = info.ai_family == AF_INET
                            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(info.ai_addr)->sin_addr)
                            : &reinterpret_cast<const sockaddr_in6*>(info.ai_addr)->sin6_addr;
  if (inet_ntop(info.ai_family, address, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

/// The name that the address resolves back to, as getCanonicalHostName() asks; empty when there is none.
std::string reverse_name(const addrinfo& info) {
  std::array<char, NI_MAXHOST> name{};
  const int failed = getnameinfo(info.ai_addr, info.ai_addrlen, name.data(), name.size(), nullptr, 0, NI_NAMEREQD);
  return failed == 0 ? name.data() : std::string();
}

LocalHost resolve() {
  LocalHost host;
  std::array<char, 256> name{};
  host.name = gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
  host.canonical = host.name;
  host.address = "127.0.0.1";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.name.c_str(), nullptr, &hints, &found) != 0) return host;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  const addrinfo* best = nullptr;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    const bool usable = info->ai_family == AF_INET || info->ai_family == AF_INET6;
    if (usable && (best == nullptr || (best->ai_family == AF_INET6 && info->ai_family == AF_INET))) best = info;
  }
  if (best == nullptr) return host;
  host.resolved = true;
  host.address = address_of(*best);
  if (std::string canonical = reverse_name(*best); !canonical.empty()) host.canonical = std::move(canonical);
  return host;
}

}  // namespace

const LocalHost& local_host() {
  static const LocalHost host = resolve();
  return host;
}

}  // namespace standpipe

#include "clients/zookeeper/connect_string.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace standpipe::zookeeper {

namespace {

constexpr std::size_t kMaxServers = 64;
constexpr std::size_t kMaxHost = 253;    // what DNS takes
constexpr std::size_t kMaxPath = 4'096;  // far above what anybody uses, far below what a server takes

bool is_host_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_';
}

bool is_address_character(char c) { return is_host_character(c) || c == ':' || c == '%'; }

Status wrong(std::string_view server, std::string_view why) {
  return {Code::invalid, fmt::format("ZooKeeper server '{}': {}; write host:port", server, why)};
}

Result<int> parse_port(std::string_view server, std::string_view text) {
  const auto port = parse_integer(text);
  if (!port || *port < 1 || *port > 65'535 || text.front() == '+') {
    return wrong(server, fmt::format("'{}' is no port", text));
  }
  return static_cast<int>(*port);
}

/// "host", "host:port", "[address]", "[address]:port".
Result<ConnectString::Server> parse_server(std::string_view text) {
  ConnectString::Server server;
  const bool bracketed = text.starts_with('[');
  const std::size_t close = text.find(']');
  if (!bracketed && std::count(text.begin(), text.end(), ':') > 1) {
    return wrong(text, "an address with colons stands in brackets");
  }
  if (bracketed && close == text.npos) return wrong(text, "the bracket does not close");
  const std::size_t end = bracketed ? close + 1 : std::min(text.find(':'), text.size());
  server.host = bracketed ? text.substr(1, close - 1) : text.substr(0, end);
  const auto rest = text.substr(end);
  if (server.host.empty()) return wrong(text, "it has no host");
  if (server.host.size() > kMaxHost) return wrong(text.substr(0, 32), "the name is too long");
  if (!std::all_of(server.host.begin(), server.host.end(), bracketed ? is_address_character : is_host_character)) {
    return wrong(text, "no name of a host is written like that");
  }
  if (rest.empty()) return server;
  if (!rest.starts_with(':') || rest.size() == 1) return wrong(text, "behind the host there is no port");
  TRY_ASSIGN(server.port, parse_port(text, rest.substr(1)));
  return server;
}

template <class Show>
std::string joined(const ConnectString& connect, Show show) {
  std::string text;
  for (const auto& server : connect.servers) text += (text.empty() ? "" : ",") + show(server);
  return text + connect.chroot;
}

}  // namespace

std::string ConnectString::text() const {
  return joined(*this, [](const Server& server) {
    const bool address = server.host.find(':') != std::string::npos;
    return fmt::format(fmt::runtime(address ? "[{}]:{}" : "{}:{}"), server.host, server.port);
  });
}

std::string ConnectString::for_library() const {
  return joined(*this, [](const Server& server) { return fmt::format("{}:{}", server.host, server.port); });
}

Result<ConnectString> parse_connect_string(std::string_view text) {
  ConnectString connect;
  const std::size_t slash = std::min(text.find('/'), text.size());
  connect.chroot = trim(text.substr(slash));
  while (connect.chroot.ends_with('/')) connect.chroot.pop_back();
  if (!connect.chroot.empty()) TRY(check_path(connect.chroot));
  for (const std::string_view part : split(text.substr(0, slash), ',')) {
    const std::string_view server = trim(part);
    if (server.empty()) continue;  // a comma at the end is in many a file
    if (connect.servers.size() == kMaxServers) {
      return Status(Code::invalid, fmt::format("more than {} ZooKeeper servers", kMaxServers));
    }
    TRY_ASSIGN(ConnectString::Server parsed, parse_server(server));
    connect.servers.push_back(std::move(parsed));
  }
  if (connect.servers.empty()) {
    return Status(Code::invalid, fmt::format("'{}' names no ZooKeeper server; write host:port,host:port", text));
  }
  return connect;
}

Status check_path(std::string_view path) {
  const auto refuse = [&](std::string_view why) {
    return Status(Code::invalid, fmt::format("'{}' is no path of a node in ZooKeeper: {}", path.substr(0, 256), why));
  };
  if (!path.starts_with('/')) return refuse("it does not begin with a slash");
  if (path.size() > kMaxPath) return refuse("it is too long");
  if (path.size() == 1) return {};
  for (const std::string_view part : split(path.substr(1), '/')) {
    if (part.empty()) return refuse("a part of it is empty");
    if (part == "." || part == "..") return refuse("'.' and '..' mean nothing there");
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(path.begin(), path.end(), is_control)) return refuse("it has a control character");
  return {};
}

std::string join_path(std::string_view base, std::string_view name) {
  while (base.ends_with('/')) base.remove_suffix(1);
  return fmt::format("{}{}/{}", base.starts_with('/') || base.empty() ? "" : "/", base, name);
}

}  // namespace standpipe::zookeeper

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/network.h"

namespace standpipe {

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain;charset=utf-8";
  std::string body;
};

/// A small HTTP server for pages that are read now and then: GET and HEAD, one request a connection, no thread of its
/// own. A request may have 8 KiB and five seconds, and 64 clients are served at a time: who is slower or larger is
/// turned away. start() and stop() belong to one thread; the pages are made on the network's loop.
class HttpEndpoint {
 public:
  /// The page at `path` (without a query); must not block.
  using Pages = std::function<HttpReply(std::string_view path)>;

  HttpEndpoint(Network& network, Log& log, Pages pages);
  ~HttpEndpoint();  ///< stops

  Status start(const std::string& host, std::uint16_t port);
  /// Closes every connection; afterwards no page is asked for.
  void stop();
  /// The real one, after start().
  std::uint16_t port() const { return listener_->port(); }

 private:
  class Exchange;
  void open(std::unique_ptr<Connection> connection);

  Network& network_;
  Log& log_;
  const Pages pages_;
  std::unique_ptr<Listener> listener_;
  std::unordered_map<Exchange*, std::shared_ptr<Exchange>> exchanges_;  // loop's thread only
};

}  // namespace standpipe

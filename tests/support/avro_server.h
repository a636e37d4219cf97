#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/avro_client.h"

namespace standpipe::testing {

/// A receiver for a sink under test, on plain sockets and with nothing of the code under test: one thread a connection.
/// Thread-safe.
class AvroTestServer {
 public:
  enum class Says { ok, failed, error, nothing, hangs_up };

  AvroTestServer();
  ~AvroTestServer();
  AvroTestServer(const AvroTestServer&) = delete;
  AvroTestServer& operator=(const AvroTestServer&) = delete;

  std::uint16_t port() const { return port_; }

  // -- what the test decides
  void say(Says what);
  /// What it grants to peers that ask; 0: it is Flume's, which grants nothing.
  void grant(unsigned window);
  /// Waits with its answers until as many requests of a connection are open; then answers them all, the last one first.
  void answer_together(std::size_t requests);
  /// Knows no protocol by its hash: the client must send its text.
  void forget_protocols();
  void drop_connections();

  // -- what the test asks
  std::vector<SentEvent> events() const;
  std::vector<std::string> bodies() const;
  std::vector<std::size_t> batches() const;  ///< events of each request that was answered OK
  std::size_t connections() const;
  std::size_t requests() const;        ///< all that have come, whatever was said
  unsigned asked_window() const;       ///< by the last handshake
  std::string text_of_client() const;  ///< the protocol that the last handshake brought along
  bool wait_until(const std::function<bool(const AvroTestServer&)>& condition) const;

 private:
  struct Request;
  class Peer;

  void accept();
  void serve(int descriptor);
  std::optional<Request> read_request(Peer& peer);
  bool answer(Peer& peer, const Request& request);

  int listening_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Says says_ = Says::ok;
  unsigned granted_ = 0;
  std::size_t together_ = 1;
  bool forgetful_ = false;
  bool stopping_ = false;
  std::vector<int> open_;
  std::vector<SentEvent> events_;
  std::vector<std::size_t> batches_;
  std::size_t connections_ = 0;
  std::size_t requests_ = 0;
  unsigned asked_window_ = 0;
  std::string text_of_client_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace standpipe::testing

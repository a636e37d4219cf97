#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/sent_event.h"

namespace standpipe::testing {

/// A receiver for a sink under test, on plain sockets and with nothing of the code under test: one thread a connection.
/// Which protocol it speaks is the business of who derives from it. Thread-safe.
class RpcTestServer {
 public:
  enum class Says { ok, failed, error, nothing, hangs_up };

  RpcTestServer(const RpcTestServer&) = delete;
  RpcTestServer& operator=(const RpcTestServer&) = delete;

  std::uint16_t port() const { return port_; }

  // -- what the test decides
  void say(Says what);
  /// What it grants to peers that ask for a window; 0: it is Flume's, which grants nothing.
  void grant(unsigned window);
  /// Waits with its answers until as many requests of a connection are open; then answers them all, the last one first.
  void answer_together(std::size_t requests);
  void drop_connections();  ///< and waits until their end is noticed

  // -- what the test asks
  std::vector<SentEvent> events() const;
  std::vector<std::string> bodies() const;
  std::vector<std::size_t> batches() const;  ///< events of each request that was answered OK
  std::size_t connections() const;
  std::size_t requests() const;   ///< all that have come, whatever was said
  unsigned asked_window() const;  ///< by the last connection
  bool wait_until(const std::function<bool(const RpcTestServer&)>& condition) const;

 protected:
  /// One connection; its calls throw Gone when the peer has gone or sends nonsense.
  class Peer {
   public:
    struct Gone {};
    explicit Peer(int descriptor) : descriptor_(descriptor) {}
    std::string raw(std::size_t size);
    std::uint32_t word();  ///< four bytes, big-endian
    void send(const std::string& bytes);

   private:
    const int descriptor_;
  };

  RpcTestServer();
  ~RpcTestServer();
  /// `serve` speaks with one peer until it is done with it.
  void start(std::function<void(Peer&)> serve);
  /// In the destructor of who derives from it: `serve` is not called any more.
  void stop();

  /// Notes a request; what is to be said to it.
  Says take(const std::vector<SentEvent>& events);
  /// The window that a peer gets which asks for `window`.
  unsigned grant_to(unsigned window);
  std::size_t together() const;

  mutable std::mutex mutex_;

 private:
  void accept();
  void serve(int descriptor);

  std::function<void(Peer&)> serve_;
  int listening_ = -1;
  std::uint16_t port_ = 0;
  mutable std::condition_variable changed_;
  Says says_ = Says::ok;
  unsigned granted_ = 0;
  std::size_t together_ = 1;
  bool stopping_ = false;
  std::vector<int> open_;
  std::vector<SentEvent> events_;
  std::vector<std::size_t> batches_;
  std::size_t connections_ = 0;
  std::size_t requests_ = 0;
  unsigned asked_window_ = 0;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// Speaks something else: says it at the first four bytes that come, and nothing more.
class StrangerServer final : public RpcTestServer {
 public:
  explicit StrangerServer(std::string says) {
    start([says = std::move(says)](Peer& peer) {
      peer.raw(4);
      peer.send(says);
      peer.raw(1 << 20);
    });
  }
  ~StrangerServer() { stop(); }
};

}  // namespace standpipe::testing

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "net/network.h"
#include "net/session_set.h"
#include "rpc/window.h"
#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe::rpc {

class Session;

/// In what servers differ.
struct ServerRules {
  MemoryBudget& memory;                ///< for what is read
  Counter& refused;                    ///< counts clients that are sent away
  std::chrono::milliseconds patience;  ///< with clients that stand still: see StallWatch
  std::size_t read_at_once = 1 << 20;
  /// Requests of one client that wait for their answers; while there are as many, or of window::kBytes, it is not read.
  std::size_t pipeline = window::kWidest;
  bool in_order = true;       ///< answers go out in the order of the requests; else as they come
  bool answers_ended = true;  ///< also a client that sends nothing more gets its answers; else it has gone
};

/// Listens, keeps the sessions of its clients, and looks at them now and then for some that stand still. start(),
/// finish() and stop() are its owner's, on a thread that is not the loop's; the rest is called on the loop.
class Server {
 public:
  Server(Environment& environment, const ServerRules& rules);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// `accept` makes a session of a connection and has it open()ed, or drops it.
  Status start(const std::string& host, std::uint16_t port, Network::Accept accept);
  /// Listens and reads no more.
  void finish();
  /// And returns when all that was handed over is answered, after half a second at most: then no session is left. Legal
  /// in any state.
  void stop();

  void open(const std::shared_ptr<Session>& session);
  /// A client is sent away: counts it, and says so once a minute.
  void refuse(std::string_view peer, std::string_view why, std::string_view hint = {});

  // For its sessions.
  const ServerRules& rules() const { return rules_; }
  Environment& environment() const { return environment_; }
  void ended(Session& session);

 private:
  void sweep();
  void sweep_later();

  Environment& environment_;
  const ServerRules rules_;
  LogLimiter refusals_{60'000};
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Timer> sweeper_;
  SessionSet<Session> sessions_;
};

}  // namespace standpipe::rpc

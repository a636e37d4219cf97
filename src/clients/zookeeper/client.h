#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clients/zookeeper/options.h"
#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe::zookeeper {

/// A node's content, and how often it was set: what set() and remove() compare.
struct Node {
  std::string data;
  std::int32_t version = 0;
};

/// set() and remove() with this take whatever version is there.
inline constexpr std::int32_t kAnyVersion = -1;

enum class Watch : bool { no, yes };

/// A session with a ZooKeeper ensemble that is opened again when it expires, over the official C library.
///
/// Guarantees: a call ends within Options::request_timeout plus, where there is no session, connect_timeout, and within
/// a quarter of a second when the process is asked to end (base/pending_end.h); Code::unavailable, or timeout, says
/// that nobody answered. get() and children() are asked again after a lost connection; create(), set() and remove() are
/// not, and say Code::timeout where it is not known whether they happened. A node of more than 16 MiB is refused.
///
/// `on_change` comes after a node that was read with Watch::yes changed, appeared or went, and whenever a session was
/// established: whoever reads again then misses nothing. It comes too often rather than too seldom, on a thread of the
/// library: it must not block, nor call the client, and no call is under way any more when the destructor returns.
///
/// Threads. The library has two per session: one for its socket, on which nothing of ours runs but a line of the log,
/// and one that hands out answers and watches, on which they are noted under a mutex and on_change is called. A third
/// one, ours, opens and closes sessions, because both may wait for name servers and peers. Methods may be called by any
/// thread and block their caller: never call them on the network loop or a runner's thread that must stop promptly.
class Client {
 public:
  using OnChange = std::function<void()>;

  /// Begins to connect and does not wait for it. Code::invalid: a part of `options` is wrong; unavailable: the library
  /// is not installed. `log` outlives it.
  static Result<std::unique_ptr<Client>> open(const Options& options, Log& log, OnChange on_change = {});
  /// Ends the session, so that servers forget it. Waits a few seconds for that at most.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Whether there is a session with a server just now.
  bool connected() const;
  /// Until there is one; Code::unavailable names the servers and what to look at.
  Status wait_connected();

  /// Code::not_found: there is no such node; watched all the same. Code::invalid: no permission.
  Result<Node> get(const std::string& path, Watch watch = Watch::no);
  /// Names of the nodes below, sorted.
  Result<std::vector<std::string>> children(const std::string& path, Watch watch = Watch::no);
  /// Open for everybody, or where Options has an identity for that one only. Code::not_found: the node above is
  /// missing; Code::fenced: it is there already.
  Status create(const std::string& path, std::string_view data);
  /// The nodes above, too, as far as they are missing; theirs are empty.
  Status create_with_parents(const std::string& path, std::string_view data);
  /// Code::fenced: another version is there.
  Status set(const std::string& path, std::string_view data, std::int32_t version);
  Status remove(const std::string& path, std::int32_t version);

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

/// For `standpipe version`: "ZooKeeper client 3.8.0 (without TLS and SASL)", or that there is none.
std::string library_version();

}  // namespace standpipe::zookeeper

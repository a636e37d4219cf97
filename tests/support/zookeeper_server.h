#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/rpc_server.h"

namespace standpipe::testing {

/// A ZooKeeper server as far as a client notices, on plain sockets: sessions, nodes, one-shot watches, identities. Real
/// ones are in tests/interop/zookeeper; this one changes, expires and misbehaves at the moment that a test wants.
/// Thread-safe.
class ZookeeperTestServer final : public RpcTestServer {
 public:
  ZookeeperTestServer();
  ~ZookeeperTestServer();

  std::string connect_string() const { return "127.0.0.1:" + std::to_string(port()); }

  /// As another client would, watches and all.
  void put(const std::string& path, const std::string& data);
  void erase(const std::string& path);
  bool has(const std::string& path) const;
  std::string data(const std::string& path) const;
  /// "world:anyone", "auth:", as the node was made with.
  std::string owner(const std::string& path) const;

  /// All connections end, and every new one until away(false).
  void away(bool yes);
  /// Connections end, and who comes back hears that its session expired.
  void expire_sessions();
  /// Requests are read and not answered.
  void silent(bool yes);
  /// In place of the next answers these bytes.
  void answer_with(const std::string& bytes);
  /// "digest:user:password" of every client that gave one.
  std::vector<std::string> identities() const;
  std::size_t sessions() const;  ///< that were ever opened
  std::size_t goodbyes() const;  ///< that were closed by their client

 private:
  struct Stored {
    std::string data, owner;
    std::int32_t version = 0;
    std::int64_t changed = 0;  // zxid
  };
  struct Link;
  class In;
  class Out;
  enum class Kind { data, exists, children };

  void serve(Peer& peer);
  bool greet(Link& link);
  bool answer(Link& link, const std::string& request);
  Out carry_out(Link& link, std::int32_t type, In& in, std::int32_t& error);
  void set_watches(Link& link, In& in);
  void store(const std::string& path, const std::string& data, const std::string& owner);
  void fire(Kind kind, const std::string& path, std::int32_t type);
  std::vector<std::string> names_below(const std::string& path) const;
  static Out stat(const Stored& node);

  std::map<std::string, Stored> nodes_;
  std::int64_t zxid_ = 0;
  std::int64_t next_session_ = 1;
  std::set<std::int64_t> live_sessions_;
  std::set<Link*> links_;
  bool away_ = false;
  bool silent_ = false;
  std::string raw_;
  std::vector<std::string> identities_;
  std::size_t sessions_ = 0;
  std::size_t goodbyes_ = 0;
};

}  // namespace standpipe::testing

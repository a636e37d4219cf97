#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/configuration_source.h"
#include "clients/zookeeper/client.h"

namespace standpipe {

/// A configuration in ZooKeeper, as `-z` and `-p` of Flume mean it: one node holds the text. The session is opened by
/// the first read(), which waits for it (Options::connect_timeout); later ones fail at once while there is none,
/// because on_change tells when there is one again.
class ZookeeperSource final : public ConfigurationSource {
 public:
  /// `on_change`: called on a thread of the client when reading again may bring something new; must not block. Empty:
  /// the node is not watched, and no session is kept. `log` outlives it.
  ZookeeperSource(zookeeper::Options options, std::string path, Log& log, std::function<void()> on_change);

  /// Code::not_found: ZooKeeper answers and has no such node; unavailable, timeout: it does not answer.
  Result<std::vector<ConfigText>> read() override;
  /// As for a file, for what no watch tells.
  std::chrono::seconds default_interval() const override { return std::chrono::seconds(30); }

 private:
  Result<std::string> read_node();

  const zookeeper::Options options_;
  const std::string path_;
  Log& log_;
  const std::function<void()> on_change_;
  std::unique_ptr<zookeeper::Client> client_;
};

/// What a node is called in diagnostics: "zookeeper:/flume/a1", with the chroot of the connect string before it.
std::string zookeeper_name(const zookeeper::Options& options, const std::string& path);

}  // namespace standpipe

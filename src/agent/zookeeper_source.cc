#include "agent/zookeeper_source.h"

#include <fmt/format.h>

#include "clients/zookeeper/connect_string.h"

namespace standpipe {

ZookeeperSource::ZookeeperSource(zookeeper::Options options, std::string path, Log& log,
                                 std::function<void()> on_change)
    : options_(std::move(options)), path_(std::move(path)), log_(log), on_change_(std::move(on_change)) {}

Result<std::vector<ConfigText>> ZookeeperSource::read() {
  auto text = read_node();
  if (!on_change_) client_.reset();
  if (!text.ok() && text.status().code() == Code::not_found) {
    return Status(Code::not_found, fmt::format("{}; standpipe config push puts one there", text.status().message()));
  }
  if (!text.ok()) return text.status();
  return std::vector<ConfigText>{{zookeeper_name(options_, path_), std::move(text).value()}};
}

Result<std::string> ZookeeperSource::read_node() {
  if (client_ == nullptr) {
    TRY_ASSIGN(client_, zookeeper::Client::open(options_, log_, on_change_));
    TRY(client_->wait_connected());
  } else if (!client_->connected()) {
    return Status(Code::unavailable, fmt::format("ZooKeeper {} can't be reached", options_.connect));
  }
  TRY_ASSIGN(zookeeper::Node node, client_->get(path_, on_change_ ? zookeeper::Watch::yes : zookeeper::Watch::no));
  return std::move(node.data);
}

std::string zookeeper_name(const zookeeper::Options& options, const std::string& path) {
  const auto connect = zookeeper::parse_connect_string(options.connect);
  return fmt::format("zookeeper:{}{}", connect.ok() ? connect->chroot : "", path);
}

}  // namespace standpipe

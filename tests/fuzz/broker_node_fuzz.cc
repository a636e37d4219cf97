// What stands in ZooKeeper for a Kafka broker: whatever the bytes, reading ends, and what comes out can be put into a
// list of addresses and into a log as it is.

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "clients/zookeeper/broker_node.h"
#include "clients/zookeeper/connect_string.h"

namespace {

using namespace standpipe::zookeeper;

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == ',' || c == '/' || c == '[' || c == ']';
  });
}

void check_brokers(std::string_view bytes) {
  const auto endpoints = parse_broker_node(bytes);
  if (!endpoints.ok()) return;
  CHECK(endpoints->size() <= bytes.size());
  for (const BrokerEndpoint& endpoint : *endpoints) {
    CHECK(!endpoint.host.empty() && endpoint.host.size() <= bytes.size() && is_plain(endpoint.host));
    CHECK(endpoint.port > 0 && endpoint.port <= 65'535);
    CHECK(!endpoint.listener.empty() && is_plain(endpoint.listener));
    const BrokerEndpoint* found = find_endpoint(*endpoints, endpoint.protocol);
    CHECK(found != nullptr && found->protocol == endpoint.protocol);
  }
}

/// zookeeperConnect comes from the user's file, and with a fleet from elsewhere.
void check_connect_string(std::string_view bytes) {
  const auto connect = parse_connect_string(bytes);
  if (!connect.ok()) return;
  const auto again = parse_connect_string(connect->text());
  CHECK(again.ok() && again->text() == connect->text() && again->for_library() == connect->for_library());
  CHECK(connect->chroot.empty() || check_path(connect->chroot).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_brokers(bytes);
  check_connect_string(bytes);
  return 0;
}

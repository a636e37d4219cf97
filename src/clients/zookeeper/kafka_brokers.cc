#include "clients/zookeeper/kafka_brokers.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/zookeeper/broker_node.h"

namespace standpipe::zookeeper {

namespace {

constexpr std::string_view kIds = "/brokers/ids";
constexpr std::size_t kMaxBrokers = 10'000;
constexpr std::size_t kEnoughBrokers = 64;         // to start from: a client learns of the others from any one
constexpr std::chrono::seconds kSearchWithin{30};  // however many nodes there are and however slowly they come

std::string address(const BrokerEndpoint& endpoint) {
  const bool colons = endpoint.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(colons ? "[{}]:{}" : "{}:{}"), endpoint.host, endpoint.port);
}

/// Numbers by their size: "2" before "10". What is no number is no broker.
std::vector<std::int64_t> broker_ids(const std::vector<std::string>& names) {
  std::vector<std::int64_t> ids;
  for (const std::string& name : names) {
    const auto id = parse_integer(name);
    if (id && *id >= 0 && std::to_string(*id) == name) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  ids.resize(std::min(ids.size(), kMaxBrokers));
  return ids;
}

/// What was found so far, broker by broker.
struct Search {
  std::string servers;
  std::size_t found = 0;
  std::set<std::string> others;  // protocols of brokers that lack the one looked for
  std::string trouble;           // with the last broker that could not be read
};

Status look_at_broker(Client& client, std::int64_t id, std::string_view protocol, Log& log, Search& search) {
  const std::string path = fmt::format("{}/{}", kIds, id);
  const auto node = client.get(path);
  if (!node.ok() && node.status().code() == Code::not_found) return {};  // it has gone meanwhile
  if (!node.ok()) return node.status();
  const auto endpoints = parse_broker_node(node->data);
  if (!endpoints.ok()) {
    search.trouble = fmt::format("{} in ZooKeeper: {}", path, endpoints.status().message());
    log.warn(fmt::format("Kafka broker {} is passed over: {}", id, search.trouble));
    return {};
  }
  const BrokerEndpoint* endpoint = find_endpoint(*endpoints, protocol);
  if (endpoint == nullptr) {
    for (const BrokerEndpoint& other : *endpoints) search.others.insert(other.protocol);
    return {};
  }
  search.servers += (search.servers.empty() ? "" : ",") + address(*endpoint);
  ++search.found;
  return {};
}

Status nothing_found(const Search& search, std::string_view protocol) {
  if (!search.others.empty()) {
    return {Code::invalid, fmt::format("no Kafka broker in ZooKeeper speaks {}; they speak {}: set security.protocol "
                                       "to what is right there, or name brokers in kafka.bootstrap.servers",
                                       protocol, fmt::join(search.others, ", "))};
  }
  if (!search.trouble.empty()) return {Code::corrupt, search.trouble};
  return {Code::unavailable, fmt::format("no Kafka broker is registered below {} in ZooKeeper now", kIds)};
}

}  // namespace

Result<std::string> kafka_bootstrap_servers(Client& client, std::string_view protocol, Log& log) {
  const std::string wanted = protocol.empty() ? "PLAINTEXT" : protocol_name(protocol);
  const auto names = client.children(std::string(kIds));
  if (!names.ok() && names.status().code() == Code::not_found) {
    return Status(
        Code::unavailable,
        fmt::format("{}; is zookeeperConnect without the chroot that the brokers have in zookeeper.connect, or "
                    "do they run without ZooKeeper (KRaft)? Then name them in kafka.bootstrap.servers",
                    names.status().message()));
  }
  if (!names.ok()) return names.status();
  Search search;
  const auto deadline = std::chrono::steady_clock::now() + kSearchWithin;
  for (const std::int64_t id : broker_ids(*names)) {
    if (std::chrono::steady_clock::now() >= deadline) break;
    TRY(look_at_broker(client, id, wanted, log, search));
    if (search.found == kEnoughBrokers) break;
  }
  if (search.servers.empty()) return nothing_found(search, wanted);
  return std::move(search.servers);
}

Result<std::string> kafka_bootstrap_servers(const Options& options, std::string_view protocol, Log& log) {
  TRY_ASSIGN(const std::unique_ptr<Client> client, Client::open(options, log));
  TRY(client->wait_connected());
  return kafka_bootstrap_servers(*client, protocol, log);
}

}  // namespace standpipe::zookeeper

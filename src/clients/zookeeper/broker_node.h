#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe::zookeeper {

/// Where a Kafka broker in ZooKeeper mode can be reached, by one of its listeners.
struct BrokerEndpoint {
  std::string listener;  ///< "PLAINTEXT", "EXTERNAL"
  std::string protocol;  ///< "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"
  std::string host;      ///< a name or an address, without brackets
  int port = 0;

  bool operator==(const BrokerEndpoint&) const = default;
};

/// Reads the content of /brokers/ids/N as brokers of Kafka 0.8 to 3.9 write it, versions 1 to 5: version 1 has one host
/// and port without encryption, 2 and 3 name their listeners like the protocol, from 4 on a map says which protocol a
/// listener speaks. Later versions are read as 5 is. At most 64 KiB and 64 endpoints; Code::corrupt says what is wrong.
/// An endpoint that nobody could connect to (no host, no port) is passed over.
Result<std::vector<BrokerEndpoint>> parse_broker_node(std::string_view json);

/// "sasl_ssl": "SASL_SSL", as brokers write it.
std::string protocol_name(std::string_view text);

/// The endpoint that a client with this security.protocol takes: the listener of the protocol's own name, which is all
/// that Flume looks for, else the first one that speaks it. Null: there is none.
const BrokerEndpoint* find_endpoint(const std::vector<BrokerEndpoint>& endpoints, std::string_view protocol);

}  // namespace standpipe::zookeeper

#pragma once

#include <string>
#include <string_view>

#include "clients/zookeeper/client.h"
#include "standpipe/status.h"

namespace standpipe::zookeeper {

/// "host:port,host:port" of all brokers that are registered in ZooKeeper now and speak `protocol` ("PLAINTEXT" and so
/// on, in any case): a value for bootstrap.servers, in the order of their ids. `options.connect` has the chroot that
/// the brokers have in zookeeper.connect. Blocks for some seconds at most, see Client. Code::unavailable: ZooKeeper
/// does not answer, or no broker is there now; invalid: none of them speaks the protocol, and the message says what
/// they do speak. A broker whose entry can't be read is named in the log and passed over, unless there is no other.
Result<std::string> kafka_bootstrap_servers(const Options& options, std::string_view protocol, Log& log);
/// The same over an open client.
Result<std::string> kafka_bootstrap_servers(Client& client, std::string_view protocol, Log& log);

}  // namespace standpipe::zookeeper

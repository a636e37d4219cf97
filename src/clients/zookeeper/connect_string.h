#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe::zookeeper {

/// "zk1:2181,zk2,[::1]:2182/kafka": the servers of one ensemble, and the node below which all paths lie.
struct ConnectString {
  struct Server {
    std::string host;  ///< a name or an address, without brackets
    int port = 2181;
  };
  std::vector<Server> servers;
  std::string chroot;  ///< "/kafka"; empty: none

  std::string text() const;         ///< as a user writes it: "zk1:2181,zk2:2181,[::1]:2182/kafka"
  std::string for_library() const;  ///< as the C library takes it: it knows no brackets, and no default port
};

/// Code::invalid says which part is wrong. At most 64 servers; blanks round commas don't count.
Result<ConnectString> parse_connect_string(std::string_view text);

/// Whether ZooKeeper takes `path` for a node: absolute, no empty part, no `.` or `..`, no control characters.
Status check_path(std::string_view path);

/// "/flume" and "a1": "/flume/a1". `base` may end in a slash, and be nothing but one.
std::string join_path(std::string_view base, std::string_view name);

}  // namespace standpipe::zookeeper

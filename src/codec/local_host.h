#pragma once

#include <string>

namespace standpipe {

/// This machine as Java's InetAddress.getLocalHost() sees it: what its host name resolves to, often 127.0.1.1.
struct LocalHost {
  std::string name;       ///< gethostname()
  std::string address;    ///< first IPv4 address of that name, else the first of any kind
  std::string canonical;  ///< fully qualified name, or `name` when there is none
  bool resolved = false;  ///< false: the name has no address; `address` is then "127.0.0.1"
};

/// Asked once per process, on first use: that call may wait for a name server. Thread-safe.
const LocalHost& local_host();

}  // namespace standpipe

#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "standpipe/status.h"

namespace standpipe {

/// What to fetch, and how much of it and how long to wait.
struct HttpGet {
  std::string url;  ///< http or https; nothing else is followed
  std::string user, password;
  std::size_t max_bytes = 16u << 20;
  std::chrono::seconds timeout{60};
};

/// The body of a GET that the server answered with 200. Blocks; any thread.
///
/// libcurl is loaded at the first call and stays: with what it links itself (TLS, Kerberos, LDAP) it would be a third
/// of the memory of an idle agent, and nearly none of them ever asks.
Result<std::string> http_get(const HttpGet& request);

/// "libcurl/7.88.1 OpenSSL/3.0.11 …", or why there is none.
std::string http_library_version();

}  // namespace standpipe

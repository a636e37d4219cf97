#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe::zookeeper {

/// How to reach one ensemble, and who one is there.
struct Options {
  std::string connect;  ///< what parse_connect_string() takes
  /// Kept by servers without word from us; they may grant less or more.
  std::chrono::milliseconds session_timeout{30'000};
  std::chrono::milliseconds connect_timeout{10'000};  ///< how long to wait for a session before giving up
  std::chrono::milliseconds request_timeout{10'000};  ///< how long to wait for an answer
  std::string auth_scheme;                            ///< "digest"; empty: nobody in particular
  std::string auth;                                   ///< "user:password"; never printed
  std::vector<std::string> notes;                     ///< what is not used, for the log
};

/// Reads what -D properties say: standpipe.zookeeper.session.timeout.ms, .connect.timeout.ms and .auth.file, whose
/// first line is "scheme:identity" ("digest:user:password"); the identity is hidden from every log from now on. What
/// Java's client would encrypt and this one can't is refused, Code::invalid: without TLS the configuration would be
/// readable on the way.
Result<Options> read_options(std::string_view connect,
                             const std::map<std::string, std::string, std::less<>>& properties);

}  // namespace standpipe::zookeeper

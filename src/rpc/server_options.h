#pragma once

#include <cstddef>

#include "rpc/server.h"
#include "standpipe/environment.h"
#include "standpipe/option.h"
#include "standpipe/settings.h"

/// The options of servers of requests, for their tables, and what they say.
namespace standpipe::rpc::server_options {

inline constexpr std::int64_t kLargestRequest = 1 << 30;

inline constexpr Option kBind = {
    .name = "bind", .kind = Kind::host, .help = "Address to listen on; 0.0.0.0 means all.", .required = true};
inline constexpr Option kPort = {.name = "port", .kind = Kind::port, .help = "Port to listen on.", .required = true};
inline constexpr Option kMaxRequest = {
    .name = "max-request-bytes",
    .kind = Kind::integer,
    .fallback = "0",
    .help = "The largest request that is read; 0 means a quarter of the memory budget.",
    .unit = "bytes",
    .min = 0,
    .max = kLargestRequest};
inline constexpr Option kStallTimeout = {.name = "request-timeout",
                                         .kind = Kind::duration,
                                         .fallback = "60000",
                                         .help =
                                             "A client that stops in the middle of a request, or reads none of its "
                                             "answers, is disconnected after this time.",
                                         .unit = "ms",
                                         .min = 1};

/// How a source serves.
ServerRules source_rules(const Settings& settings, Environment& environment);
/// What max-request-bytes comes to; a line in the log where it can't be had.
std::size_t max_request(const Settings& settings, Environment& environment);

}  // namespace standpipe::rpc::server_options

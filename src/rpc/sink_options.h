#pragma once

#include "net/network.h"
#include "standpipe/option.h"
#include "standpipe/settings.h"

/// The options of every sink that sends to another agent, for its table.
namespace standpipe::rpc::sink_options {

inline constexpr Option kHostname = {
    .name = "hostname", .kind = Kind::host, .help = "Host to send to.", .required = true};
inline constexpr Option kPort = {.name = "port", .kind = Kind::port, .help = "Port to send to.", .required = true};
inline constexpr Option kBatchSize = {.name = "batch-size",
                                      .kind = Kind::integer,
                                      .fallback = "100",
                                      .help = "Most events in one request.",
                                      .unit = "events",
                                      .lenient = true,
                                      .min = 1,
                                      .max = 1'000'000};
inline constexpr Option kConnectTimeout = {.name = "connect-timeout",
                                           .kind = Kind::duration,
                                           .fallback = "20000",
                                           .help = "Longest time to connect; at least a second.",
                                           .unit = "ms",
                                           .lenient = true,
                                           .min = 1000};
inline constexpr Option kRequestTimeout = {.name = "request-timeout",
                                           .kind = Kind::duration,
                                           .fallback = "20000",
                                           .help = "Longest time to wait for an answer; at least a second.",
                                           .unit = "ms",
                                           .lenient = true,
                                           .min = 1000};
inline constexpr Option kResetInterval = {
    .name = "reset-connection-interval",
    .kind = Kind::duration,
    .fallback = "0",
    .help = "How often to connect anew, so that a load balancer can move the connection; 0 means never.",
    .unit = "s",
    .min = 0};

/// Where `settings` say to connect to.
ConnectOptions peer(const Settings& settings);

}  // namespace standpipe::rpc::sink_options

#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "standpipe/environment.h"
#include "standpipe/option.h"
#include "standpipe/status.h"

namespace standpipe::channel_options {

/// What the tables of channels have in common. `lenient`: as Flume's channel of that kind does with a bad value.
constexpr Option events(std::string_view name, std::string_view fallback, std::string_view help, bool lenient = true,
                        std::int64_t least = 1) {
  return {.name = name,
          .kind = Kind::integer,
          .fallback = fallback,
          .help = help,
          .unit = "events",
          .lenient = lenient,
          .min = least,
          .max = std::numeric_limits<std::int32_t>::max()};
}

constexpr Option capacity(std::string_view fallback, bool lenient = true) {
  return events("capacity", fallback, "Events that the channel holds at most.", lenient);
}

constexpr Option transaction_capacity(std::string_view fallback) {
  return events("transactionCapacity", fallback,
                "Events that a sink gets in one take at most. A put may be larger, up to the capacity.");
}

constexpr Option keep_alive(bool lenient) {
  return {.name = "keep-alive",
          .kind = Kind::duration,
          .fallback = "3",
          .help = "How long a put waits for room before it fails.",
          .unit = "s",
          .lenient = lenient,
          .min = 0};
}

constexpr Option byte_capacity(std::string_view help) {
  return {.name = "byteCapacity", .kind = Kind::integer, .help = help, .unit = "bytes", .min = 0};
}

inline constexpr Option kByteCapacityBufferPercentage{
    .name = "byteCapacityBufferPercentage",
    .kind = Kind::integer,
    .fallback = "20",
    .help = "Share of byteCapacity that Flume sets aside for headers.",
    .min = 0,
    .max = 100,
    .no_effect = "headers are counted as they are, so that nothing has to be set aside for them"};

/// transactionCapacity as it is used: never above the capacity, which is said in the log.
std::int64_t transaction_events(std::int64_t wanted, std::int64_t capacity, Log& log);

/// What reconfigure() says of a property that a running channel can't take over.
Status needs_restart(std::string_view property);

}  // namespace standpipe::channel_options

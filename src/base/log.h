#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe {

/// Where the process writes its log, once at start.
struct LogTarget {
  Log::Level level = Log::Level::info;
  bool console = true;  ///< standard error
  /// Empty: none. Else a file, rotated at `max_bytes`, `max_files` kept; its folder is made.
  std::string file;
  std::size_t max_bytes = 100u << 20;
  std::size_t max_files = 10;
  bool raw_data = false;  ///< -Dorg.apache.flume.log.rawdata: events may stand in the log, at DEBUG
};

/// Sets up the process's log. Call before other threads log; may be called again (a test). Code::io: the file can't be
/// written, and everything goes to standard error instead.
Status configure_logging(const LogTarget& target);

/// A log whose lines carry `origin` ("sink k1"): "2026-11-21 11:24:05,123 INFO  [sink k1] message".
/// Control characters in a message are escaped, so that a line of input can't forge a line of the log; what
/// keep_secret() was given is hidden.
std::unique_ptr<Log> make_log(std::string origin);

/// Whether the bytes of events may be logged: LogTarget::raw_data.
bool raw_data_is_logged();

/// The process's own log, for what belongs to no component.
Log& process_log();

/// "DEBUG" in any case; also FATAL and WARNING, OFF and ALL as log4j knows them.
std::optional<Log::Level> parse_log_level(std::string_view text);

/// Lets one message pass per interval and counts the rest: for errors that repeat with every event. Thread-safe.
class LogLimiter {
 public:
  explicit LogLimiter(std::int64_t interval_ms) : interval_ms_(interval_ms) {}
  /// How many were held back since the last one that passed, when this one may pass.
  std::optional<std::uint64_t> pass(std::int64_t now_ms);

 private:
  const std::int64_t interval_ms_;
  std::atomic<std::int64_t> next_ms_{0};
  std::atomic<std::uint64_t> held_{0};
};

}  // namespace standpipe

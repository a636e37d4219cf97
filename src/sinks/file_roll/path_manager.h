#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "codec/java_date.h"

namespace standpipe::file_roll {

/// Gives the files of one sink their names, as Flume's path managers do. One thread; `clock` must outlive it.
class PathManager {
 public:
  enum class Scheme : unsigned char {
    counter,    ///< DEFAULT: <prefix><ms of the sink's creation>-<n>[.extension]
    roll_time,  ///< ROLLTIME: <prefix><yyyyMMddHHmmss>-<n>[.extension], n from 1 within the second
  };

  PathManager(Scheme scheme, std::string folder, std::string prefix, std::string extension, Clock& clock);

  /// Another name with every call.
  std::string next();

 private:
  std::string stem();

  const Scheme scheme_;
  const std::string folder_;
  const std::string prefix_;
  const std::string extension_;
  Clock& clock_;
  const std::int64_t created_ms_;
  const TimeZone zone_ = TimeZone::local();
  std::string last_second_;
  std::uint64_t index_ = 0;
};

}  // namespace standpipe::file_roll

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "codec/path_escapes.h"
#include "codec/serializers/event_serializer.h"
#include "sinks/hdfs/file_format.h"
#include "standpipe/environment.h"
#include "standpipe/settings.h"

namespace standpipe::hdfs {

/// How finished files are called.
enum class FileNames : unsigned char {
  counter,  ///< prefix.<milliseconds, counted up>suffix: Flume's, never the same twice
  unique,   ///< prefix + suffix; "-1", "-2"… before the suffix where that name is taken
  exact,    ///< prefix + suffix; where that name is taken the events wait and the failure is reported
};

/// The settings of one hdfs sink, checked and taken apart. Immutable after parse.
struct Config {
  /// `environment` gives the log for warnings. Nothing outside the process is touched.
  static Result<Config> parse(const Settings& settings, Environment& environment);

  PathTemplate folder;  ///< hdfs.path without its scheme, absolute
  PathTemplate prefix;
  PathTemplate suffix;  ///< a constant unless hdfs.fileSuffixEscapes
  std::string root;     ///< hdfs.pathRoot; empty: none
  std::string in_use_prefix;
  std::string in_use_suffix;
  FileNames file_names = FileNames::counter;

  std::chrono::milliseconds roll_interval{0};  ///< 0: never
  std::uint64_t roll_size = 0;                 ///< 0: never
  std::uint64_t roll_count = 0;                ///< 0: never
  std::chrono::milliseconds idle_timeout{0};   ///< 0: never
  std::size_t max_open_files = 5000;
  std::size_t batch_size = 100;
  std::uint64_t close_tries = 0;
  std::chrono::milliseconds retry_interval{0};
  bool sync = true;

  FormatFactory format;
};

}  // namespace standpipe::hdfs

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "channels/file/flume/file_window.h"
#include "channels/file/flume/log_record.h"
#include "standpipe/environment.h"

namespace standpipe::file_channel::flume {

/// One of Flume's log files.
struct LogFile {
  std::uint32_t id = 0;
  std::string path;
  LogMeta meta;
};

struct PlacedRecord {
  std::uint32_t offset;
  LogRecord record;
};

/// Reads one log record by record, as Flume does at a start. Bodies are passed over.
class LogReader {
 public:
  struct Options {
    std::uint64_t position = 0;  ///< where the first record stands
    std::size_t chunk = 256 * 1024;
  };
  static Result<LogReader> open(FileSystem& files, Log& log, const LogFile& file, Options options);

  /// None: the end. A torn tail, behind which no record follows, is one too, and is logged. Code::corrupt: damage with
  /// records behind it.
  Result<std::optional<PlacedRecord>> next();
  std::uint32_t id() const { return id_; }

 private:
  LogReader(FileWindow window, Log& log, std::uint32_t id, Options options);
  /// What stands at the position; none: it makes no sense.
  Result<std::optional<PlacedRecord>> read_record();
  Status pass_damage();
  Result<bool> record_follows(std::uint64_t offset);

  FileWindow window_;
  Log* log_;
  std::uint32_t id_;
  std::uint64_t position_;
};

/// Reads single events. Fast where pointers ascend within each log.
class EventReader {
 public:
  EventReader(FileSystem& files, const std::map<std::uint32_t, LogFile>& logs) : files_(files), logs_(logs) {}

  struct Found {
    std::optional<LogEvent> event;  ///< stays until the next call
    std::string_view why_not;       ///< "its checksum does not agree"; empty: Flume's integrity tool took it out
  };
  /// Code::io where the log can't be read now.
  Result<Found> read(Pointer pointer);
  /// When the record was written, among all; 0: it can't be told.
  Result<std::int64_t> order_of(Pointer pointer);

 private:
  Result<FileWindow*> window_of(std::uint32_t log);

  FileSystem& files_;
  const std::map<std::uint32_t, LogFile>& logs_;
  struct Open {
    FileWindow window;
    std::uint64_t used;
  };
  std::map<std::uint32_t, Open> open_;
  std::uint64_t turn_ = 0;
};

}  // namespace standpipe::file_channel::flume

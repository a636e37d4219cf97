// Log files of Flume's file channel: no bytes crash the reader or make it ask for more memory than there are; what it
// finds are events that stand in the logs, and they survive being written again.
//
// The input: where the second log begins (2 bytes), then two logs. Their .meta says nothing of a checkpoint.

#include <cstdint>
#include <string>

#include "base/check.h"
#include "channels/file/flume/backlog.h"
#include "channels/file/flume/log_reader.h"
#include "channels/file/flume/log_record.h"
#include "channels/file/little_endian.h"
#include "io/memory_file_system.h"

using namespace standpipe;
using namespace standpipe::file_channel;
using namespace standpipe::file_channel::flume;

namespace {

class NoLog final : public Log {
 public:
  bool enabled(Level) const override { return false; }
  void write(Level, std::string_view) override {}
};

void write(FileSystem& files, const std::string& path, std::string_view bytes) {
  CHECK(write_file_atomically(files, path, bytes).ok());
}

void check_event(const LogEvent& event, std::size_t size) {
  CHECK(event.body.size() < size && event.headers.bytes() < size);
  std::string again;
  append_put(again, 1, 2, event.headers, event.body);
  CHECK(again.size() == put_size(event.headers, event.body));
  const auto parsed = parse_event(std::string_view(again).substr(kRecordPrefix));
  CHECK(parsed && parsed->headers == event.headers && parsed->body == event.body);
}

void check_meta(std::string_view bytes) {
  const auto meta = parse_log_meta(bytes);
  if (!meta || !meta->encryption.empty()) return;
  const auto again = parse_log_meta(format_log_meta(*meta));
  CHECK(again && again->log == meta->log && again->position == meta->position && again->order == meta->order);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_meta(bytes);
  if (size < 2) return 0;
  const std::string_view logs = bytes.substr(2);
  const std::size_t first = load<std::uint16_t>(bytes.data()) % (logs.size() + 1);
  MemoryFileSystem disk;
  NoLog log;
  CHECK(disk.make_directories("/d").ok() && disk.make_directories("/c").ok());
  write(disk, "/d/log-1", logs.substr(0, first));
  write(disk, "/d/log-2", logs.substr(first));
  write(disk, "/d/log-1.meta", format_log_meta({.log = 1}));
  write(disk, "/d/log-2.meta", format_log_meta({.log = 2}));
  const auto backlog = read_backlog(disk, log, {"/c", {"/d"}, {}});
  if (!backlog.ok()) return 0;
  CHECK(backlog->waiting.size() <= logs.size() / kRecordPrefix);
  EventReader reader(disk, backlog->logs);
  for (const Pointer pointer : backlog->waiting) {
    const auto found = reader.read(pointer);
    CHECK(found.ok());
    if (found->event) check_event(*found->event, size);
  }
  return 0;
}

#include "channels/file/export.h"

#include <algorithm>

#include <fmt/format.h>

#include "channels/file/backlog_reader.h"
#include "channels/file/flume/log_writer.h"
#include "channels/file/known_folders.h"
#include "codec/serializers/event_serializer.h"

namespace standpipe::file_channel {

namespace {

constexpr std::size_t kWriteSize = 1u << 20;
constexpr std::string_view kUnfinished = ".tmp";

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// The name under which it is written; it gets its own when it is whole.
Result<std::string> unfinished_name(FileSystem& files, const std::string& path) {
  const std::string unfinished = path + std::string(kUnfinished);
  for (const std::string& name : {path, unfinished}) {
    const auto there = files.info(name, false);
    if (there.ok()) return Status(Code::invalid, name + " is there already: name a new one, or remove it");
    if (there.status().code() != Code::not_found) return there.status();
  }
  return unfinished;
}

Status give_name(FileSystem& files, const std::string& from, const std::string& to) {
  TRY(files.rename_new(from, to));
  return files.sync_directory(parent_of(to));
}

Status remove_folder(FileSystem& files, const std::string& folder) {
  TRY_ASSIGN(const auto names, files.list(folder));
  for (const std::string& name : names) {
    const std::string path = folder + "/" + name;
    TRY_ASSIGN(const FileInfo info, files.info(path, false));
    TRY(info.type == FileInfo::Type::directory ? remove_folder(files, path) : files.remove(path));
  }
  return files.remove_directory(folder);
}

class AvroTarget final : public ExportTarget {
 public:
  AvroTarget(FileSystem& files, std::unique_ptr<File> file, std::string path, std::string unfinished,
             std::unique_ptr<EventSerializer> serializer)
      : files_(files),
        file_(std::move(file)),
        path_(std::move(path)),
        unfinished_(std::move(unfinished)),
        serializer_(std::move(serializer)) {}

  ~AvroTarget() override {
    if (!finished_) files_.remove(unfinished_).ignore();  // the next export names it
  }

  Status begin() { return serializer_->begin(bytes_); }

  Status add(const EventRef& event) override {
    TRY(serializer_->append(event, bytes_));
    return bytes_.size() >= kWriteSize ? write() : Status();
  }

  Status finish() override {
    TRY(serializer_->finish(bytes_));
    TRY(write());
    TRY(file_->sync());
    TRY(file_->close());
    finished_ = true;
    return give_name(files_, unfinished_, path_);
  }

 private:
  Status write() {
    TRY(file_->write(bytes_));
    bytes_.clear();
    return {};
  }

  FileSystem& files_;
  std::unique_ptr<File> file_;
  const std::string path_;
  const std::string unfinished_;
  std::unique_ptr<EventSerializer> serializer_;
  std::string bytes_;
  bool finished_ = false;
};

class FlumeTarget final : public ExportTarget {
 public:
  FlumeTarget(FileSystem& files, std::string path, std::string unfinished)
      : files_(files),
        path_(std::move(path)),
        unfinished_(std::move(unfinished)),
        writer_(files, unfinished_ + "/data") {}

  ~FlumeTarget() override {
    if (!finished_) remove_folder(files_, unfinished_).ignore();  // the next export names it
  }

  Status add(const EventRef& event) override { return writer_.add(*event.headers, event.body); }

  Status finish() override {
    TRY(writer_.finish());
    TRY(files_.sync_directory(unfinished_));
    finished_ = true;
    return give_name(files_, unfinished_, path_);
  }

 private:
  FileSystem& files_;
  const std::string path_;
  const std::string unfinished_;
  flume::LogWriter writer_;
  bool finished_ = false;
};

/// The numbers that wait: all below `next` that are not gone.
std::vector<Range> waiting_numbers(const IntervalSet& gone, std::uint64_t next) {
  std::vector<Range> waiting;
  std::uint64_t first = 0;
  for (const Range& range : gone.ranges()) {
    if (range.first > first) waiting.push_back({first, std::min(range.first, next)});
    first = std::max(first, range.end);
  }
  if (first < next) waiting.push_back({first, next});
  return waiting;
}

}  // namespace

Result<std::unique_ptr<ExportTarget>> export_to_avro(FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const std::string unfinished, unfinished_name(files, path));
  TRY_ASSIGN(const SerializerFactory factory, SerializerFactory::make("avro_event", {}));
  TRY_ASSIGN(auto file, files.open(unfinished, FileSystem::Mode::create_new));
  auto target = std::make_unique<AvroTarget>(files, std::move(file), path, unfinished, factory());
  TRY(target->begin());
  return std::unique_ptr<ExportTarget>(std::move(target));
}

Result<std::unique_ptr<ExportTarget>> export_to_flume(FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const std::string unfinished, unfinished_name(files, path));
  TRY(files.make_directories(unfinished + "/checkpoint"));
  TRY(files.make_directories(unfinished + "/data"));
  return std::unique_ptr<ExportTarget>(std::make_unique<FlumeTarget>(files, path, unfinished));
}

Result<Exported> export_events(const Folders& folders, const KeyRing& keys, Environment& environment,
                               ExportTarget& target) {
  TRY_ASSIGN(Recovered recovered, recover(folders, keys, environment, nullptr));
  std::vector<SegmentList> lists(recovered.segments.size());
  std::vector<const SegmentList*> directories;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    for (Segment& segment : recovered.segments[i]) lists[i].add(std::move(segment));
    directories.push_back(&lists[i]);
  }
  Exported exported;
  exported.lost = count_of(recovered.lost);
  const DirectoryReader::Context reading{environment.files, recovered.channel_id, keys, environment.budget};
  BacklogReader reader(reading, directories, [&](const std::string& path, const Damage& damage) {
    exported.damaged += damage.numbers.size();
    environment.log.error(fmt::format("{}: damage at {}, {} bytes ({}), {} events", path, damage.offset, damage.bytes,
                                      damage.what, damage.numbers.size()));
  });
  for (Range numbers : waiting_numbers(recovered.gone, recovered.next)) {
    while (numbers.first < numbers.end) {
      TRY_ASSIGN(const BacklogReader::Loaded loaded, reader.read(numbers));
      for (const Range& range : loaded.missing) exported.missing += range.size();
      for (const NumberedEvents& events : loaded.events) {
        for (std::size_t i = 0; i < events.count; ++i) TRY(target.add((*events.batch)[events.at + i]));
        exported.events += events.count;
      }
      numbers.first = loaded.end;
    }
  }
  TRY(target.finish());
  return exported;
}

}  // namespace standpipe::file_channel

#include "sources/spooldir/tracker_file.h"

#include <algorithm>
#include <cstring>

#include "base/failpoint.h"
#include "codec/avro/container_reader.h"
#include "codec/avro/datum.h"

namespace standpipe::spooldir {

namespace {
constexpr std::string_view kSchema =
    R"({"type":"record","name":"TransferStateFileMeta","namespace":"org.apache.flume.serialization",)"
    R"("fields":[{"name":"offset","type":"long"}]})";
constexpr std::uint64_t kLargest = 64u << 20;
}  // namespace

Result<std::optional<TrackedPosition>> parse_tracker(std::string_view bytes) {
  if (bytes.empty()) return std::optional<TrackedPosition>();
  TRY_ASSIGN(
      avro::ContainerReader reader,
      avro::ContainerReader::open([bytes](std::uint64_t offset, char* target, std::size_t size) -> Result<std::size_t> {
        if (offset >= bytes.size()) return std::size_t{0};
        const std::size_t got = std::min<std::size_t>(size, bytes.size() - offset);
        std::memcpy(target, bytes.data() + offset, got);
        return got;
      }));
  const auto file = reader.metadata().find("file");
  if (file == reader.metadata().end()) return Status(Code::corrupt, "the tracker names no file");
  TrackedPosition position{file->second, 0};
  for (;;) {
    const auto datum = reader.next();
    if (!datum.ok() || !datum->has_value()) return std::optional(position);
    avro::DatumReader fields(**datum);
    std::int64_t offset = 0;
    if (!fields.get_long(offset) || offset < 0) return Status(Code::corrupt, "the tracker holds no offset");
    position.offset = static_cast<std::uint64_t>(offset);
  }
}

Result<std::optional<TrackedPosition>> TrackerFile::load() const {
  auto bytes = read_file(files_, path_, kLargest);
  if (!bytes.ok() && bytes.status().code() == Code::not_found) return std::optional<TrackedPosition>();
  if (!bytes.ok()) return bytes.status();
  auto position = parse_tracker(*bytes);
  if (!position.ok()) return position.status().with_context(path_);
  return position;
}

// A container with one record, complete before it takes the old one's place.
Status TrackerFile::begin(const TrackedPosition& position) {
  out_ = nullptr;
  file_.clear();
  writer_.emplace(
      avro::ContainerWriter::Options{.schema_json = std::string(kSchema), .metadata = {{"file", position.file}}});
  std::string bytes;
  writer_->header(bytes);
  avro::put_long(writer_->pending(), static_cast<std::int64_t>(position.offset));
  TRY(writer_->appended(bytes));
  TRY(writer_->finish_block(bytes));
  const std::string temporary = path_ + ".tmp";
  TRY_ASSIGN(out_, files_.open(temporary, FileSystem::Mode::create));
  TRY(out_->write(bytes));
  FAILPOINT("spooldir.after_position_tmp");
  TRY(files_.rename(temporary, path_));
  file_ = position.file;
  return {};
}

Status TrackerFile::store(const TrackedPosition& position) {
  if (file_ != position.file || out_ == nullptr) return begin(position);
  std::string bytes;
  avro::put_long(writer_->pending(), static_cast<std::int64_t>(position.offset));
  TRY(writer_->appended(bytes));
  TRY(writer_->finish_block(bytes));
  Status written = out_->write(bytes);
  // Behind half a record no later one would be read: the next position begins a new tracker.
  if (!written.ok()) out_ = nullptr;
  return written;
}

Status TrackerFile::clear() {
  out_ = nullptr;
  file_.clear();
  const Status removed = files_.remove(path_);
  return removed.code() == Code::not_found ? Status() : removed;
}

}  // namespace standpipe::spooldir

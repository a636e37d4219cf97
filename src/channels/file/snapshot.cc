#include "channels/file/snapshot.h"

#include <fmt/format.h>

#include "channels/file/little_endian.h"
#include "channels/file/record.h"
#include "channels/file/segment_format.h"
#include "io/crc32c.h"

namespace standpipe::file_channel {

namespace {

constexpr std::string_view kSnapshotMagic = "SPSNAP1\n";
constexpr std::string_view kConsumedMagic = "SPCONS1\n";
constexpr std::string_view kRecordMagic = "SpC1";
constexpr std::string_view kSnapshotPrefix = "snapshot-";
constexpr std::string_view kConsumedPrefix = "consumed-";
constexpr std::size_t kHeader = 64;
constexpr std::size_t kCovered = 12;
constexpr std::size_t kRecordFront = 16;
constexpr std::size_t kRangeSize = 16;

std::string format_header(std::string_view magic, std::uint64_t channel_id, std::uint64_t generation) {
  std::string bytes(magic);
  append(bytes, std::uint32_t{0});
  append(bytes, kFormat);
  append(bytes, std::uint16_t{0});
  append(bytes, channel_id);
  append(bytes, generation);
  return bytes;
}

void seal(std::string& bytes) { store(bytes.data() + 8, crc32c(0, std::string_view(bytes).substr(kCovered))); }

void append(std::string& bytes, Range range) {
  file_channel::append(bytes, range.first);
  file_channel::append(bytes, range.end);
}

/// Takes numbers and texts from the front; once it ran out, everything is zero and good() false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <typename Number>
  Number number() {
    const std::string_view taken = text(sizeof(Number));
    return taken.empty() ? Number{} : load<Number>(taken.data());
  }
  std::string_view text(std::size_t size) {
    if (bytes_.size() < size) good_ = false;
    if (!good_) return {};
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  Range range() {
    const auto first = number<std::uint64_t>();
    return {first, number<std::uint64_t>()};
  }
  std::size_t left() const { return bytes_.size(); }
  bool good() const { return good_; }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

std::size_t padding(std::size_t size) { return (8 - size % 8) % 8; }

Result<Snapshot::DirectoryState> read_directory(Reader& reader) {
  Snapshot::DirectoryState directory;
  const auto length = reader.number<std::uint64_t>();
  if (length > reader.left()) return Status(Code::corrupt, "a path is longer than the snapshot");
  directory.path = reader.text(length);
  reader.text(padding(length));
  const auto count = reader.number<std::uint64_t>();
  if (count > reader.left() / 24) return Status(Code::corrupt, "more segments than there are bytes");
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto id = reader.number<std::uint64_t>();
    const auto first = reader.number<std::uint64_t>();
    directory.segments.push_back({id, first, reader.number<std::uint64_t>()});
  }
  return directory;
}

Status newer(std::uint16_t format) {
  return {Code::invalid, fmt::format("written in format {}, this version knows {}: use a newer one", format, kFormat)};
}

}  // namespace

std::string format_snapshot(const Snapshot& snapshot) {
  std::string bytes = format_header(kSnapshotMagic, snapshot.channel_id, snapshot.generation);
  append(bytes, snapshot.next);
  append(bytes, static_cast<std::uint32_t>(snapshot.gone.size()));
  append(bytes, static_cast<std::uint32_t>(snapshot.directories.size()));
  bytes.resize(kHeader, '\0');
  for (const Range& range : snapshot.gone) append(bytes, range);
  for (const auto& directory : snapshot.directories) {
    append(bytes, std::uint64_t{directory.path.size()});
    bytes += directory.path;
    bytes.append(padding(directory.path.size()), '\0');
    append(bytes, std::uint64_t{directory.segments.size()});
    for (const auto& segment : directory.segments) {
      append(bytes, segment.id);
      append(bytes, segment.first);
      append(bytes, segment.end);
    }
  }
  seal(bytes);
  return bytes;
}

Result<Snapshot> parse_snapshot(std::string_view bytes) {
  if (bytes.size() < kHeader || !bytes.starts_with(kSnapshotMagic)) return Status(Code::corrupt, "no snapshot header");
  if (load<std::uint32_t>(bytes.data() + 8) != crc32c(0, bytes.substr(kCovered))) {
    return Status(Code::corrupt, "the snapshot's checksum does not agree");
  }
  if (const auto format = load<std::uint16_t>(bytes.data() + 12); format > kFormat) return newer(format);
  Snapshot snapshot;
  snapshot.channel_id = load<std::uint64_t>(bytes.data() + 16);
  snapshot.generation = load<std::uint64_t>(bytes.data() + 24);
  snapshot.next = load<std::uint64_t>(bytes.data() + 32);
  const auto ranges = load<std::uint32_t>(bytes.data() + 40);
  const auto directories = load<std::uint32_t>(bytes.data() + 44);
  Reader reader(bytes.substr(kHeader));
  if (ranges > reader.left() / kRangeSize) return Status(Code::corrupt, "more ranges than there are bytes");
  for (std::uint32_t i = 0; i < ranges; ++i) {
    const Range range = reader.range();
    const bool ascending = snapshot.gone.empty() || range.first > snapshot.gone.back().end;
    if (range.first >= range.end || !ascending) return Status(Code::corrupt, "ranges do not ascend");
    snapshot.gone.push_back(range);
  }
  for (std::uint32_t i = 0; i < directories && reader.good(); ++i) {
    TRY_ASSIGN(auto directory, read_directory(reader));
    snapshot.directories.push_back(std::move(directory));
  }
  if (!reader.good() || reader.left() != 0) return Status(Code::corrupt, "the snapshot's lengths do not agree");
  return snapshot;
}

std::string format_consumed_header(std::uint64_t channel_id, std::uint64_t generation) {
  std::string bytes = format_header(kConsumedMagic, channel_id, generation);
  bytes.resize(kConsumedHeader, '\0');
  seal(bytes);
  return bytes;
}

std::string format_consumed_record(std::uint64_t channel_id, std::uint64_t generation, std::span<const Range> ranges) {
  std::string bytes(kRecordMagic);
  append(bytes, std::uint32_t{0});
  append(bytes, static_cast<std::uint32_t>(ranges.size()));
  append(bytes, std::uint32_t{0});
  for (const Range& range : ranges) append(bytes, range);
  store(bytes.data() + 4, crc32c(record_seed(channel_id, generation), std::string_view(bytes).substr(8)));
  return bytes;
}

Result<Consumed> parse_consumed(std::string_view bytes, std::uint64_t channel_id, std::uint64_t generation) {
  Consumed consumed;
  const std::string_view header = bytes.substr(0, kConsumedHeader);
  const bool header_good = header.size() == kConsumedHeader && header.starts_with(kConsumedMagic) &&
                           load<std::uint32_t>(header.data() + 8) == crc32c(0, header.substr(kCovered));
  if (header_good) {
    if (const auto format = load<std::uint16_t>(header.data() + 12); format > kFormat) return newer(format);
  }
  consumed.damaged = !header_good;
  const std::uint32_t seed = record_seed(channel_id, generation);
  std::size_t at = kConsumedHeader;
  while (at + kRecordFront <= bytes.size()) {
    const char* const record = bytes.data() + at;
    const auto count = load<std::uint32_t>(record + 8);
    const bool fits =
        bytes.substr(at).starts_with(kRecordMagic) && count <= (bytes.size() - at - kRecordFront) / kRangeSize;
    const std::size_t size = kRecordFront + (fits ? count * kRangeSize : 0);
    if (!fits || load<std::uint32_t>(record + 4) != crc32c(seed, bytes.substr(at + 8, size - 8))) {
      consumed.damaged = true;
      at += 8;
      continue;
    }
    Reader reader(bytes.substr(at + kRecordFront, count * kRangeSize));
    for (std::uint32_t i = 0; i < count; ++i) {
      const Range range = reader.range();
      if (range.first < range.end) consumed.ranges.push_back(range);
    }
    at += size;
  }
  if (at < bytes.size()) consumed.damaged = true;
  return consumed;
}

std::string snapshot_name(std::uint64_t generation) { return std::string(kSnapshotPrefix) + to_hex(generation); }
std::string consumed_name(std::uint64_t generation) { return std::string(kConsumedPrefix) + to_hex(generation); }

std::optional<std::uint64_t> parse_snapshot_name(std::string_view name) {
  if (!name.starts_with(kSnapshotPrefix)) return std::nullopt;
  return from_hex(name.substr(kSnapshotPrefix.size()));
}
std::optional<std::uint64_t> parse_consumed_name(std::string_view name) {
  if (!name.starts_with(kConsumedPrefix)) return std::nullopt;
  return from_hex(name.substr(kConsumedPrefix.size()));
}

}  // namespace standpipe::file_channel

#include "codec/avro/container_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/avro/block_codec.h"
#include "codec/avro/datum.h"

namespace standpipe::avro {

namespace {

constexpr std::string_view kMagic("Obj\1", 4);
constexpr std::size_t kSyncBytes = 16;
constexpr std::size_t kLongestVarint = 10;
constexpr std::size_t kFirstRead = 8 * 1024;
constexpr std::size_t kSearchChunk = 256 * 1024;
constexpr std::uint64_t kEmptyRecordsLimit = 1'000'000;  // records without bytes (schema "null") in one block

bool get_metadata(DatumReader& reader, std::map<std::string, std::string, std::less<>>& metadata) {
  for (;;) {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    if (!reader.get_block(count, bytes)) return false;
    if (count == 0) return true;
    for (; count > 0; --count) {
      std::string_view key;
      std::string_view value;
      if (!reader.get_bytes(key) || !reader.get_bytes(value)) return false;
      metadata[std::string(key)] = value;
    }
  }
}

}  // namespace

Result<bool> ContainerReader::fill(std::uint64_t offset, std::size_t size, std::string& target) const {
  target.resize(size);
  TRY_ASSIGN(const std::size_t got, read_at_(offset, target.data(), size));
  target.resize(got);
  return got == size;
}

Status ContainerReader::corrupt(std::string_view what) const {
  return {Code::corrupt, "Avro block at offset " + std::to_string(block_) + ": " + std::string(what)};
}

Result<ContainerReader> ContainerReader::open(ReadAt read_at, Limits limits) {
  ContainerReader reader;
  reader.read_at_ = std::move(read_at);
  reader.limits_ = limits;
  TRY(reader.read_header(limits.header_bytes));
  return reader;
}

Status ContainerReader::read_header(std::size_t limit) {
  // A header has no length of its own: read more until it is whole.
  for (std::size_t size = std::min(kFirstRead, limit);; size = std::min(size * 4, limit)) {
    TRY_ASSIGN(const bool more, fill(0, size, stored_));
    if (!stored_.starts_with(kMagic)) return {Code::corrupt, "not an Avro container file: it does not begin with Obj"};
    DatumReader reader(std::string_view(stored_).substr(kMagic.size()));
    metadata_.clear();
    if (get_metadata(reader, metadata_) && reader.remaining() >= kSyncBytes) {
      first_block_ = kMagic.size() + reader.position() + kSyncBytes;
      std::memcpy(sync_.data(), stored_.data() + first_block_ - kSyncBytes, kSyncBytes);
      break;
    }
    if (!more) return {Code::corrupt, "the header of the Avro container file is damaged or cut off"};
    if (size == limit) return {Code::corrupt, "the header of the Avro container file is longer than the limit"};
  }
  block_ = next_block_ = first_block_;
  const auto schema = metadata_.find("avro.schema");
  if (schema == metadata_.end()) return {Code::corrupt, "the Avro container file has no avro.schema in its header"};
  TRY_ASSIGN(schema_, Schema::parse(schema->second));
  const auto codec = metadata_.find("avro.codec");
  TRY_ASSIGN(codec_, find_codec(codec == metadata_.end() ? "" : codec->second));
  return {};
}

Result<bool> ContainerReader::load_block() {
  block_ = next_block_;
  records_ = done_ = 0;
  std::string head;
  TRY_ASSIGN(const bool whole_head, fill(block_, 2 * kLongestVarint, head));
  if (head.empty()) return false;
  DatumReader reader(head);
  std::int64_t count = 0;
  std::int64_t size = 0;
  if (!reader.get_long(count) || !reader.get_long(size)) return corrupt(whole_head ? "no block" : "cut off");
  if (count < 0 || size < 0) return corrupt("a negative length");
  if (static_cast<std::uint64_t>(size) > limits_.block_bytes) {
    return corrupt("its size of " + std::to_string(size) + " bytes is beyond the limit");
  }
  const std::uint64_t body = block_ + reader.position();
  const auto length = static_cast<std::size_t>(size);
  TRY_ASSIGN(const bool whole, fill(body, length + kSyncBytes, stored_));
  if (!whole) return corrupt("cut off");
  if (std::memcmp(stored_.data() + length, sync_.data(), kSyncBytes) != 0) return corrupt("no sync marker behind it");
  rest_ = std::string_view(stored_).substr(0, length);
  if (codec_ != Codec::null) {
    const Status status = decompress_block(codec_, rest_, limits_.raw_bytes, raw_);
    if (!status.ok()) return corrupt(status.message());
    rest_ = raw_;
  }
  if (static_cast<std::uint64_t>(count) > std::max<std::uint64_t>(rest_.size(), kEmptyRecordsLimit)) {
    return corrupt("more records than bytes");
  }
  records_ = static_cast<std::uint64_t>(count);
  next_block_ = body + length + kSyncBytes;
  return true;
}

Result<std::optional<std::string_view>> ContainerReader::next() {
  while (done_ == records_) {
    if (records_ > 0 && !rest_.empty()) return corrupt("bytes behind its last record");
    TRY_ASSIGN(const bool loaded, load_block());
    if (!loaded) return std::optional<std::string_view>();
  }
  DatumReader reader(rest_);
  if (!schema_.skip(reader)) return corrupt("record " + std::to_string(done_) + " does not fit the schema");
  const std::string_view datum = reader.since(0);
  rest_.remove_prefix(datum.size());
  ++done_;
  return std::optional<std::string_view>(datum);
}

ContainerReader::Position ContainerReader::position() const {
  if (records_ > 0 && done_ == records_) return {next_block_, 0};
  return {block_, done_};
}

Status ContainerReader::seek(Position position) {
  next_block_ = block_ = std::max(position.block, first_block_);
  records_ = done_ = 0;
  rest_ = {};
  while (done_ < position.record) {
    TRY_ASSIGN(const auto datum, next());
    if (!datum || block_ != std::max(position.block, first_block_)) {
      return corrupt("it has fewer than " + std::to_string(position.record) + " records");
    }
  }
  return {};
}

Result<std::uint64_t> ContainerReader::skip_damage() {
  const std::uint64_t damaged = block_;
  const std::string_view marker(sync_.data(), sync_.size());
  records_ = done_ = 0;
  rest_ = {};
  for (std::uint64_t offset = damaged;; offset += kSearchChunk) {
    // The overlap finds a marker that lies across two pieces.
    TRY_ASSIGN(const bool more, fill(offset, kSearchChunk + kSyncBytes - 1, stored_));
    const std::size_t found = stored_.find(marker);
    if (found == std::string::npos && more) continue;
    next_block_ = offset + (found == std::string::npos ? stored_.size() : found + kSyncBytes);
    block_ = next_block_;
    return next_block_ - damaged;
  }
}

}  // namespace standpipe::avro

#include "codec/avro/container_writer.h"

#include <sys/random.h>

#include <array>
#include <random>
#include <utility>

#include "codec/avro/block_codec.h"
#include "codec/avro/datum.h"

namespace standpipe::avro {

namespace {

constexpr std::array<std::pair<Codec, std::string_view>, 6> kCodecs = {{{Codec::null, "null"},
                                                                        {Codec::deflate, "deflate"},
                                                                        {Codec::snappy, "snappy"},
                                                                        {Codec::bzip2, "bzip2"},
                                                                        {Codec::zstandard, "zstandard"},
                                                                        {Codec::xz, "xz"}}};

/// A marker that no other file has, so that bytes of one are never taken for a block of another.
std::array<char, 16> random_marker() {
  std::array<char, 16> marker{};
  if (getrandom(marker.data(), marker.size(), 0) == static_cast<ssize_t>(marker.size())) return marker;
  std::random_device source;  // a kernel without getrandom()
  for (char& c : marker) c = static_cast<char>(source());
  return marker;
}

}  // namespace

std::string_view to_string(Codec codec) {
  for (const auto& [known, name] : kCodecs) {
    if (known == codec) return name;
  }
  return "unknown";
}

Result<Codec> find_codec(std::string_view name) {
  if (name.empty()) return Codec::null;
  if (name == "zstd") return Codec::zstandard;
  for (const auto& [codec, known] : kCodecs) {
    if (known == name) return codec;
  }
  return Status(Code::invalid,
                "unknown Avro codec '" + std::string(name) + "': use null, deflate, snappy, bzip2, zstandard or xz");
}

ContainerWriter::ContainerWriter(Options options) : options_(std::move(options)) {}
ContainerWriter::~ContainerWriter() = default;
ContainerWriter::ContainerWriter(ContainerWriter&&) noexcept = default;
ContainerWriter& ContainerWriter::operator=(ContainerWriter&&) noexcept = default;

void ContainerWriter::header(std::string& out) {
  sync_ = random_marker();
  auto metadata = options_.metadata;
  metadata["avro.schema"] = options_.schema_json;
  metadata["avro.codec"] = to_string(options_.codec);
  out.append("Obj\1", 4);
  put_long(out, static_cast<std::int64_t>(metadata.size()));
  for (const auto& [key, value] : metadata) {
    put_bytes(out, key);
    put_bytes(out, value);
  }
  out += '\0';
  out.append(sync_.data(), sync_.size());
}

Status ContainerWriter::append(std::string_view datum, std::string& out) {
  block_ += datum;
  return appended(out);
}

Status ContainerWriter::appended(std::string& out) {
  ++records_;
  return block_.size() < options_.sync_interval ? Status() : finish_block(out);
}

Status ContainerWriter::finish_block(std::string& out) {
  if (records_ == 0) return {};
  std::string_view content = block_;
  if (options_.codec != Codec::null) {
    TRY(compress_block(options_.codec, options_.level, block_, compressed_));
    content = compressed_;
  }
  put_long(out, static_cast<std::int64_t>(records_));
  put_bytes(out, content);
  out.append(sync_.data(), sync_.size());
  block_.clear();
  records_ = 0;
  return {};
}

}  // namespace standpipe::avro

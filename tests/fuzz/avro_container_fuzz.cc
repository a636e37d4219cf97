// Any bytes as a container file: reading must end within its limits, give records that lie one behind the other, and
// come to the same record again after seek(). Any bytes as a schema with a datum behind it, as a datum of Flume's
// event, as a compressed block. What is written, with every codec, is read back.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "codec/avro/block_codec.h"
#include "codec/avro/container_reader.h"
#include "codec/avro/container_writer.h"
#include "codec/avro/datum.h"

namespace {

using standpipe::Result;
using standpipe::avro::ContainerReader;

constexpr ContainerReader::Limits kLimits{.header_bytes = 1024, .block_bytes = 256 * 1024, .raw_bytes = 1 << 20};

constexpr int kLevel = 1;  // the codecs' quickest, more or less

void check(bool holds) {
  if (!holds) std::abort();
}

ContainerReader::ReadAt from(std::string_view file) {
  return [file](std::uint64_t offset, char* target, std::size_t size) -> Result<std::size_t> {
    if (offset >= file.size()) return std::size_t{0};
    const std::size_t got = std::min<std::size_t>(size, file.size() - offset);
    std::memcpy(target, file.data() + offset, got);
    return got;
  };
}

void read_container(std::string_view file) {
  auto reader = ContainerReader::open(from(file), kLimits);
  if (!reader.ok()) return;
  auto again = ContainerReader::open(from(file), kLimits);
  for (int records = 0; records < 2000; ++records) {
    const auto position = reader->position();
    const auto datum = reader->next();
    if (!datum.ok()) {
      const auto skipped = reader->skip_damage();
      check(skipped.ok() && *skipped > 0);
      continue;
    }
    if (!datum->has_value()) return;
    if (records > 20) continue;
    check(again->seek(position).ok());
    const auto same = again->next();
    check(same.ok() && same->has_value() && **same == **datum);
  }
}

void read_event(std::string_view bytes) {
  standpipe::Headers headers;
  std::string_view body;
  standpipe::avro::DatumReader reader(bytes);
  if (!standpipe::avro::get_event(reader, headers, body)) return;
  std::string encoded;
  standpipe::avro::put_event(encoded, headers, body);
  standpipe::Headers same;
  standpipe::avro::DatumReader second(encoded);
  check(standpipe::avro::get_event(second, same, body) && same == headers);
}

/// The input's text up to a NUL is the schema, what follows a datum of it.
void read_schema(std::string_view input) {
  using standpipe::avro::DatumReader;
  const std::size_t end = input.find('\0');
  const auto schema = standpipe::avro::Schema::parse(input.substr(0, end));
  if (!schema.ok()) return;
  const auto same = standpipe::avro::Schema::parse(schema->json());
  check(same.ok() && same->canonical() == schema->canonical() && same->fingerprint_hex() == schema->fingerprint_hex());
  // The canonical form knows neither escapes nor a name that leaves its namespace, as Avro defines it.
  const bool plain =
      schema->json().find_first_of("\\") == std::string::npos && schema->json().find("\"\"") == std::string::npos;
  const auto canonical = standpipe::avro::Schema::parse(schema->canonical());
  if (plain) check(canonical.ok() && canonical->fingerprint() == schema->fingerprint());
  if (end == std::string_view::npos) return;
  std::string datum(input.substr(end + 1));
  DatumReader reader(datum);
  if (!schema->skip(reader)) return;
  // What stands behind a datum is none of its business.
  const std::size_t size = reader.position();
  std::fill(datum.begin() + static_cast<std::ptrdiff_t>(size), datum.end(), '\xff');
  DatumReader again(datum);
  check(schema->skip(again) && again.position() == size);
}

/// Every 17 bytes of the input are values of all types: a boolean, a long, which is also an int where it fits, and a
/// double or a float.
void read_values(std::string_view input) {
  for (; input.size() >= 17; input.remove_prefix(17)) {
    std::int64_t number = 0;
    double real = 0;
    float single = 0;
    std::memcpy(&number, input.data() + 1, sizeof number);
    std::memcpy(&real, input.data() + 9, sizeof real);
    std::memcpy(&single, input.data() + 9, sizeof single);
    std::string bytes;
    standpipe::avro::put_boolean(bytes, input[0] % 2 != 0);
    standpipe::avro::put_long(bytes, number);
    standpipe::avro::put_double(bytes, real);
    standpipe::avro::put_float(bytes, single);
    standpipe::avro::DatumReader reader(bytes);
    bool same_flag = false;
    std::int64_t same_number = 0;
    double same_real = 0;
    float same_single = 0;
    check(reader.get_boolean(same_flag) && same_flag == (input[0] % 2 != 0));
    check(reader.get_long(same_number) && same_number == number);
    check(reader.get_double(same_real) && reader.get_float(same_single) && reader.remaining() == 0);
    // By their bytes: there are numbers that are not equal to themselves.
    check(std::memcmp(&same_real, &real, sizeof real) == 0 && std::memcmp(&same_single, &single, sizeof single) == 0);
    standpipe::avro::DatumReader narrow(std::string_view(bytes).substr(1));
    std::int32_t same_int = 0;
    check(narrow.get_int(same_int) == (number >= INT32_MIN && number <= INT32_MAX));
  }
}

/// Any bytes as a compressed block, and what was compressed.
void read_block(standpipe::avro::Codec codec, std::string_view input) {
  std::string raw;
  const auto damaged = standpipe::avro::decompress_block(codec, input, kLimits.raw_bytes, raw);
  check(!damaged.ok() || raw.size() <= kLimits.raw_bytes);
  std::string block;
  check(standpipe::avro::compress_block(codec, kLevel, input, block).ok());
  check(standpipe::avro::decompress_block(codec, block, input.size() + 1, raw).ok() && raw == input);
  // One byte too many is refused, and so is a block that ends early.
  if (input.empty() || codec == standpipe::avro::Codec::null) return;
  check(!standpipe::avro::decompress_block(codec, block, input.size() - 1, raw).ok());
  check(!standpipe::avro::decompress_block(codec, std::string_view(block).substr(0, block.size() / 2),
                                           kLimits.raw_bytes, raw)
             .ok());
}

/// The input's lines as records.
void write_container(standpipe::avro::Codec codec, std::string_view input) {
  standpipe::avro::ContainerWriter writer(
      {.schema_json = "\"bytes\"", .codec = codec, .level = kLevel, .sync_interval = 100});
  std::string file;
  writer.header(file);
  std::vector<std::string> written;
  while (!input.empty() && written.size() < 10) {
    const std::size_t end = std::min(input.find('\n'), input.size() - 1) + 1;
    standpipe::avro::put_bytes(written.emplace_back(), input.substr(0, end));
    check(writer.append(written.back(), file).ok());
    input.remove_prefix(end);
  }
  check(writer.finish_block(file).ok());
  auto reader = ContainerReader::open(from(file), kLimits);
  check(reader.ok() && reader->codec() == codec);
  for (const std::string& record : written) {
    const auto datum = reader->next();
    check(datum.ok() && datum->has_value() && **datum == record);
  }
  const auto end = reader->next();
  check(end.ok() && !end->has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  read_container(input);
  read_event(input);
  read_schema(input);
  read_values(input);
  // One codec per input, as some are slow.
  const auto codec = static_cast<standpipe::avro::Codec>(size % 6);
  read_block(codec, input);
  write_container(codec, input);
  return 0;
}

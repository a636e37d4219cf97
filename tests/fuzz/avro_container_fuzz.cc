// Any bytes as a container file: reading must end within its limits, give records that lie one behind the other, and
// come to the same record again after seek(). Any bytes as a schema, and as a datum of Flume's event.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "codec/avro/container_reader.h"
#include "codec/avro/datum.h"

namespace {

using standpipe::Result;
using standpipe::avro::ContainerReader;

constexpr ContainerReader::Limits kLimits{.header_bytes = 64 * 1024, .block_bytes = 256 * 1024, .raw_bytes = 1 << 20};

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  read_container(input);
  read_event(input);
  const auto schema = standpipe::avro::Schema::parse(input);
  if (schema.ok()) check(standpipe::avro::Schema::parse(schema->json())->canonical() == schema->canonical());
  return 0;
}

// A segment of the file channel: no bytes crash the reader or make it ask for more than there are; what it delivers
// lies in the input and ascends; read in small pieces it is the same. Checksums of headers and tables are put right
// first, so that the fuzzer gets behind them.

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "channels/file/little_endian.h"
#include "channels/file/record.h"
#include "channels/file/record_scan.h"
#include "channels/file/segment_format.h"
#include "io/crc32c.h"

using namespace standpipe;
using namespace standpipe::file_channel;

namespace {

constexpr std::uint32_t kSeed = 99;
constexpr std::uint64_t kOffset = 4096;

void put_checksums_right(std::string& bytes) {
  for (std::size_t at = 0; at + kRecordHeader <= bytes.size(); at += kRecordAlignment) {
    char* const record = bytes.data() + at;
    const std::string_view magic(record, 4);
    if (magic != "SpR1" && magic != "SpT1") continue;
    const std::uint64_t table =
        std::uint64_t{8} * load<std::uint32_t>(record + 24) + std::uint64_t{12} * load<std::uint32_t>(record + 12);
    if (magic == "SpR1" && at + kRecordHeader + table <= bytes.size()) {
      store(record + 28, crc32c(0, {record + kRecordHeader, table}));
    }
    store(record + 4, crc32c(kSeed, {record + 8, kRecordHeader - 8}));
  }
}

struct Found {
  std::vector<std::pair<std::uint64_t, std::string>> events;
  void add(const Scan& scan, std::string_view input) {
    std::size_t counted = 0;
    for (const Run& run : scan.runs) {
      CHECK(run.count > 0 && run.at == counted);
      counted += run.count;
      for (std::size_t i = 0; i < run.count; ++i) {
        const std::string_view body = scan.batch[run.at + i].body;
        CHECK(body.empty() ||
              (body.data() >= input.data() && body.data() + body.size() <= input.data() + input.size()));
        const std::uint64_t number = run.first + i;
        CHECK(events.empty() || events.back().first < number);
        events.emplace_back(number, std::string(body));
      }
    }
    CHECK(counted == scan.batch.size());
  }
};

Found read(const std::string& bytes, std::size_t piece) {
  Found found;
  std::size_t at = 0;
  std::size_t size = piece;
  std::uint64_t from = 0;
  while (at < bytes.size()) {
    const std::size_t count = std::min(size, bytes.size() - at);
    const auto slab = Slab::make(count);
    std::memcpy(slab->data(), bytes.data() + at, count);
    const ScanInput input{.bytes = {slab->data(), count},
                          .offset = kOffset + at,
                          .seed = kSeed,
                          .from = from,
                          .last = at + count == bytes.size()};
    const Scan scan = scan_records(slab, input);
    CHECK(scan.used <= count && (!input.last || scan.used == count));
    CHECK(input.last || scan.used > 0 || scan.wanted > count);
    for (const Damage& damage : scan.damages) CHECK(damage.offset >= kOffset + at);
    found.add(scan, input.bytes);
    from = std::max(from, scan.next);
    at += scan.used;
    size = std::max(piece, scan.wanted);
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto header = parse_segment_header(bytes);
  if (!header.ok()) header.status().ignore();
  put_checksums_right(bytes);
  const Found whole = read(bytes, bytes.size());
  const Found pieces = read(bytes, 64);
  CHECK(whole.events == pieces.events);
  return 0;
}

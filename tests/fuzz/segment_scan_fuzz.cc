// A segment of the file channel: no bytes crash the reader or make it ask for more than there are; what it delivers
// lies in the input and ascends; read in small pieces it is the same. Checksums of headers and tables are put right
// first, so that the fuzzer gets behind them, and what is marked as encrypted is encrypted, so that it opens.

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "channels/file/encryption.h"
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
constexpr std::uint64_t kChannel = 1;
constexpr std::uint64_t kSegment = 2;
constexpr Key kKey{'k'};

/// What the input holds as plain text becomes the record's content, where there is room for salt and tag. The last bit
/// of the salt in the input says whether the key is the reader's.
void encrypt(std::string& bytes, std::size_t at) {
  char* const record = bytes.data() + at;
  const RecordHeader header{.length = load<std::uint32_t>(record + 8),
                            .events = load<std::uint32_t>(record + 12),
                            .first = load<std::uint64_t>(record + 16),
                            .blocks = load<std::uint32_t>(record + 24),
                            .table_crc = 0,
                            .synced = load<std::uint32_t>(record + 32),
                            .type = static_cast<std::uint8_t>(record[36]),
                            .flags = static_cast<std::uint8_t>(record[37])};
  if (!header.encrypted() || header.length > bytes.size() - at || header.length < header.overhead()) return;
  Key key = kKey;
  key[1] = static_cast<char>(record[kRecordHeader] & 1);
  Salt salt;
  std::memcpy(salt.data(), record + kRecordHeader, salt.size());
  RecordCipher cipher(key, {kChannel, kSegment, salt});
  const AssociatedData associated = associated_data(header);
  const std::string plain(record + header.content_at(), header.content_size());
  cipher.encrypt(kOffset + at, {associated.data(), associated.size()}, plain, record + header.content_at());
  const std::uint32_t crc = crc32c(0, {record + kRecordHeader, kSaltSize + plain.size() + kTagSize});
  store(record + 28, crc);
  if (header.has_trailer()) store(record + header.length - kRecordHeader + 28, crc);
}

void put_checksums_right(std::string& bytes) {
  for (std::size_t at = 0; at + kRecordHeader <= bytes.size(); at += kRecordAlignment) {
    char* const record = bytes.data() + at;
    const std::string_view magic(record, 4);
    if (magic != "SpR1" && magic != "SpT1") continue;
    const std::uint64_t table =
        std::uint64_t{8} * load<std::uint32_t>(record + 24) + std::uint64_t{12} * load<std::uint32_t>(record + 12);
    const bool encrypted = (record[37] & kEncrypted) != 0;
    if (magic == "SpR1" && encrypted) encrypt(bytes, at);
    if (magic == "SpR1" && !encrypted && at + kRecordHeader + table <= bytes.size()) {
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
  KeyRing keys;
  keys.add("k", kKey);
  RecordOpener opener(keys, kChannel, kSegment);
  while (at < bytes.size()) {
    const std::size_t count = std::min(size, bytes.size() - at);
    const auto slab = Slab::make(count);
    std::memcpy(slab->data(), bytes.data() + at, count);
    const ScanInput input{.bytes = {slab->data(), count},
                          .offset = kOffset + at,
                          .seed = kSeed,
                          .from = from,
                          .last = at + count == bytes.size(),
                          .opener = &opener};
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

// What the file channel keeps beside its segments: snapshots, notes of what was consumed, the owner's file. No bytes
// crash a reader or make it ask for more memory than there are; what was read survives being written again.

#include <cstdint>
#include <string>

#include "base/check.h"
#include "channels/file/directory_guard.h"
#include "channels/file/interval_set.h"
#include "channels/file/little_endian.h"
#include "channels/file/record.h"
#include "channels/file/snapshot.h"
#include "io/crc32c.h"

using namespace standpipe;
using namespace standpipe::file_channel;

namespace {

constexpr std::uint64_t kChannel = 7;
constexpr std::uint64_t kGeneration = 3;

void check_snapshot(std::string bytes) {
  if (bytes.size() >= 12) store(bytes.data() + 8, crc32c(0, std::string_view(bytes).substr(12)));
  const auto snapshot = parse_snapshot(bytes);
  if (!snapshot.ok()) return snapshot.status().ignore();
  const auto again = parse_snapshot(format_snapshot(*snapshot));
  CHECK(again.ok() && *again == *snapshot);
}

void check_consumed(std::string bytes) {
  for (std::size_t at = kConsumedHeader; at + 16 <= bytes.size(); at += 8) {
    char* const record = bytes.data() + at;
    const auto count = load<std::uint32_t>(record + 8);
    if (std::string_view(record, 4) != "SpC1" || count > (bytes.size() - at - 16) / 16) continue;
    store(record + 4, crc32c(record_seed(kChannel, kGeneration), {record + 8, 8 + std::size_t{16} * count}));
  }
  const auto consumed = parse_consumed(bytes, kChannel, kGeneration);
  if (!consumed.ok()) return consumed.status().ignore();
  CHECK(consumed->ranges.size() <= bytes.size() / 16);
  IntervalSet set;
  for (const Range& range : consumed->ranges) set.add(range);
  std::uint64_t counted = 0;
  for (const Range& range : set.ranges()) counted += range.size();
  CHECK(counted == set.count());
  for (const Range& range : consumed->ranges) {
    CHECK(set.covers(range) && set.next_at(range.first) == range.first);
    set.remove({range.first, range.first + (range.size() + 1) / 2});
    CHECK(!set.contains(range.first));
    set.add(range);
  }
  CHECK(set.count() == counted);
}

void check_owner(std::string_view text) {
  const std::string whole = std::string(text);
  const auto owner = parse_owner(whole);
  if (owner.ok()) {
    CHECK(parse_owner(format_owner(*owner)).ok());
  } else {
    owner.status().ignore();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  check_snapshot(bytes);
  check_consumed(bytes);
  check_owner(bytes);
  return 0;
}

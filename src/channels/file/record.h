#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/block_cache.h"
#include "standpipe/batch.h"

/// Events as bytes in a segment: docs/formats/file-channel.md, "Record".
namespace standpipe::file_channel {

inline constexpr std::size_t kRecordHeader = 40;
inline constexpr std::size_t kRecordAlignment = 8;
inline constexpr std::uint32_t kMaxRecord = 1u << 30;
/// A put above this becomes several records, so that a reader never needs more memory than this or one event.
inline constexpr std::size_t kRecordTarget = 1u << 20;
inline constexpr std::uint8_t kEventsRecord = 1;
inline constexpr std::uint8_t kEncrypted = 1;

/// What the checksum of every record header of a segment starts from: bytes of another segment, or of another channel,
/// never check.
std::uint32_t record_seed(std::uint64_t channel_id, std::uint64_t segment_id);

struct RecordHeader {
  std::uint32_t length;
  std::uint32_t events;
  std::uint64_t first;  ///< number of the first event
  std::uint32_t blocks;
  std::uint32_t table_crc;
  std::uint32_t synced;  ///< how far the segment was synced when this was composed
  std::uint8_t type;
  std::uint8_t flags;

  std::size_t table_size() const { return std::size_t{8} * blocks + std::size_t{12} * events; }
  bool has_trailer() const { return events > 1; }
  std::uint64_t end() const { return first + events; }
};

/// The header at the beginning of `bytes`, when its checksum agrees and its numbers make sense by themselves (the
/// record may still be longer than what is there). `trailer`: the copy at a record's end.
std::optional<RecordHeader> parse_record_header(std::string_view bytes, std::uint32_t seed, bool trailer = false);

/// Whether every event of the batch fits into a record.
bool can_be_recorded(const Batch& batch);

/// A put as its records, whole but for what only the writer knows: numbers and place. Made on the thread of the put.
class EncodedPut {
 public:
  /// Its bytes are charged to `budget` until they are written.
  EncodedPut(const Batch& batch, MemoryBudget& budget);

  std::size_t size() const { return size_; }
  std::size_t events() const { return events_; }
  /// Fills in numbers (ascending from `first`) and checksums for a place in a segment; may be called again for another.
  std::string_view seal(std::uint64_t first, std::uint32_t seed, std::uint32_t synced);

 private:
  struct Part {
    std::size_t first_event;
    std::size_t events;
    std::size_t blocks;
    std::size_t block_bytes;
    std::size_t body_bytes;
    std::size_t offset;  // in the buffer

    std::size_t table_size() const { return 8 * blocks + 12 * events; }
    std::size_t length() const;
  };

  void plan(const Batch& batch);
  void write(const Batch& batch, const Part& part);

  BudgetCharge charge_;
  std::vector<Part> parts_;
  BlockCache::Block buffer_;
  std::size_t size_ = 0;
  std::size_t events_ = 0;
};

}  // namespace standpipe::file_channel

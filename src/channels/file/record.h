#pragma once

#include <array>
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
inline constexpr std::size_t kSaltSize = 16;
inline constexpr std::size_t kTagSize = 16;
using Salt = std::array<char, kSaltSize>;

class RecordCipher;

enum class Form : unsigned char { clear, encrypted };

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
  bool encrypted() const { return (flags & kEncrypted) != 0; }
  std::uint64_t end() const { return first + events; }
  /// Where table, header blocks and bodies stand in the record, and how many bytes they are with their padding.
  std::size_t content_at() const { return kRecordHeader + (encrypted() ? kSaltSize : 0); }
  std::size_t content_size() const { return length - overhead(); }
  std::size_t overhead() const {
    const std::size_t trailer = has_trailer() ? kRecordHeader : 0;
    if (encrypted()) return kRecordHeader + kSaltSize + kTagSize + trailer;
    return kRecordHeader + trailer + (has_trailer() ? table_size() : 0);
  }
};

/// What an encrypted record's tag covers beside the text.
using AssociatedData = std::array<char, kRecordHeader - 8>;
AssociatedData associated_data(const RecordHeader& header);

/// The header at the beginning of `bytes`, when its checksum agrees and its numbers make sense by themselves (the
/// record may still be longer than what is there). `trailer`: the copy at a record's end.
std::optional<RecordHeader> parse_record_header(std::string_view bytes, std::uint32_t seed, bool trailer = false);

/// Whether every event of the batch fits into a record.
bool can_be_recorded(const Batch& batch);

/// A put as its records, whole but for what only the writer knows: numbers and place. Made on the thread of the put.
class EncodedPut {
 public:
  /// Its bytes are charged to `budget` until they are written.
  EncodedPut(const Batch& batch, Form form, MemoryBudget& budget);

  std::size_t size() const { return size_; }
  std::size_t events() const { return events_; }
  /// In clear: fills in numbers (ascending from `first`) and checksums for a place in a segment; may be called again
  /// for another.
  std::string_view seal(std::uint64_t first, std::uint32_t seed, std::uint32_t synced);

  std::size_t records() const { return parts_.size(); }
  std::size_t record_size(std::size_t index) const { return length_of(parts_[index]); }
  struct Place {
    std::uint64_t first;   ///< number of the put's first event
    std::uint32_t seed;    ///< of the segment
    std::uint32_t synced;  ///< as in RecordHeader
    std::uint64_t offset;  ///< of the record in the segment
  };
  /// Encrypted: record `index` as it stands at that place, to `to`. The put stays as it was, for another place.
  void encrypt(std::size_t index, const Place& place, RecordCipher& cipher, char* to) const;

 private:
  struct Part {
    std::size_t first_event;
    std::size_t events;
    std::size_t blocks;
    std::size_t block_bytes;
    std::size_t body_bytes;
    std::size_t offset;  // in the buffer

    std::size_t table_size() const { return 8 * blocks + 12 * events; }
    std::size_t content_size() const { return table_size() + block_bytes + body_bytes; }
  };

  std::size_t content_at() const { return kRecordHeader + (form_ == Form::encrypted ? kSaltSize : 0); }
  std::size_t length_of(const Part& part) const;
  void plan(const Batch& batch);
  void write(const Batch& batch, const Part& part);
  char* write_content(const Batch& batch, const Part& part, char* table);

  const Form form_;
  BudgetCharge charge_;
  std::vector<Part> parts_;
  BlockCache::Block buffer_;
  std::size_t size_ = 0;
  std::size_t events_ = 0;
};

}  // namespace standpipe::file_channel

#include "channels/file/record.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "channels/file/encryption.h"
#include "channels/file/little_endian.h"
#include "io/crc32c.h"

namespace standpipe::file_channel {

namespace {

constexpr std::string_view kMagic = "SpR1";
constexpr std::string_view kTrailerMagic = "SpT1";

constexpr std::size_t aligned(std::size_t size) {
  return (size + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
}

std::size_t encoded_size(const Headers& headers) {
  std::size_t size = 4;
  for (const auto& [name, value] : headers) size += 8 + name.size() + value.size();
  return size;
}

char* encode(const Headers& headers, char* at) {
  store(at, static_cast<std::uint32_t>(headers.size()));
  at += 4;
  for (const auto& [name, value] : headers) {
    store(at, static_cast<std::uint32_t>(name.size()));
    store(at + 4, static_cast<std::uint32_t>(value.size()));
    std::memcpy(at + 8, name.data(), name.size());
    std::memcpy(at + 8 + name.size(), value.data(), value.size());
    at += 8 + name.size() + value.size();
  }
  return at;
}

/// Which block of the batch is which block of the record. Kept between puts: no allocation for most of them.
class BlockNumbers {
 public:
  /// Forgets what it knew.
  void begin(std::size_t blocks) {
    ++round_;
    next_ = 1;
    if (known_.size() < blocks) known_.resize(blocks);
  }
  struct Numbered {
    std::uint32_t number;  // 1…; 0: the event has no headers
    bool is_new;
  };
  Numbered of(const Batch& batch, Batch::Block block) {
    if (block == Batch::kNoHeaders) return {0, false};
    Known& known = known_[block];
    if (known.round == round_) return {known.number, false};
    known.round = round_;
    known.number = batch.block(block).empty() ? 0 : next_++;
    return {known.number, known.number != 0};
  }

 private:
  struct Known {
    std::uint64_t round = 0;
    std::uint32_t number = 0;
  };
  std::vector<Known> known_;
  std::uint64_t round_ = 0;
  std::uint32_t next_ = 1;
};

BlockNumbers& block_numbers() {
  thread_local BlockNumbers numbers;
  return numbers;
}

/// The header's checksum, and its copy at the end.
void finish(char* record, std::size_t length, bool has_trailer, std::uint32_t seed) {
  store(record + 4, crc32c(seed, {record + 8, kRecordHeader - 8}));
  if (!has_trailer) return;
  char* const trailer = record + length - kRecordHeader;
  std::memcpy(trailer, record, kRecordHeader);
  std::memcpy(trailer, kTrailerMagic.data(), kTrailerMagic.size());
}

}  // namespace

std::uint32_t record_seed(std::uint64_t channel_id, std::uint64_t segment_id) {
  char ids[16];
  store(ids, channel_id);
  store(ids + 8, segment_id);
  return crc32c(0, {ids, sizeof ids});
}

std::optional<RecordHeader> parse_record_header(std::string_view bytes, std::uint32_t seed, bool trailer) {
  if (bytes.size() < kRecordHeader || !bytes.starts_with(trailer ? kTrailerMagic : kMagic)) return std::nullopt;
  const char* at = bytes.data();
  if (load<std::uint32_t>(at + 4) != crc32c(seed, bytes.substr(8, kRecordHeader - 8))) return std::nullopt;
  const RecordHeader header{.length = load<std::uint32_t>(at + 8),
                            .events = load<std::uint32_t>(at + 12),
                            .first = load<std::uint64_t>(at + 16),
                            .blocks = load<std::uint32_t>(at + 24),
                            .table_crc = load<std::uint32_t>(at + 28),
                            .synced = load<std::uint32_t>(at + 32),
                            .type = static_cast<std::uint8_t>(at[36]),
                            .flags = static_cast<std::uint8_t>(at[37])};
  const bool sensible = header.length >= kRecordHeader && header.length <= kMaxRecord &&
                        header.length % kRecordAlignment == 0 && header.events > 0 && header.blocks <= header.events &&
                        header.first < (std::uint64_t{1} << 62) &&
                        header.overhead() + header.table_size() <= header.length;
  if (!sensible) return std::nullopt;
  return header;
}

AssociatedData associated_data(const RecordHeader& header) {
  AssociatedData bytes{};
  store(bytes.data(), header.length);
  store(bytes.data() + 4, header.events);
  store(bytes.data() + 8, header.first);
  store(bytes.data() + 16, header.blocks);
  store(bytes.data() + 24, header.synced);
  store(bytes.data() + 28, header.type);
  store(bytes.data() + 29, header.flags);
  return bytes;
}

bool can_be_recorded(const Batch& batch) {
  constexpr std::size_t kRoom = kMaxRecord - 4096;
  if (batch.bytes() < kRoom / 64) return true;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].body.size() + encoded_size(*batch[i].headers) > kRoom) return false;
  }
  return true;
}

std::size_t EncodedPut::length_of(const Part& part) const {
  const bool several = part.events > 1;
  if (form_ == Form::encrypted) {
    return content_at() + aligned(part.content_size()) + kTagSize + (several ? kRecordHeader : 0);
  }
  return aligned(content_at() + part.content_size() + (several ? part.table_size() + kRecordHeader : 0));
}

EncodedPut::EncodedPut(const Batch& batch, Form form, MemoryBudget& budget) : form_(form), events_(batch.size()) {
  plan(batch);
  for (Part& part : parts_) {
    part.offset = size_;
    size_ += length_of(part);
  }
  buffer_ = BlockCache::take(size_);
  charge_ = BudgetCharge(budget, size_);
  for (const Part& part : parts_) write(batch, part);
}

void EncodedPut::plan(const Batch& batch) {
  BlockNumbers& numbers = block_numbers();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::size_t body = batch[i].body.size();
    if (parts_.empty() || parts_.back().block_bytes + parts_.back().body_bytes + body > kRecordTarget) {
      parts_.push_back({i, 0, 0, 0, 0, 0});
      numbers.begin(batch.block_count());
    }
    Part& part = parts_.back();
    if (numbers.of(batch, batch.block_of(i)).is_new) {
      ++part.blocks;
      part.block_bytes += encoded_size(batch.block(batch.block_of(i)));
    }
    ++part.events;
    part.body_bytes += body;
  }
}

/// Table, header blocks and bodies from `table` on; returns where they end.
char* EncodedPut::write_content(const Batch& batch, const Part& part, char* table) {
  BlockNumbers& numbers = block_numbers();
  numbers.begin(batch.block_count());
  char* block_entry = table;
  char* event_entry = table + 8 * part.blocks;
  char* block_at = table + part.table_size();
  char* body_at = block_at + part.block_bytes;
  for (std::size_t i = part.first_event; i < part.first_event + part.events; ++i) {
    const Batch::Block block = batch.block_of(i);
    const auto [number, is_new] = numbers.of(batch, block);
    if (is_new) {
      char* const end = encode(batch.block(block), block_at);
      const std::string_view bytes(block_at, static_cast<std::size_t>(end - block_at));
      store(block_entry, static_cast<std::uint32_t>(bytes.size()));
      store(block_entry + 4, crc32c(0, bytes));
      block_entry += 8;
      block_at = end;
    }
    const std::string_view body = batch[i].body;
    store(event_entry, static_cast<std::uint32_t>(body.size()));
    store(event_entry + 4, number);
    store(event_entry + 8, crc32c(0, body));
    event_entry += 12;
    if (!body.empty()) std::memcpy(body_at, body.data(), body.size());
    body_at += body.size();
  }
  return body_at;
}

void EncodedPut::write(const Batch& batch, const Part& part) {
  char* const record = buffer_.get() + part.offset;
  char* const table = record + content_at();
  char* const content_end = write_content(batch, part, table);
  const std::size_t length = length_of(part);
  const bool twice = part.events > 1 && form_ == Form::clear;
  char* const record_end = record + length;
  char* const pad_end = form_ == Form::encrypted ? table + aligned(part.content_size())
                        : twice                  ? record_end - kRecordHeader - part.table_size()
                                                 : record_end;
  std::memset(content_end, 0, static_cast<std::size_t>(pad_end - content_end));
  if (twice) std::memcpy(pad_end, table, part.table_size());
  std::memset(record, 0, kRecordHeader);
  std::memcpy(record, kMagic.data(), kMagic.size());
  store(record + 8, static_cast<std::uint32_t>(length));
  store(record + 12, static_cast<std::uint32_t>(part.events));
  store(record + 24, static_cast<std::uint32_t>(part.blocks));
  if (form_ == Form::clear) store(record + 28, crc32c(0, {table, part.table_size()}));
  store(record + 36, kEventsRecord);
  store(record + 37, form_ == Form::encrypted ? kEncrypted : std::uint8_t{0});
}

std::string_view EncodedPut::seal(std::uint64_t first, std::uint32_t seed, std::uint32_t synced) {
  CHECK(form_ == Form::clear);
  for (const Part& part : parts_) {
    char* const record = buffer_.get() + part.offset;
    store(record + 16, first + part.first_event);
    store(record + 32, synced);
    finish(record, length_of(part), part.events > 1, seed);
  }
  return {buffer_.get(), size_};
}

void EncodedPut::encrypt(std::size_t index, const Place& place, RecordCipher& cipher, char* to) const {
  CHECK(form_ == Form::encrypted);
  const Part& part = parts_[index];
  const char* const record = buffer_.get() + part.offset;
  std::memcpy(to, record, kRecordHeader);
  store(to + 16, place.first + part.first_event);
  store(to + 32, place.synced);
  // Its checksums are still zero, as the tag wants the table's.
  const std::string_view associated(to + 8, kRecordHeader - 8);
  char* const salt = to + kRecordHeader;
  std::memcpy(salt, cipher.salt().data(), kSaltSize);
  const std::string_view content(record + content_at(), aligned(part.content_size()));
  cipher.encrypt(place.offset, associated, content, to + content_at());
  store(to + 28, crc32c(0, {salt, kSaltSize + content.size() + kTagSize}));
  finish(to, length_of(part), part.events > 1, place.seed);
}

}  // namespace standpipe::file_channel

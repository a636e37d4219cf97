#include "channels/file/record_scan.h"

#include <algorithm>
#include <optional>

#include "base/failpoint.h"
#include "channels/file/encryption.h"
#include "channels/file/little_endian.h"
#include "channels/file/record.h"
#include "io/crc32c.h"

namespace standpipe::file_channel {

namespace {

/// How far behind a bad place the end of the record that stood there can be: a record with a trailer is hardly larger.
constexpr std::size_t kTrailerReach = 4 * kRecordTarget;

bool checks(std::string_view bytes, std::uint32_t crc) {
  return crc32c(0, bytes) == crc || FAILPOINT("file.checksum_unchecked");
}

/// Null: the bytes are no header block.
std::shared_ptr<const Headers> parse_headers(std::string_view bytes) {
  const auto number = [&bytes](std::uint32_t& value) {
    if (bytes.size() < 4) return false;
    value = load<std::uint32_t>(bytes.data());
    bytes.remove_prefix(4);
    return true;
  };
  std::uint32_t count = 0;
  if (!number(count)) return nullptr;
  auto headers = std::make_shared<Headers>();
  for (; count > 0; --count) {
    std::uint32_t name = 0;
    std::uint32_t value = 0;
    if (!number(name) || !number(value) || bytes.size() < std::size_t{name} + value) return nullptr;
    headers->set(bytes.substr(0, name), bytes.substr(name, value));
    bytes.remove_prefix(std::size_t{name} + value);
  }
  return bytes.empty() ? headers : nullptr;
}

class Scanner {
 public:
  Scanner(std::shared_ptr<Slab> slab, const ScanInput& input) : input_(input), slab_(slab.get()), next_(input.from) {
    if (slab != nullptr) scan_.batch.pin(std::move(slab));
  }

  Scan run() {
    while (step()) continue;
    scan_.used = at_;
    return std::move(scan_);
  }

 private:
  struct Found {
    std::size_t at;  // of the record's first byte
    RecordHeader header;
  };

  bool step() {
    const std::string_view rest = input_.bytes.substr(at_);
    if (rest.size() < kRecordHeader) return end_of_bytes();
    if (const auto header = parse_record_header(rest, input_.seed)) return take({at_, *header});
    return look_further();
  }

  /// Fewer bytes are left than a header has.
  bool end_of_bytes() {
    const std::size_t left = input_.bytes.size() - at_;
    if (!input_.last) {
      // Nothing was used, so only more bytes help.
      if (at_ == 0) scan_.wanted = kRecordHeader;
      return false;
    }
    report(at_, left, {}, "no record");
    at_ += left;
    return false;
  }

  bool take(const Found& found) {
    const std::size_t there = input_.bytes.size() - found.at;
    if (found.header.length > there && !input_.last) {
      scan_.wanted = found.header.length;
      return false;
    }
    const std::string_view record = input_.bytes.substr(found.at, std::min<std::size_t>(there, found.header.length));
    if (scan_.end == 0) scan_.first = found.header.first;
    scan_.end = input_.offset + found.at + record.size();
    scan_.next = std::max(scan_.next, found.header.end());
    scan_.synced = std::max<std::uint64_t>(scan_.synced, found.header.synced);
    if (found.header.first < next_) {
      if (found.header.end() > next_)
        report(found.at, record.size(), {next_, found.header.end()}, "numbers that were there before");
    } else if (input_.events) {
      read(found, record);
    }
    next_ = std::max(next_, found.header.end());
    at_ = found.at + record.size();
    return true;
  }

  /// No record begins here: the next one that checks, whichever end of it is seen first.
  bool look_further() {
    const std::size_t size = input_.bytes.size();
    const std::size_t bad = at_;
    std::optional<Found> next;
    for (std::size_t at = bad + kRecordAlignment; at + kRecordHeader <= size && !next; at += kRecordAlignment) {
      const char* const word = input_.bytes.data() + at;
      if (word[0] != 'S' || word[1] != 'p') continue;
      const std::string_view rest = input_.bytes.substr(at);
      if (const auto header = parse_record_header(rest, input_.seed)) next = Found{at, *header};
      if (const auto header = parse_record_header(rest, input_.seed, true)) next = from_trailer(bad, at, *header);
    }
    if (next) {
      if (next->at > bad) report(bad, next->at - bad, {}, "no record");
      at_ = next->at;
      return take(*next);
    }
    if (!input_.last && size - bad < kTrailerReach) {
      scan_.wanted = kTrailerReach;
      return false;
    }
    // What was not looked at yet as the beginning of a header stays for the next stretch.
    const std::size_t keep = input_.last ? 0 : std::min(size - bad, kRecordHeader - kRecordAlignment);
    const std::size_t skipped =
        (size - bad - keep) / (input_.last ? 1 : kRecordAlignment) * (input_.last ? 1 : kRecordAlignment);
    report(bad, skipped, {}, "no record");
    at_ = bad + skipped;
    return false;
  }

  std::optional<Found> from_trailer(std::size_t bad, std::size_t trailer, const RecordHeader& header) const {
    const std::size_t end = trailer + kRecordHeader;
    if (!header.has_trailer() || header.length > end - bad) return std::nullopt;
    return Found{end - header.length, header};
  }

  void read(const Found& found, std::string_view record) {
    const RecordHeader& header = found.header;
    const Range numbers{header.first, header.end()};
    if (header.type != kEventsRecord || (header.flags & ~kEncrypted) != 0) {
      return report(found.at, record.size(), numbers, "a kind of record that this version does not know");
    }
    if (header.encrypted() && !open(found, record)) return;
    const auto table = find_table(header, record);
    if (!table) return report(found.at, record.size(), numbers, "table");
    if (!sizes_agree(header, *table)) return report(found.at, record.size(), numbers, "lengths");
    read_events(found, record, *table);
  }

  /// Makes the content of an encrypted record plain, where it stands.
  bool open(const Found& found, std::string_view record) {
    const RecordHeader& header = found.header;
    const Range numbers{header.first, header.end()};
    const std::string_view covered =
        record.substr(std::min(kRecordHeader, record.size()), kSaltSize + header.content_size() + kTagSize);
    const bool whole = record.size() == header.length;
    if (!whole || !checks(covered, header.table_crc)) {
      report(found.at, record.size(), numbers, "encrypted record");
      return false;
    }
    if (input_.opener == nullptr) {
      scan_.closed.push_back(numbers);
      return false;
    }
    char* const bytes = slab_->data() + (record.data() - slab_->data());
    if (input_.opener->open(input_.offset + found.at, header, bytes)) return true;
    scan_.closed.push_back(numbers);
    report(found.at, record.size(), numbers, "encrypted record that no key fits");
    return false;
  }

  std::optional<std::string_view> find_table(const RecordHeader& header, std::string_view record) const {
    const std::size_t size = header.table_size();
    if (record.size() >= header.content_at() + size) {
      const std::string_view table = record.substr(header.content_at(), size);
      // An encrypted one has been checked with the whole content.
      if (header.encrypted() || crc32c(0, table) == header.table_crc) return table;
    }
    if (!header.has_trailer() || record.size() < header.length) return std::nullopt;
    const std::string_view table = record.substr(record.size() - kRecordHeader - size, size);
    if (crc32c(0, table) == header.table_crc) return table;
    return std::nullopt;
  }

  static bool sizes_agree(const RecordHeader& header, std::string_view table) {
    std::uint64_t total = header.table_size();
    const char* entry = table.data();
    for (std::uint32_t i = 0; i < header.blocks; ++i, entry += 8) total += load<std::uint32_t>(entry);
    for (std::uint32_t i = 0; i < header.events; ++i, entry += 12) {
      total += load<std::uint32_t>(entry);
      if (load<std::uint32_t>(entry + 4) > header.blocks) return false;
    }
    return total <= header.content_size() && header.content_size() - total < kRecordAlignment;
  }

  /// The record may be cut short: what lies beyond its end does not check.
  void read_events(const Found& found, std::string_view record, std::string_view table) {
    const RecordHeader& header = found.header;
    std::size_t at = header.content_at() + table.size();
    const auto part = [&](std::uint32_t length) {
      const std::string_view bytes = record.substr(std::min(at, record.size()), length);
      at += length;
      return bytes;
    };
    const char* entry = table.data();
    blocks_.assign(1, Batch::kNoHeaders);
    for (std::uint32_t i = 0; i < header.blocks; ++i, entry += 8) {
      const auto length = load<std::uint32_t>(entry);
      const std::string_view bytes = part(length);
      const bool good = bytes.size() == length && checks(bytes, load<std::uint32_t>(entry + 4));
      auto headers = good ? parse_headers(bytes) : nullptr;
      if (headers == nullptr) report(found.at + at - length, length, {}, "header block");
      blocks_.push_back(headers == nullptr ? kBad : scan_.batch.add_headers(std::move(headers)));
    }
    for (std::uint32_t i = 0; i < header.events; ++i, entry += 12) {
      const auto length = load<std::uint32_t>(entry);
      const Batch::Block block = blocks_[load<std::uint32_t>(entry + 4)];
      const std::uint64_t number = header.first + i;
      const std::string_view body = part(length);
      const bool good = body.size() == length && checks(body, load<std::uint32_t>(entry + 8));
      if (!good || block == kBad) {
        report(found.at + at - length, length, {number, number + 1}, good ? "headers of an event" : "body");
        continue;
      }
      add(number, body, block);
    }
  }

  void add(std::uint64_t number, std::string_view body, Batch::Block block) {
    const std::size_t index = scan_.batch.size();
    scan_.batch.add(body, block);
    if (!scan_.runs.empty() && scan_.runs.back().end() == number) {
      ++scan_.runs.back().count;
    } else {
      scan_.runs.push_back({number, index, 1});
    }
  }

  void report(std::size_t at, std::size_t bytes, Range numbers, std::string_view what) {
    const std::string_view content = input_.bytes.substr(std::min(at, input_.bytes.size()), bytes);
    const bool blank = numbers.size() == 0 && content.find_first_not_of('\0') == std::string_view::npos;
    if (!blank) scan_.damages.push_back({input_.offset + at, bytes, numbers, std::string(what)});
  }

  static constexpr Batch::Block kBad = ~Batch::Block{0};

  const ScanInput& input_;
  Slab* const slab_;
  Scan scan_;
  std::size_t at_ = 0;
  std::uint64_t next_;
  std::vector<Batch::Block> blocks_;  // of the record at hand, by their number in it
};

}  // namespace

Scan scan_records(std::shared_ptr<Slab> slab, const ScanInput& input) { return Scanner(std::move(slab), input).run(); }

}  // namespace standpipe::file_channel

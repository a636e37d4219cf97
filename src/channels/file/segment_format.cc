#include "channels/file/segment_format.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/check.h"
#include "channels/file/little_endian.h"
#include "io/crc32c.h"

namespace standpipe::file_channel {

namespace {
constexpr std::string_view kMagic = "SPSEG1\r\n";
constexpr std::string_view kPrefix = "segment-";
constexpr std::uint16_t kEncryptedSegment = 1;
constexpr std::size_t kCovered = 12;  // where the checksum's cover begins
constexpr std::size_t kKeyNameAt = 72;
constexpr std::size_t kSaltAt = 136;
constexpr std::size_t kKeyCheckAt = 152;
}  // namespace

std::string format_segment_header(const SegmentHeader& header) {
  std::string bytes(kMagic);
  append(bytes, std::uint32_t{0});
  append(bytes, kFormat);
  append(bytes, header.encrypted() ? kEncryptedSegment : std::uint16_t{0});
  append(bytes, header.channel_id);
  append(bytes, header.segment_id);
  append(bytes, header.first);
  append(bytes, header.made_ms);
  append(bytes, header.size);
  append(bytes, header.previous_id);
  append(bytes, header.previous_end);
  bytes.resize(kSegmentHeader, '\0');
  if (header.encrypted()) {
    CHECK(header.key_name.size() <= kLongestKeyName);
    bytes[kKeyNameAt] = static_cast<char>(header.key_name.size());
    header.key_name.copy(bytes.data() + kKeyNameAt + 1, header.key_name.size());
    std::copy(header.salt.begin(), header.salt.end(), bytes.begin() + kSaltAt);
    std::copy(header.key_check.begin(), header.key_check.end(), bytes.begin() + kKeyCheckAt);
  }
  store(bytes.data() + 8, crc32c(0, std::string_view(bytes).substr(kCovered, kSegmentHeaderUsed - kCovered)));
  return bytes;
}

Result<SegmentHeader> parse_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderUsed || !bytes.starts_with(kMagic))
    return Status(Code::corrupt, "no segment header");
  const char* at = bytes.data();
  if (load<std::uint32_t>(at + 8) != crc32c(0, bytes.substr(kCovered, kSegmentHeaderUsed - kCovered))) {
    return Status(Code::corrupt, "the segment header's checksum does not agree");
  }
  const auto format = load<std::uint16_t>(at + 12);
  if (format > kFormat) {
    return Status(Code::invalid,
                  fmt::format("written in format {}, this version knows {}: use a newer one", format, kFormat));
  }
  SegmentHeader header{.channel_id = load<std::uint64_t>(at + 16),
                       .segment_id = load<std::uint64_t>(at + 24),
                       .first = load<std::uint64_t>(at + 32),
                       .made_ms = load<std::int64_t>(at + 40),
                       .size = load<std::uint64_t>(at + 48),
                       .previous_id = load<std::uint64_t>(at + 56),
                       .previous_end = load<std::uint64_t>(at + 64)};
  if ((load<std::uint16_t>(at + 14) & kEncryptedSegment) == 0) return header;
  const auto length = static_cast<unsigned char>(at[kKeyNameAt]);
  if (length == 0 || length > kLongestKeyName) return Status(Code::corrupt, "the segment header names no key");
  header.key_name.assign(at + kKeyNameAt + 1, length);
  std::copy_n(at + kSaltAt, header.salt.size(), header.salt.begin());
  std::copy_n(at + kKeyCheckAt, header.key_check.size(), header.key_check.begin());
  return header;
}

std::string to_hex(std::uint64_t number) { return fmt::format("{:016x}", number); }

std::optional<std::uint64_t> from_hex(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (text.size() != 16 || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string segment_name(std::uint64_t id) { return std::string(kPrefix) + to_hex(id); }

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return from_hex(name.substr(kPrefix.size()));
}

}  // namespace standpipe::file_channel

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "channels/file/encryption.h"
#include "standpipe/status.h"

/// A segment's name and first page: docs/formats/file-channel.md, "Segment".
namespace standpipe::file_channel {

inline constexpr std::uint16_t kFormat = 1;
inline constexpr std::size_t kSegmentHeader = 4096;  ///< records begin here
inline constexpr std::size_t kSegmentHeaderUsed = 256;
inline constexpr std::size_t kLongestKeyName = 63;

struct SegmentHeader {
  std::uint64_t channel_id = 0;
  std::uint64_t segment_id = 0;
  std::uint64_t first = 0;  ///< no record has a smaller number
  std::int64_t made_ms = 0;
  std::uint64_t size = 0;
  std::uint64_t previous_id = 0;  ///< 0: none
  std::uint64_t previous_end = 0;
  std::string key_name = {};  ///< empty: not encrypted, and the rest has no meaning
  Salt salt = {};
  KeyCheck key_check = {};

  bool encrypted() const { return !key_name.empty(); }
  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

/// kSegmentHeader bytes.
std::string format_segment_header(const SegmentHeader& header);
/// Code::corrupt: damaged, all zero or too short. Code::invalid: a newer format: nobody may touch it.
Result<SegmentHeader> parse_segment_header(std::string_view bytes);

/// "segment-000000000000002a".
std::string segment_name(std::uint64_t id);
/// The id in such a name; none: it is another file.
std::optional<std::uint64_t> parse_segment_name(std::string_view name);

/// 16 hexadecimal digits, and back.
std::string to_hex(std::uint64_t number);
std::optional<std::uint64_t> from_hex(std::string_view text);

}  // namespace standpipe::file_channel

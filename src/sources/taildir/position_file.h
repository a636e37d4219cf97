#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sources/taildir/fingerprint.h"
#include "standpipe/status.h"

namespace standpipe::taildir {

/// One object of Flume's position file: all that Flume knows about a file.
struct Position {
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;  ///< everything before it was delivered
  std::string path;          ///< absolute
  friend bool operator==(const Position&, const Position&) = default;
};

/// What we know beyond it; stands in a file beside Flume's.
struct Knowledge {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  Fingerprint head;      ///< of the first bytes of the file
  Fingerprint tail;      ///< of the bytes right before `offset`
  bool rotated = false;  ///< had no matching name any more: Flume's file does not list it
  std::string path;
  friend bool operator==(const Knowledge&, const Knowledge&) = default;
};

/// Flume's JSON to the byte: one array without line feed, keys inode, pos, file, escaped as Gson escapes HTML. No
/// files: an empty text, as Flume writes it. A path that is not UTF-8 is written with U+FFFD, which is how Java sees
/// it.
std::string format_positions(const std::vector<Position>& positions);
/// Any key order, unknown keys ignored; an empty text has none. Code::corrupt for what is not such an array.
Result<std::vector<Position>> parse_positions(std::string_view text);

std::string format_knowledge(const std::vector<Knowledge>& entries);
Result<std::vector<Knowledge>> parse_knowledge(std::string_view text);

/// Where the knowledge beside the position file `path` stands.
inline std::string knowledge_path(const std::string& path) { return path + ".standpipe"; }

}  // namespace standpipe::taildir

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

/// The file beside: what we know, and which of our own position files it belongs to. It is written first: a position
/// file of `after` or `before` is ours, and then the offsets here count; any other text was written by Flume or an
/// operator.
struct KnowledgeFile {
  std::uint64_t before = 0;  ///< hash of the position file that stands until the next one is written
  std::uint64_t after = 0;   ///< hash of the one that is written after this
  std::vector<Knowledge> files;
  friend bool operator==(const KnowledgeFile&, const KnowledgeFile&) = default;
};
std::string format_knowledge(const KnowledgeFile& knowledge);
Result<KnowledgeFile> parse_knowledge(std::string_view text);

/// Where the knowledge beside the position file `path` stands.
inline std::string knowledge_path(const std::string& path) { return path + ".standpipe"; }

}  // namespace standpipe::taildir

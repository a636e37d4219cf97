#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "standpipe/status.h"

namespace standpipe::avro {

/// How the blocks of a container file are compressed; names are those of the file's `avro.codec` entry.
enum class Codec : unsigned char { null, deflate, snappy, bzip2, zstandard, xz };

std::string_view to_string(Codec codec);
/// "" and "null" are null; "zstd" is taken for zstandard. Code::invalid names the codec and lists the known ones.
Result<Codec> find_codec(std::string_view name);

/// Makes the bytes of an Avro object container file; where they go is the caller's business. Not thread-safe.
///
///   ContainerWriter writer({.schema_json = schema, .codec = Codec::snappy});
///   writer.header(bytes);                    // once, at the start of a file
///   writer.append(datum, bytes);             // `bytes` grows by a block whenever one is full
///   writer.finish_block(bytes);              // at a flush: what was appended is then readable
class ContainerWriter {
 public:
  struct Options {
    std::string schema_json = {};
    Codec codec = Codec::null;
    int level = -1;  ///< of the codec; -1: its default
    std::size_t sync_interval =
        16000;  ///< raw bytes after which a block is closed (Flume's syncIntervalBytes: 2048000)
    std::map<std::string, std::string> metadata =
        {};  ///< further entries of the header, beside avro.schema and avro.codec
  };

  explicit ContainerWriter(Options options);
  ~ContainerWriter();
  ContainerWriter(ContainerWriter&&) noexcept;
  ContainerWriter& operator=(ContainerWriter&&) noexcept;

  /// Appends the file header with a new random sync marker to `out`.
  void header(std::string& out);
  /// Continues a file that has a header: its sync marker.
  void continue_with(const std::array<char, 16>& sync) { sync_ = sync; }
  /// Takes one encoded datum; appends a finished block to `out` when it is time. Code::io when a compressor fails.
  Status append(std::string_view datum, std::string& out);
  /// For who encodes in place: append one datum's bytes to pending(), then call appended().
  std::string& pending() { return block_; }
  Status appended(std::string& out);
  /// Closes the block in work, if it holds anything.
  Status finish_block(std::string& out);

  std::uint64_t pending_records() const { return records_; }
  std::size_t pending_bytes() const { return block_.size(); }
  const std::array<char, 16>& sync() const { return sync_; }

 private:
  Options options_;
  std::array<char, 16> sync_{};
  std::string block_;
  std::string compressed_;
  std::uint64_t records_ = 0;
};

}  // namespace standpipe::avro

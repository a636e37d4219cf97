#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "codec/compress/compressor.h"
#include "standpipe/status.h"

namespace standpipe {

/// Writes Hadoop SequenceFiles (version 6) with LongWritable keys: record after record without a codec, blocks of
/// records with one, byte for byte as Hadoop's own writer lays them out (what a codec makes of a block may differ).
/// Bytes are added to the caller's buffer. header() comes first; after sync() all records given are in the bytes given
/// out, and a reader that starts anywhere before finds the next record from there. One thread at a time.
class SequenceFileWriter {
 public:
  enum class Value : unsigned char { bytes_writable, text };
  using Marker = std::array<char, 16>;

  struct Options {
    Value value = Value::bytes_writable;
    HadoopCodecInfo codec{HadoopCodec::none, {}, {}};  ///< none: uncompressed records; else compressed blocks
    std::uint64_t sync_interval = 102'400;             ///< io.seqfile.sync.interval
    std::size_t block_size = 1'000'000;                ///< io.seqfile.compress.blocksize, raw bytes
  };

  /// `marker` stands between records and must not occur in the data by chance: sixteen random bytes.
  SequenceFileWriter(Options options, const Marker& marker);
  static Marker random_marker();

  void header(std::string& out);
  /// Code::poison for a value that no record can hold (2 GiB).
  Status append(std::int64_t key, std::string_view value, std::string& out);
  Status sync(std::string& out);

 private:
  Status append_record(std::int64_t key, std::string_view value, std::string& out);
  Status append_to_block(std::int64_t key, std::string_view value, std::string& out);
  Status write_block(std::string& out);
  Status write_section(std::string& section, std::string& out);
  void write_marker(std::string& out);
  void advance(const std::string& out, std::size_t before) { position_ += out.size() - before; }

  const Options options_;
  const Marker marker_;
  std::unique_ptr<Compressor> compressor_;  // null: no codec
  std::uint64_t position_ = 0;              // bytes given out so far
  std::uint64_t last_marker_ = 0;           // position behind the last marker
  std::uint32_t block_records_ = 0;
  std::string key_lengths_;
  std::string keys_;
  std::string value_lengths_;
  std::string values_;
  std::string compressed_;
};

/// Hadoop's variable-length integer.
void append_hadoop_vint(std::int64_t value, std::string& out);

}  // namespace standpipe

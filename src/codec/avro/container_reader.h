#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "codec/avro/container_writer.h"
#include "codec/avro/schema.h"
#include "standpipe/status.h"

namespace standpipe::avro {

/// Reads an Avro object container file, record by record, from wherever its bytes are. A record is given as its raw
/// datum; where it stood is a Position that a later reader can go back to. What a hostile file can cost is limited.
/// Not thread-safe.
///
///   TRY_ASSIGN(auto reader, ContainerReader::open(read_at));
///   for (;;) {
///     TRY_ASSIGN(const auto datum, reader.next());
///     if (!datum) break;                                  // a clean end
///   }
class ContainerReader {
 public:
  /// Fills up to `size` bytes at `offset`; fewer only at the end of the file. Must outlive the reader's use of it.
  using ReadAt = std::function<Result<std::size_t>(std::uint64_t offset, char* target, std::size_t size)>;

  struct Limits {
    std::size_t header_bytes = 4u << 20;
    std::size_t block_bytes = 64u << 20;  ///< as stored
    std::size_t raw_bytes = 256u << 20;   ///< decompressed
  };

  /// A place between two records: the offset of a block and how many of its records are done.
  struct Position {
    std::uint64_t block = 0;
    std::uint64_t record = 0;
    friend bool operator==(const Position&, const Position&) = default;
  };

  /// Reads the header. Code::corrupt when it is none, Code::invalid for a codec or schema that is not understood.
  static Result<ContainerReader> open(ReadAt read_at, Limits limits);
  static Result<ContainerReader> open(ReadAt read_at) { return open(std::move(read_at), Limits()); }

  const Schema& schema() const { return schema_; }
  Codec codec() const { return codec_; }
  /// Entries of the header, also avro.schema and avro.codec.
  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
  const std::array<char, 16>& sync() const { return sync_; }

  /// The next record's datum, valid until the next call; nothing at the end of the file. Code::corrupt names the
  /// block's offset; the reader may then go on behind the damage with skip_damage().
  Result<std::optional<std::string_view>> next();
  /// Behind the record given last.
  Position position() const;
  /// Goes to a place that position() gave, in this or an equal file; block 0 is the first one.
  Status seek(Position position);
  /// Moves to the block behind the next sync marker; returns the bytes passed over since the damaged block began.
  Result<std::uint64_t> skip_damage();

 private:
  ContainerReader() = default;
  Status read_header(std::size_t limit);
  Result<bool> load_block();
  Result<bool> fill(std::uint64_t offset, std::size_t size, std::string& target) const;
  Status corrupt(std::string_view what) const;

  ReadAt read_at_;
  Limits limits_;
  Schema schema_;
  Codec codec_ = Codec::null;
  std::map<std::string, std::string, std::less<>> metadata_;
  std::array<char, 16> sync_{};
  std::uint64_t first_block_ = 0;
  std::uint64_t block_ = 0;  // offset of the block in work, or of the next one
  std::uint64_t next_block_ = 0;
  std::uint64_t records_ = 0;  // in the block in work; 0: none is loaded
  std::uint64_t done_ = 0;
  std::string stored_;
  std::string raw_;
  std::string_view rest_;  // of raw_ (or stored_), from the next datum on
};

}  // namespace standpipe::avro

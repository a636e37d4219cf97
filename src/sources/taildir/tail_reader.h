#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "codec/lines/line_splitter.h"
#include "sources/taildir/tail_file.h"
#include "standpipe/batch.h"
#include "standpipe/memory_budget.h"
#include "standpipe/status.h"

namespace standpipe::taildir {

/// Reads a followed file in chunks and cuts them into batches whose bodies are slices of the chunk. Keeps nothing
/// between calls but what stands in the TailFile: a waiting partial line holds no memory. Each chunk starts a few bytes
/// before the position, so that one read also proves that the content before it is still the one that was read.
class TailReader {
 public:
  struct Options {
    std::size_t batch_size = 100;
    std::int64_t max_batches = 0;  ///< per file and turn
    LineOptions lines;             ///< max_length must be set
    std::size_t chunk_bytes = 256 * 1024;
    bool byte_offset_header = false;
  };
  enum class Outcome : unsigned char {
    nothing,   ///< no complete line now
    read,      ///< read all there is
    more,      ///< there is more: call again
    replaced,  ///< shorter than the position or other bytes before it: not what we read
    no_room,   ///< the memory budget is used up now
  };
  /// Takes a batch that ends at `end`.
  using Deliver = std::function<void(TailFile&, Batch, const Mark& end)>;

  TailReader(Options options, MemoryBudget& budget, Deliver deliver)
      : options_(options), budget_(budget), deliver_(std::move(deliver)) {}

  /// One chunk of complete lines.
  Result<Outcome> read(TailFile& file);
  /// What stands behind the last line feed, as an event: before a file is closed.
  Result<Outcome> read_rest(TailFile& file);
  /// Reads [begin, end) again into `batch`, for a hand-over that failed. Outcome::replaced: the bytes are gone.
  Result<Outcome> reread(TailFile& file, const Mark& begin, const Mark& end, Batch& batch);

  std::uint64_t overlong_lines() const { return overlong_lines_; }

 private:
  struct Chunk;
  Result<Outcome> load(TailFile& file, std::uint64_t size, Chunk& chunk);
  static Result<bool> still_stands(File& file, const Chunk& chunk, std::size_t proof);
  static void skip_hole(TailFile& file);
  Result<Outcome> read_lines(TailFile& file, std::uint64_t size);
  Result<Outcome> read_long(TailFile& file);
  Result<Outcome> read_piece(TailFile& file, std::uint64_t size, std::uint64_t consumed);
  bool cut(TailFile& file, const Chunk& chunk);
  void add(Batch& batch, const TailFile& file, std::string_view line, std::uint64_t offset);
  Batch start_batch(const TailFile& file, const Chunk& chunk) const;
  void hand_over(TailFile& file, Batch batch, const Chunk& chunk, std::uint64_t end);

  const Options options_;
  MemoryBudget& budget_;
  const Deliver deliver_;
  std::string scratch_;
  std::uint64_t overlong_lines_ = 0;
};

/// The fingerprint of the bytes right before `offset`, read from the file.
Result<Fingerprint> read_fingerprint(File& file, std::uint64_t offset, std::uint64_t size);

}  // namespace standpipe::taildir

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channels/file/interval_set.h"
#include "standpipe/batch.h"

namespace standpipe::file_channel {

/// Events `at` … of a batch, whose numbers follow each other from `first`.
struct Run {
  std::uint64_t first;
  std::size_t at;
  std::size_t count;
  std::uint64_t end() const { return first + count; }
};

/// Bytes of a segment that do not check.
struct Damage {
  std::uint64_t offset;  ///< in the segment
  std::uint64_t bytes;
  Range numbers;     ///< of the events that they held, as far as that is known; else empty
  std::string what;  ///< "body", "header block", "no record"
};

/// What stands in a stretch of a segment.
struct Scan {
  Batch batch;            ///< bodies are slices of the slab
  std::vector<Run> runs;  ///< ascending
  std::vector<Damage> damages;
  std::size_t used = 0;      ///< bytes dealt with: the next stretch begins here
  std::size_t wanted = 0;    ///< not 0: a record is not all there; come again with this many bytes from `used` on
  std::uint64_t end = 0;     ///< behind the last record, in the segment; 0: there was none
  std::uint64_t first = 0;   ///< the first record's smallest number, if there was one
  std::uint64_t next = 0;    ///< behind the highest number seen; 0: none
  std::uint64_t synced = 0;  ///< the furthest that a record says the segment was synced
  /// Numbers of events that were not read, as their records are encrypted and no key is at hand or fits.
  std::vector<Range> closed;
};

class RecordOpener;

struct ScanInput {
  std::string_view bytes;    ///< in the slab
  std::uint64_t offset = 0;  ///< of the first byte in the segment
  std::uint32_t seed = 0;
  std::uint64_t from = 0;  ///< records with smaller numbers are repeats: left out
  bool last = false;       ///< nothing comes behind these bytes
  bool events = true;      ///< false: looks at record headers only
  /// Null: encrypted records are checked and not read.
  RecordOpener* opener = nullptr;
};

/// Reads records from hostile bytes: never fails, never asks for more memory than there are bytes; whatever checks is
/// in the result, the rest among the damages. Zeros behind the last record are its end, not damage. Encrypted records
/// are opened where they stand in the slab: their bytes there are others afterwards.
Scan scan_records(std::shared_ptr<Slab> slab, const ScanInput& input);

}  // namespace standpipe::file_channel

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channels/file/encryption.h"
#include "channels/file/interval_set.h"
#include "channels/file/record_scan.h"
#include "channels/file/segment.h"
#include "io/file_system.h"
#include "standpipe/memory_budget.h"

namespace standpipe::file_channel {

/// Told of every damaged place that held events somebody still waits for.
using DamageReport = std::function<void(const std::string& path, const Damage& damage)>;

/// Events `at` … of a batch, with numbers.
struct NumberedEvents {
  std::uint64_t first;
  BatchPtr batch;
  std::size_t at;
  std::size_t count;
  std::uint64_t end() const { return first + count; }
};

/// Reads one data directory from a number onwards, a chunk at a time. One thread at a time.
class DirectoryReader {
 public:
  /// What the readers of all directories share, and which outlives them.
  struct Context {
    FileSystem& files;
    std::uint64_t channel_id;
    const KeyRing& keys;
    MemoryBudget& budget;
  };
  DirectoryReader(const Context& context, const SegmentList& segments, const DamageReport& report);

  /// The first events with numbers at or above `number`; none: there are no more. Jumps where that is needed.
  Result<std::optional<NumberedEvents>> peek(std::uint64_t number);
  /// Whether peek(number) would read.
  bool needs_chunk(std::uint64_t number) const { return number >= passed_; }

 private:
  Result<bool> next_chunk(std::uint64_t number);
  bool folder_is_there() const;
  Status go_to(const SegmentList::Place& place);
  Result<std::size_t> read(char* target, std::size_t size);
  void report(const Scan& scan, std::uint64_t number) const;

  const Context context_;
  const SegmentList& segments_;
  const DamageReport& report_;

  std::unique_ptr<File> file_;
  std::optional<RecordOpener> opener_;  // of segment_; none: no key is at hand
  Segment segment_;
  bool placed_ = false;         // segment_ and offset_ say where to go on
  std::uint64_t offset_ = 0;    // of the next chunk
  std::uint64_t passed_ = 0;    // numbers below it do not stand at or behind offset_
  std::size_t chunk_size_ = 0;  // what the last one needed
  BatchPtr batch_;
  std::vector<Run> runs_;         // of the chunk
  std::uint64_t chunk_from_ = 0;  // what has this number or a higher one stands in the chunk or behind it
};

/// Reads what is on disk, merged over all data directories by number. One thread at a time.
class BacklogReader {
 public:
  BacklogReader(const DirectoryReader::Context& context, const std::vector<const SegmentList*>& directories,
                DamageReport report);

  struct Loaded {
    std::vector<NumberedEvents> events;  ///< ascending
    std::vector<Range> missing;          ///< numbers that are nowhere
    std::uint64_t end = 0;               ///< what was asked for is dealt with up to here
  };
  /// A chunk's worth of the numbers asked for, from the first on. Never nothing, unless it failed.
  Result<Loaded> read(Range numbers);

 private:
  const DamageReport report_;
  std::vector<std::unique_ptr<DirectoryReader>> directories_;
};

}  // namespace standpipe::file_channel

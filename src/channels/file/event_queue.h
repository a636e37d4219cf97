#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "channels/file/backlog_reader.h"
#include "channels/file/interval_set.h"
#include "standpipe/batch.h"
#include "standpipe/status.h"

namespace standpipe::file_channel {

/// Where every event number is: held in memory (stored and not published, ready, or leased), gone, or else on disk.
/// Gives room and numbers to puts and the lowest ready numbers to takes. Thread-safe; does no I/O; no call takes longer
/// than its ranges.
class EventQueue {
 public:
  struct Limits {
    std::int64_t events;
    std::int64_t transaction_events;
  };

  EventQueue(Limits limits, IntervalSet gone, std::uint64_t next, const MemoryBudget& budget);

  void set_limits(Limits limits);
  Limits limits() const;

  // -- puts: room, then numbers, then published or taken back
  Status reserve(std::size_t events);
  void release(std::size_t events);
  /// Turns reserved room into numbers, held until publish() or take_back(). The first of them.
  std::uint64_t allocate(std::size_t events);
  void publish(std::uint64_t first, BatchPtr batch);
  /// The numbers are gone: the put failed, or was dropped.
  void take_back(Range numbers);

  // -- takes
  /// Up to `max` of the lowest ready events; adds them to `taken`. Something that is on disk comes first when there is
  /// less: load() it.
  std::size_t take(std::size_t max, std::vector<NumberedEvents>& taken);
  void commit(const std::vector<Range>& numbers);
  void give_back(std::vector<NumberedEvents> events);

  // -- what is on disk
  /// The lowest numbers that only the disk has, when they come before all that is ready. Nobody else takes them until
  /// loaded(): one reader at a time.
  std::optional<Range> wanted_from_disk() const;
  void loaded(const BacklogReader::Loaded& loaded);

  // -- figures
  std::int64_t size() const;  ///< stored and not gone
  std::uint64_t next() const;
  std::optional<std::uint64_t> oldest() const;  ///< the lowest number that is not gone
  IntervalSet gone() const;

 private:
  struct Ready {
    BatchPtr batch;
    std::size_t at;
    std::size_t count;
    std::size_t bytes;
  };
  using ReadyMap = std::map<std::uint64_t, Ready>;  // by first number

  std::optional<std::uint64_t> first_on_disk() const;
  bool keeps_in_memory(std::size_t bytes);
  void forget(Range numbers);
  void insert_ready(const NumberedEvents& events);
  void shed();

  const MemoryBudget& budget_;
  mutable std::mutex mutex_;
  Limits limits_;
  IntervalSet gone_;
  IntervalSet held_;
  std::uint64_t next_;
  std::int64_t reserved_ = 0;
  ReadyMap ready_;
  std::size_t ready_bytes_ = 0;
  bool overflowing_ = false;             // too much is ready: what is published stays on disk until half is free
  mutable std::uint64_t disk_from_ = 0;  // every number below it is held or gone
};

}  // namespace standpipe::file_channel

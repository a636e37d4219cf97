#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "channels/file/age_marks.h"
#include "channels/file/backlog_reader.h"
#include "channels/file/consumption_log.h"
#include "channels/file/data_directory.h"
#include "channels/file/file_channel_options.h"
#include "channels/file/recovery.h"
#include "core/wakers.h"
#include "standpipe/channel.h"

namespace standpipe::file_channel {

/// What outlives a start of the channel: options, wakers, counters. Puts and leases may use it later than the channel
/// lives.
struct Shared {
  Shared(Options chosen, Environment& environment)
      : options(std::move(chosen)),
        put_attempt(environment.counters.counter(counter_names::kPutAttempt)),
        put_success(environment.counters.counter(counter_names::kPutSuccess)),
        take_attempt(environment.counters.counter(counter_names::kTakeAttempt)),
        take_success(environment.counters.counter(counter_names::kTakeSuccess)),
        damaged(environment.counters.counter("EventDamagedCount")),
        damaged_bytes(environment.counters.counter("DamagedBytes")),
        damaged_kept(environment.counters.counter("DamagedBytesKept")),
        missing(environment.counters.counter("EventMissingCount")),
        taken_over(environment.counters.counter("EventTakenOverCount")),
        syncs(environment.counters.counter("SyncCount")),
        sync_failures(environment.counters.counter("SyncFailCount")) {}

  Options current() const {
    std::lock_guard lock(mutex);
    return options;
  }

  mutable std::mutex mutex;
  Options options;
  WakerList space_wakers;
  WakerList event_wakers;
  Counter& put_attempt;
  Counter& put_success;
  Counter& take_attempt;
  Counter& take_success;
  Counter& damaged;
  Counter& damaged_bytes;
  Counter& damaged_kept;
  Counter& missing;
  Counter& taken_over;
  Counter& syncs;
  Counter& sync_failures;
};

/// One start of the channel: what was recovered, the writers' threads and the housekeeper's. Puts and leases share it.
class Life : public std::enable_shared_from_this<Life> {
 public:
  static Result<std::shared_ptr<Life>> begin(std::shared_ptr<Shared> shared, Environment& environment);
  ~Life() { end(); }

  void end();
  /// Takes over all but the folders.
  void apply(const Options& options);
  bool open() const { return open_.load(std::memory_order_acquire); }

  Result<std::unique_ptr<Put>> reserve(const Batch& batch);
  Result<Lease> take(std::size_t max_events);
  Status commit(const std::vector<Range>& numbers);
  void give_back(std::vector<NumberedEvents> events);
  void take_back(Range numbers);

  std::size_t segment_count();
  /// Of the oldest event, up to a second more; of those from before the start since their segment was begun.
  std::int64_t oldest_age_ms();
  void note_time(std::uint64_t first) { ages_.note(first, environment_.clock.now_ms()); }
  /// The first of: a directory that takes nothing, taken events whose record is in memory only.
  Status trouble() const;
  bool disk_full() const;
  EventQueue& queue() { return queue_; }
  MemoryBudget& budget() { return environment_.budget; }
  Form form() const { return keys_.active() == nullptr ? Form::clear : Form::encrypted; }
  Shared& shared() { return *shared_; }

 private:
  Life(std::shared_ptr<Shared> shared, Environment& environment, Options options, KeyRing keys, Recovered recovered);

  Status start();
  Status begin_writing();
  Status begin_recording();
  Result<DataDirectory*> choose_directory();
  Result<bool> load();
  void report(const std::string& path, const Damage& damage);
  void report_missing(const std::vector<Range>& missing);
  void mark_dirty();

  void keep_house(std::stop_token stop);
  void housekeeping(Clock::Steady now);
  Status take_snapshot();
  IntervalSet noted() const;
  void delete_segments(const IntervalSet& gone);
  void complain(const Status& status);

  std::shared_ptr<Shared> shared_;
  Environment& environment_;
  const Options options_;
  const KeyRing keys_;
  std::vector<DirectoryGuard> guards_;
  const std::uint64_t channel_id_;
  EventQueue queue_;
  AgeMarks ages_;
  ConsumptionLog consumption_;
  /// Shared from the moment when numbers go until the log has them, so that who has it alone sees both or neither.
  mutable std::shared_mutex notes_;
  std::atomic<std::uint64_t> next_segment_;
  WriterContext writer_context_;
  std::vector<std::unique_ptr<DataDirectory>> directories_;
  std::atomic<std::size_t> turn_{0};
  std::mutex reader_mutex_;
  std::unique_ptr<BacklogReader> reader_;
  std::atomic<bool> open_{false};

  std::mutex house_mutex_;
  std::condition_variable_any house_changed_;
  std::atomic<bool> dirty_{false};  // something went since the last snapshot
  Clock::Steady snapshot_due_{};
  Clock::Steady complained_{};
  std::jthread housekeeper_;
};

}  // namespace standpipe::file_channel

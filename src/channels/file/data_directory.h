#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "channels/file/encryption.h"
#include "channels/file/event_queue.h"
#include "channels/file/record.h"
#include "channels/file/segment.h"
#include "standpipe/environment.h"
#include "standpipe/receipt.h"

namespace standpipe::file_channel {

/// What all data directories of a channel share. Outlives them.
struct WriterContext {
  FileSystem& files;
  Clock& clock;
  Log& log;
  std::uint64_t channel_id;
  const KeyRing& keys;
  std::atomic<std::uint64_t> segment_size;
  std::atomic<std::uint64_t> minimum_free;  ///< bytes of the file system that stay free
  EventQueue& queue;
  std::atomic<std::uint64_t>& next_segment;
  std::function<void(std::vector<Range>)> lost;  ///< numbers of puts that failed: gone, and to be recorded
  std::function<void()> segment_made;            ///< a snapshot should know of it
  std::function<void()> usable_again;            ///< room or a working disk is there again
  Counter& syncs;
  Counter& sync_failures;
};

/// One data directory: puts wait here, a thread of its own writes all that wait as one group, syncs once and completes
/// their receipts, in order. A group that fails is written once more into a new segment; a segment that failed is never
/// touched again. Thread-safe.
class DataDirectory {
 public:
  DataDirectory(WriterContext& context, std::string folder, std::vector<Segment> found);
  ~DataDirectory();

  /// Makes the first segment and starts the thread, which tries again where that failed: then the result says why it
  /// takes nothing for now. Once.
  Status start();

  /// What waits is written, then the thread ends. Legal in any state.
  void stop();

  /// Ok, or why it takes nothing now: Code::full, Code::io.
  Status usable() const;
  /// Bytes that wait to be written.
  std::size_t waiting() const;

  struct Stored {
    Receipt receipt;
    std::uint64_t first;  ///< number of its first event
  };
  /// Takes numbers and a place in the next group. Never blocks.
  Stored store(EncodedPut put);

  const std::string& folder() const { return folder_; }
  SegmentList& segments() { return segments_; }

 private:
  struct Pending {
    EncodedPut put;
    ReceiptPromise promise;
    std::uint64_t first;
    Range numbers() const { return {first, first + put.events()}; }
  };
  using Group = std::vector<Pending>;

  void run();
  void wake();
  bool wait_for_work(Group& group);
  void gather(std::unique_lock<std::mutex>& lock);
  std::size_t puts_waiting() const;
  void write(Group& group);
  Status write_part(Group& group, std::size_t first, std::size_t& written);
  Status write_once(Group& group, std::size_t first, std::size_t count);
  Status write_clear(Group& group, std::size_t first, std::size_t count);
  Status write_encrypted(const Group& group, std::size_t first, std::size_t count);
  Status check_folder() const;
  Status roll(std::uint64_t first_number, std::size_t needed);
  std::uint64_t first_unwritten() const;
  bool takes_others(const Pending& refused);
  void fail(Group& group, std::size_t first, std::size_t last, const Status& status);
  void set_state(Status state);

  WriterContext& context_;
  const std::string folder_;
  SegmentList segments_;
  // The writer thread's (start()'s before it runs):
  std::unique_ptr<SegmentWriter> writer_;
  std::optional<RecordCipher> cipher_;  // of writer_'s segment; none: in clear
  std::uint64_t last_id_ = 0;           // of the newest segment, and how much of it counts
  std::uint64_t last_end_ = 0;
  std::string joined_;                     // small puts of a group, side by side; encrypted ones, of whatever size
  bool usable_now_ = true;                 // what state_ says
  std::size_t clients_ = 0;                // that wait, or will when they have their receipts: seen at the last sync
  std::chrono::nanoseconds last_took_{0};  // to write and sync it
  unsigned gather_misses_ = 0;             // in a row
  unsigned gathers_to_skip_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable_any retry_or_changed_;  // waited on while the state is bad
  Group pending_;
  std::size_t pending_bytes_ = 0;
  bool asleep_ = false;      // the thread waits and must be woken
  std::size_t wake_at_ = 1;  // by the put that makes so many
  bool stopping_ = false;
  Status state_;
  std::thread thread_;
};

}  // namespace standpipe::file_channel

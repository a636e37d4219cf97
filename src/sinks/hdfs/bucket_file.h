#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/serializers/event_serializer.h"
#include "sinks/hdfs/open_file_journal.h"
#include "standpipe/lease.h"
#include "store/event_output.h"
#include "store/store.h"

namespace standpipe::hdfs {

/// Positions of one lease that went to one bucket.
struct LeasedRun {
  std::shared_ptr<Lease> lease;
  std::size_t first = 0;
  std::size_t last = 0;
};

/// One file while it is written. Bytes gather in a buffer and leave it in large writes; events count as stored after
/// flush() (or finish()) and the settling of names and journal, which is the owner's part, done once for many files.
/// After a failure the file is given up: abandon() says how much of it is good. One thread; the store, the journal and
/// the clock outlive it.
class BucketFile {
 public:
  BucketFile(std::string stream, OpenFileJournal::Id id, std::string in_use, std::string final_name,
             std::unique_ptr<StoreFile> file, std::unique_ptr<EventSerializer> format, Clock::Steady now);

  Status begin() { return output_.begin(); }
  /// Code::poison concerns this event alone and leaves the file good; anything else is the end of the file. The body
  /// must stay where it is until the next flush() or finish(): its lease is held until then.
  Status append(const EventRef& event);
  /// These events are in the file and wait for the next flush.
  void claim(LeasedRun run);
  /// All of it is durable, and a reader sees every event.
  Status flush(Clock::Steady now);
  /// Its last bytes, durable, and closed.
  Status finish();
  /// The claimed events are stored: the caller has settled names and journal.
  void mark_stored() { stored_bytes_ = flushed_bytes_; }
  std::vector<LeasedRun> take_claims();
  bool has_claims() const { return !claims_.empty(); }
  /// After a flush: with many files open an idle one keeps no memory.
  void release_buffer() { output_.release_memory(); }

  const std::string& stream() const { return stream_; }
  OpenFileJournal::Id id() const { return id_; }
  const std::string& in_use() const { return in_use_; }
  const std::string& final_name() const { return final_name_; }
  std::uint64_t events() const { return events_; }
  std::uint64_t body_bytes() const { return body_bytes_; }
  /// Bytes that the last good flush covers, and those of them that were reported as stored.
  std::uint64_t flushed_bytes() const { return flushed_bytes_; }
  std::uint64_t stored_bytes() const { return stored_bytes_; }
  Clock::Steady opened_at() const { return opened_at_; }
  Clock::Steady flushed_at() const { return flushed_at_; }

 private:
  const std::string stream_;
  const OpenFileJournal::Id id_;
  const std::string in_use_;
  const std::string final_name_;
  std::unique_ptr<StoreFile> file_;
  std::unique_ptr<EventSerializer> format_;
  EventOutput output_;
  std::vector<LeasedRun> claims_;
  std::uint64_t events_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t flushed_bytes_ = 0;
  std::uint64_t stored_bytes_ = 0;
  const Clock::Steady opened_at_;
  Clock::Steady flushed_at_;
};

}  // namespace standpipe::hdfs

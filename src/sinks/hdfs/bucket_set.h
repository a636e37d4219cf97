#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sinks/hdfs/bucket_file.h"
#include "sinks/hdfs/file_finisher.h"
#include "sinks/hdfs/hdfs_config.h"
#include "sinks/hdfs/open_file_journal.h"
#include "standpipe/environment.h"
#include "store/store.h"

namespace standpipe::hdfs {

/// What could not be written to one bucket, in order.
struct FailedRuns {
  std::string stream;
  std::vector<LeasedRun> runs;
  Status why;
};

/// Where an event's file lies: what the escapes of path, prefix and suffix came to.
struct BucketPlace {
  std::string_view folder;
  std::string_view prefix;
  std::string_view suffix;
};

/// All buckets of one sink: opens their files, rolls them by size and number, closes them by age, idleness and number
/// of open files. append() only gathers; settle() makes everything gathered so far durable (each file flushed once,
/// each folder synced once, one list of open files), and only then commits the events, file by file: a file that failed
/// gives its own events back through failures() and holds up no other. One thread; everything given must outlive it.
class BucketSet {
 public:
  struct Bucket;

  BucketSet(Store& store, OpenFileJournal& journal, FileFinisher& finisher, const Config& config,
            Environment& environment);
  ~BucketSet();

  /// The bucket of that place, made when there is none. Valid until the next call of find() or close_due().
  /// Code::poison when no file can have such a name.
  Result<Bucket*> find(const BucketPlace& place);
  /// Appends positions [first, last) of the lease.
  void append(Bucket& bucket, const std::shared_ptr<Lease>& lease, std::size_t first, std::size_t last);
  /// See above. Returns how many events were committed; a failure is the channel's, not a file's.
  Result<std::size_t> settle();
  /// What failed since the last call.
  std::vector<FailedRuns> take_failures();

  /// Closes what has reached its age or was idle for long enough. Settle afterwards.
  void close_due(Clock::Steady now);
  std::optional<Clock::Steady> next_due() const { return next_due_; }
  /// Closes all files. Settle afterwards.
  void close_all();
  bool needs_settle() const { return !touched_.empty() || !finished_.empty(); }
  std::size_t open_files() const { return open_files_; }

 private:
  struct Pending;

  Status open_file(Bucket& bucket);
  Status choose_names(Bucket& bucket, std::string& in_use, std::string& final_name);
  bool must_roll(const BucketFile& file) const;
  void close_file(Bucket& bucket);
  void remove(Bucket& bucket);
  void evict();
  void give_up(std::unique_ptr<BucketFile> file, const Status& why);
  void fail(const std::string& stream, std::vector<LeasedRun> runs, const Status& why);
  void note_due(const BucketFile& file);
  std::optional<Clock::Steady> due_of(const BucketFile& file) const;

  std::vector<Pending> collect();
  void flush(std::vector<Pending>& pending);
  void name(std::vector<Pending>& pending);
  void journal(std::vector<Pending>& pending);
  Result<std::size_t> commit(std::vector<Pending>& pending);

  Store& store_;
  OpenFileJournal& journal_;
  FileFinisher& finisher_;
  const Config& config_;
  Environment& environment_;
  Counter& created_;
  Counter& closed_;
  Counter& failed_;

  std::unordered_map<std::string, std::unique_ptr<Bucket>> buckets_;
  std::list<Bucket*> by_age_;  // least recently used first
  std::string key_;            // reused for look-ups
  std::vector<Bucket*> touched_;
  std::vector<std::unique_ptr<BucketFile>> finished_;  // rolled or closed, not yet flushed
  std::vector<FailedRuns> failures_;
  std::size_t open_files_ = 0;
  std::optional<Clock::Steady> next_due_;
};

}  // namespace standpipe::hdfs

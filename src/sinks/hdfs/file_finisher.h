#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "sinks/hdfs/hdfs_config.h"
#include "sinks/hdfs/open_file_journal.h"
#include "standpipe/environment.h"
#include "store/store.h"

namespace standpipe::hdfs {

/// Brings files that can't be finished in the usual way to their end: what a crash left open, what failed while it was
/// written, what could not be renamed. Each is cut to what counts as delivered and gets its final name (or is removed
/// when nothing in it counts); what fails is tried again every hdfs.retryInterval, hdfs.closeTries times in all, and
/// then by the next start. One thread; everything given must outlive it.
class FileFinisher {
 public:
  struct Unfinished {
    OpenFileJournal::Id id = 0;
    std::string in_use;
    std::string final_name;
    std::optional<std::uint64_t> cut_to;  ///< empty: it is whole, only the name is missing
  };

  FileFinisher(Store& store, OpenFileJournal& journal, const Config& config, Environment& environment)
      : store_(store), journal_(journal), config_(config), environment_(environment) {}

  /// Takes over what the journal lists from an earlier life.
  void recover_orphans();
  /// Tries at once, and later again when that fails.
  void finish(Unfinished file);
  void retry_due(Clock::Steady now);
  std::optional<Clock::Steady> next_due() const;

 private:
  struct Waiting {
    Unfinished file;
    std::uint64_t tries;
    Clock::Steady due;
  };

  Status try_finish(const Unfinished& file);
  void wait(Unfinished file, std::uint64_t tries, const Status& why);
  Result<std::uint64_t> good_length(const OpenFileJournal::Entry& entry);
  Result<std::uint64_t> last_line_end(const std::string& path, std::uint64_t from, std::uint64_t size);

  Store& store_;
  OpenFileJournal& journal_;
  const Config& config_;
  Environment& environment_;
  std::vector<Waiting> waiting_;
};

}  // namespace standpipe::hdfs

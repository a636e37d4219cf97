#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "standpipe/status.h"

namespace standpipe::hdfs {

/// The names of the files that this sink has open, and how much of each counts as delivered, kept on disk: after a
/// crash the sink finds its own unfinished files by it and finishes them; files that are not in it belong to somebody
/// else.
///
/// Guarantees: what opened(), stored() and closed() were told survives the death of the process when they return ok,
/// and that of the machine when settle() has (where `sync` is on). A torn or damaged line at the end is ignored. One
/// thread at a time. `files` must outlive it.
class OpenFileJournal {
 public:
  using Id = std::uint64_t;

  struct Entry {
    std::string in_use;      ///< the file's name while it is written
    std::string final_name;  ///< and when it is finished
    /// A file of lines: after a power cut its last whole line is the end. Of others `stored` is exact, and is synced.
    bool lines = false;
    std::uint64_t stored = 0;  ///< bytes that count as delivered
  };

  OpenFileJournal(FileSystem& files, std::string folder, bool sync);

  /// Reads what an earlier life left and starts a new journal with it. Call once, before anything else.
  Status open();
  /// Entries that an earlier life left open.
  const std::map<Id, Entry>& entries() const { return entries_; }
  /// The machine has been up since the journal was written: `stored` is exact for every file, synced or not.
  bool same_boot() const { return same_boot_; }

  Result<Id> opened(Entry entry);
  Status stored(Id id, std::uint64_t bytes);
  Status closed(Id id);
  /// What was told so far survives a power cut; free when nothing has to.
  Status settle();

 private:
  Status append(std::string line);
  Status rewrite();
  void read_line(std::string_view line);

  FileSystem& files_;
  const std::string folder_;
  const std::string path_;
  const bool sync_;
  std::unique_ptr<File> file_;
  std::uint64_t size_ = 0;
  std::string boot_;
  bool same_boot_ = false;
  bool unsynced_ = false;
  Id next_ = 1;
  std::map<Id, Entry> entries_;
};

}  // namespace standpipe::hdfs

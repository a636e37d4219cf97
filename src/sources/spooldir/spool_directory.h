#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "codec/java_regex.h"
#include "io/file_system.h"
#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe::spooldir {

enum class ConsumeOrder : unsigned char { oldest, youngest, random };

/// A file that waits in the folder.
struct Candidate {
  std::string path;
  FileInfo info;
};

/// The spooling folder: which files wait, in which order, and what becomes of them when they are done. One thread.
class SpoolDirectory {
 public:
  struct Options {
    std::string path;
    std::string suffix = ".COMPLETED";
    std::string tracker_directory;  ///< absolute
    bool delete_finished = false;
    bool rename_finished = true;  ///< false: an empty marker in the tracker folder says that a file is done
    bool recursive = false;
    ConsumeOrder order = ConsumeOrder::oldest;
    JavaRegex include;
    JavaRegex ignore;
  };

  SpoolDirectory(Options options, Environment& environment) : options_(std::move(options)), environment_(environment) {}

  /// The folder is there, may be written where it must be, and the tracker folder exists.
  Status check();
  /// The next file that waits; `refresh`: list the folder before choosing. Nothing: none waits now.
  Result<std::optional<Candidate>> next(bool refresh);
  /// `path` was read and delivered: renames, deletes or marks it. Code::invalid: its new name is taken.
  Status finish(const std::string& path);
  /// Something is wrong with `path`: gives it a free name that is never read again, or, where nothing may be renamed, a
  /// marker. Returns the new name.
  Result<std::string> set_aside(const std::string& path, std::string_view why);
  /// Don't offer `path` again while the agent runs: it could not be set aside.
  void avoid(const std::string& path) { avoided_.insert(path); }
  /// Taken from next(), not yet finished: not offered again.
  void hold(const std::string& path) { held_.insert(path); }
  void release(const std::string& path) { held_.erase(path); }

 private:
  Status list(const std::string& directory, int depth);
  void consider(const std::string& directory, const std::string& name, int depth);
  bool wanted(const std::string& path, const std::string& name) const;
  std::string marker(const std::string& path) const;
  Status mark_finished(const std::string& path);
  void sort();

  const Options options_;
  Environment& environment_;
  std::deque<Candidate> waiting_;
  std::set<std::string> held_;
  std::set<std::string> avoided_;
};

}  // namespace standpipe::spooldir

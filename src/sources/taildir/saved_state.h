#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sources/taildir/position_file.h"
#include "sources/taildir/tail_file.h"
#include "standpipe/environment.h"

namespace standpipe::taildir {

/// What an earlier run, ours or Flume's, left about positions. Flume's file is the law: where Flume ran in between, or
/// an operator edited it, its offsets count; ours only proves that a file is still the same content, finds files that
/// were renamed meanwhile, and stands in where Flume's file is damaged. Used at start only.
class SavedState {
 public:
  /// Damaged or missing files are reported to the log and count as empty: the agent starts.
  static SavedState load(Environment& environment, const std::string& position_path);

  enum class Found : unsigned char {
    unknown,   ///< nothing is known about this file
    resumed,   ///< `mark` is set
    replaced,  ///< known, but with another content: from the start
  };
  /// Where the open `file` was left.
  Found find(const TailFile& file, Mark& mark);

  /// Files that were not asked for with find(): those that have no matching name now.
  std::map<FileIdentity, Knowledge> missing() const;

 private:
  const Position* position(const TailFile& file) const;
  Found resume(const TailFile& file, std::uint64_t offset, Mark& mark) const;
  bool same_content(const TailFile& file, const Knowledge& entry) const;

  Environment* environment_ = nullptr;
  std::vector<Position> positions_;
  std::map<FileIdentity, Knowledge> knowledge_;
  std::set<FileIdentity> asked_;
};

}  // namespace standpipe::taildir

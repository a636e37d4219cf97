#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sources/taildir/position_file.h"
#include "sources/taildir/tail_file.h"
#include "standpipe/environment.h"

namespace standpipe::taildir {

/// What an earlier run, ours or Flume's, left about positions. Where the position file is the one that we wrote, what
/// we know beside it counts: offsets that belong to proven contents. Where Flume wrote it since, or an operator edited
/// it, its offsets are the law and our knowledge only proves that a file is still the same content. It also finds files
/// that were renamed meanwhile, and stands in where the position file is damaged. Used at start only.
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
  /// Hash of the position file that stands there now.
  std::uint64_t positions_hash() const { return positions_hash_; }

 private:
  const Position* position(const TailFile& file) const;
  Found resume(const TailFile& file, std::uint64_t offset, Mark& mark) const;
  bool same_content(const TailFile& file, const Knowledge& entry) const;

  Environment* environment_ = nullptr;
  std::uint64_t positions_hash_ = Fingerprint::kEmpty;
  std::vector<Position> positions_;
  std::map<FileIdentity, Knowledge> knowledge_;
  std::set<FileIdentity> asked_;
};

}  // namespace standpipe::taildir

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace standpipe::crash {

/// One content of one file, from its first byte until it was truncated, unlinked or renamed out of the pattern.
struct Content {
  std::uint64_t inode = 0;
  std::int64_t first_line = 0;
  std::atomic<std::int64_t> ended_us{std::numeric_limits<std::int64_t>::max()};
};

/// Lines that were complete in a content at a time.
struct Written {
  std::int64_t first;
  std::int64_t end;
  std::int64_t at_us;
  std::size_t content;
};

/// Appends numbered lines at a steady rate, never waiting for a reader, and rotates its file in one of these ways.
/// Every few milliseconds it writes what is due, in two pieces that are cut anywhere.
class RotatingWriter {
 public:
  /// rename: to a name outside the pattern, then a new file. rename-kept: to a name inside it; of three, the oldest is
  /// replaced. copytruncate: copied, then truncated. hole: truncated under a writer that keeps its offset, so that
  /// a hole stands before what follows. dated: a new name each time, the last three are kept. delete: unlinked, then a
  /// new file.
  static constexpr std::array<std::string_view, 6> kSchemes = {"rename", "copytruncate", "dated",
                                                               "delete", "rename-kept",  "hole"};
  static constexpr std::string_view kPadding = " GET /index.html?page=1 HTTP/1.1 200 5316";
  static constexpr std::size_t kNumberSize = 10;
  static constexpr std::size_t kLineSize = kNumberSize + kPadding.size() + 1;

  struct Options {
    std::string scheme;
    std::string folder;
    int rotations;
    int rate;  ///< lines a second
    unsigned seed;
  };

  explicit RotatingWriter(Options options);
  ~RotatingWriter();

  /// Writes until all rotations are done.
  void run();

  /// A Java regular expression for the names that count.
  std::string pattern() const;
  static std::string line(std::int64_t number);
  /// What a channel stores for the body of a line: its number; "bad" for anything else, a line in pieces for instance.
  static std::string text_of(std::string_view body);

  int rotations() const { return rotations_; }
  static constexpr std::int64_t kMeanGapUs = 165'000;

  // Once run() has returned:
  const std::vector<Written>& written() const { return written_; }
  const std::deque<Content>& contents() const { return contents_; }
  std::int64_t lines() const { return next_line_; }
  double seconds() const { return static_cast<double>(took_us_) / 1e6; }
  std::size_t reused_inodes() const { return reused_inodes_; }
  /// Whether a line's offset in its file follows from its number.
  bool has_offsets() const { return options_.scheme != "hole"; }

 private:
  std::int64_t rotation_gap();
  std::string path(int rotation) const;
  void begin_content();
  void end_content(std::size_t index);
  void open();
  void put(std::string_view text);
  void write(std::int64_t lines);
  void rotate();
  void truncate();
  void remove_dated();
  void rename();

  const Options options_;
  std::mt19937 random_;
  int descriptor_ = -1;
  std::int64_t next_line_ = 0;
  std::int64_t took_us_ = 0;
  std::atomic<int> rotations_{0};
  std::vector<Written> written_;
  std::deque<Content> contents_;
  std::set<std::uint64_t> inodes_;
  std::size_t reused_inodes_ = 0;
};

}  // namespace standpipe::crash

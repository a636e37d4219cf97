#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/java_date.h"
#include "standpipe/headers.h"
#include "standpipe/status.h"

namespace standpipe {

/// Lowers a time to a multiple before it is formatted, in the zone of the path (hdfs.round, roundUnit, roundValue).
struct TimeRounding {
  enum class Unit : unsigned char { none, second, minute, hour };
  Unit unit = Unit::none;
  int value = 1;
};

struct PathOptions {
  TimeZone zone = TimeZone::local();
  TimeRounding rounding;
  /// Take the time from the clock instead of the header `timestamp` (useLocalTimeStamp).
  bool use_local_time = false;
  /// What is formatted is a path: a `..` segment or a NUL that comes from an event is refused. Off for plain text (a
  /// topic, a table's partition).
  bool is_path = true;
};

/// A text with Flume's escapes (%{header}, %Y, %[ip]), compiled once. Differences from Flume: names are English
/// whatever the locale; `%%` needs no timestamp; an unknown %[name] is refused when it is compiled, not with every
/// event. Immutable, so any thread may read it; who expands uses a PathExpander of its own.
class PathTemplate {
 public:
  /// Code::invalid for an unknown %[name] and for a `..` segment behind an escape (an empty header would make it
  /// climb).
  static Result<PathTemplate> compile(std::string_view text, PathOptions options = {});

  bool needs_time() const { return needs_time_; }
  bool is_constant() const { return !needs_time_ && headers_.empty(); }
  /// What stands before the first escape that an event decides, up to and including its last `/`: nothing that an event
  /// carries can lead out of it. Empty: an event decides the whole path.
  const std::string& literal_prefix() const { return literal_prefix_; }
  /// Names of the headers used, without `timestamp` for the time.
  const std::vector<std::string>& header_names() const { return headers_; }
  /// Single-letter escapes that Flume does not know and replaces by nothing: worth a warning.
  const std::string& unknown_letters() const { return unknown_letters_; }

 private:
  friend class PathExpander;
  class Compiler;
  enum class Op : unsigned char { literal, header, time };
  struct Step {
    Op op = Op::literal;
    char letter = 0;          // Op::time
    std::uint32_t index = 0;  // Op::header: into headers_
    std::string text = {};    // Op::literal
  };

  PathOptions options_;
  std::vector<Step> steps_;
  std::vector<std::string> headers_;
  std::string literal_prefix_;
  std::string unknown_letters_;
  std::int64_t unit_ms_ = 0;  // the finest thing that the time steps show; 1: milliseconds
  bool needs_time_ = false;
  bool raw_timestamp_ = false;  // %t: the header's text itself
};

/// Expands one template for a stream of events and remembers the last result: the same header block, or other blocks
/// with the same values, within the same stretch of time give the same string without formatting again and without
/// allocation. One thread at a time; the template must outlive it.
class PathExpander {
 public:
  explicit PathExpander(const PathTemplate& path) : path_(&path), values_(path.header_names().size()) {}

  /// The text for an event; the reference holds until the next call. `headers` is compared by address first: call
  /// forget_address() before the events of another lease, whose blocks may lie where old ones lay.
  /// Code::poison: no timestamp where one is needed, one that is no number, or a header that would climb out of the
  /// path.
  Result<std::string_view> expand(const Headers& headers, std::int64_t now_ms);
  void forget_address() { last_block_ = nullptr; }
  /// Goes up by one whenever expand() gives another text than before: a caller compares numbers, not strings.
  std::uint64_t generation() const { return generation_; }

 private:
  bool unchanged(const Headers& headers, std::int64_t now_ms) const;
  Result<std::int64_t> event_time(const Headers& headers, std::int64_t now_ms) const;
  Status format(const Headers& headers, std::int64_t now_ms);
  void remember_values(const Headers& headers);
  Status check_segments(std::string_view text, const Headers& headers) const;

  const PathTemplate* path_;
  const Headers* last_block_ = nullptr;
  std::vector<std::string> values_;  // of the headers used, for text_
  std::string timestamp_text_;       // for %t
  std::int64_t valid_from_ms_ = 0;   // event times for which text_ holds
  std::int64_t valid_until_ms_ = 0;
  std::string text_;
  std::string scratch_;
  bool have_text_ = false;
  std::uint64_t generation_ = 0;
};

/// `epoch_ms` lowered to a multiple of the rounding's value in its unit, all smaller fields zero.
std::int64_t round_down(std::int64_t epoch_ms, const TimeRounding& rounding, const TimeZone& zone);

}  // namespace standpipe

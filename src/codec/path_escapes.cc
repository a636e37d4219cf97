#include "codec/path_escapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"
#include "codec/local_host.h"

namespace standpipe {

namespace {

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::string_view kTimestamp = "timestamp";
constexpr char kEscapeMark = '\x01';  // stands for an expansion when a template's own segments are looked at

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

std::int64_t floor_to(std::int64_t value, std::int64_t unit) {
  const std::int64_t rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

/// The finest thing that a letter shows; 0: a letter that shows nothing of the time.
std::int64_t unit_of(char letter) {
  switch (letter) {
    case 'a':
    case 'A':
    case 'b':
    case 'B':
    case 'd':
    case 'e':
    case 'D':
    case 'j':
    case 'm':
    case 'n':
    case 'y':
    case 'Y':
    case 'z': return kDay;
    case 'H':
    case 'I':
    case 'k':
    case 'l':
    case 'p': return kHour;
    case 'M': return kMinute;
    case 'c':
    case 's':
    case 'S': return kSecond;
    case 't': return 1;
    default: return 0;
  }
}

std::int64_t unit_of(TimeRounding::Unit unit) {
  switch (unit) {
    case TimeRounding::Unit::second: return kSecond;
    case TimeRounding::Unit::minute: return kMinute;
    case TimeRounding::Unit::hour: return kHour;
    default: return 0;
  }
}

/// The unit whose fields are counted within: seconds within a minute, hours within a day.
std::int64_t parent_of(std::int64_t unit) { return unit == kSecond ? kMinute : unit == kMinute ? kHour : kDay; }

/// The stretch of wall-clock time, within the round-down block or the shown unit, around `local_ms`.
std::pair<std::int64_t, std::int64_t> stretch(std::int64_t local_ms, std::int64_t shown, const TimeRounding& rounding) {
  const std::int64_t unit = unit_of(rounding.unit);
  const std::int64_t parent = parent_of(unit);
  if (unit == 0 || shown >= parent) {
    const std::int64_t from = floor_to(local_ms, shown);
    return {from, from + shown};
  }
  const std::int64_t start_of_parent = floor_to(local_ms, parent);
  const std::int64_t from = start_of_parent + floor_to(local_ms - start_of_parent, unit * rounding.value);
  return {from, std::min(from + unit * rounding.value, start_of_parent + parent)};
}

void append_time(std::string& out, char letter, const CivilTime& time) {
  const int hour12 = time.hour % 12 == 0 ? 12 : time.hour % 12;
  switch (letter) {
    case 'a': out += weekday_name(time.weekday, false); break;
    case 'A': out += weekday_name(time.weekday, true); break;
    case 'b': out += month_name(time.month, false); break;
    case 'B': out += month_name(time.month, true); break;
    case 'c':
      for (const char part : {'a', ' ', 'b', ' ', 'e', ' ', 'H', ':', 'M', ':', 'S', ' ', 'Y'}) {
        if (part == ' ' || part == ':') {
          out += part;
        } else {
          append_time(out, part, time);
        }
      }
      break;
    case 'd': append_padded(out, time.day, 2); break;
    case 'e': append_padded(out, time.day, 1); break;
    case 'D':
      append_padded(out, time.month, 2);
      out += '/';
      append_padded(out, time.day, 2);
      out += '/';
      append_time(out, 'y', time);
      break;
    case 'H': append_padded(out, time.hour, 2); break;
    case 'I': append_padded(out, hour12, 2); break;
    case 'j': append_padded(out, time.day_of_year, 3); break;
    case 'k': append_padded(out, time.hour, 1); break;
    case 'l': append_padded(out, hour12, 1); break;
    case 'm': append_padded(out, time.month, 2); break;
    case 'n': append_padded(out, time.month, 1); break;
    case 'M': append_padded(out, time.minute, 2); break;
    case 'p': out += time.hour < 12 ? "AM" : "PM"; break;
    case 's': append_padded(out, floor_to(time.epoch_ms, kSecond) / kSecond, 1); break;
    case 'S': append_padded(out, time.second, 2); break;
    case 'y': append_padded(out, std::abs(time.year) % 100, 2); break;
    case 'Y': append_padded(out, time.year, 4); break;
    case 'z': append_offset(out, time.period.offset, false); break;
    default: break;
  }
}

Status poison(std::string message) { return {Code::poison, std::move(message)}; }

/// Whether a segment of `path` is exactly "..".
bool climbs(std::string_view path) {
  for (const std::string_view segment : split(path, '/')) {
    if (segment == "..") return true;
  }
  return false;
}

}  // namespace

std::int64_t round_down(std::int64_t epoch_ms, const TimeRounding& rounding, const TimeZone& zone) {
  const std::int64_t unit = unit_of(rounding.unit);
  if (unit == 0) return epoch_ms;
  const CivilTime time = civil_time(epoch_ms, zone);
  const std::int64_t lowered = stretch(time.local_seconds * 1000, unit, rounding).first / 1000;
  // Within one period the offset stays, which keeps the two hours of an autumn night apart.
  const std::int64_t same_offset = lowered - time.period.offset;
  return (same_offset >= time.period.from ? same_offset : zone.to_epoch(lowered)) * 1000;
}

/// Reads a template's text into steps.
class PathTemplate::Compiler {
 public:
  Compiler(std::string_view text, PathTemplate& result) : text_(text), result_(result) {}

  Status run() {
    std::size_t at = 0;
    while (at < text_.size()) {
      const std::size_t escape = text_.find('%', at);
      literal(text_.substr(at, escape - at));
      if (escape == std::string_view::npos) break;
      TRY_ASSIGN(at, take_escape(escape));
    }
    return finish();
  }

 private:
  /// Takes the escape at `at`, or a lone `%` as itself; returns where it ends.
  Result<std::size_t> take_escape(std::size_t at) {
    const char next = at + 1 < text_.size() ? text_[at + 1] : '\0';
    if (next == '%') {
      literal("%");
      return at + 2;
    }
    if (is_word(next)) {
      letter(next);
      return at + 2;
    }
    if (next == '{' || next == '[') {
      const std::size_t end = text_.find(next == '{' ? '}' : ']', at);
      const std::string_view name = end == std::string_view::npos ? "" : text_.substr(at + 2, end - at - 2);
      if (is_name(name, next == '{')) {
        if (next == '{') {
          header(name);
        } else {
          TRY(host(name));
        }
        return end + 1;
      }
    }
    literal("%");
    return at + 1;
  }

  static bool is_name(std::string_view name, bool header) {
    return !name.empty() && std::all_of(name.begin(), name.end(),
                                        [&](char c) { return is_word(c) || (header && (c == '.' || c == '-')); });
  }

  void literal(std::string_view text) {
    if (text.empty()) return;
    if (result_.steps_.empty() || result_.steps_.back().op != Op::literal) result_.steps_.emplace_back();
    result_.steps_.back().text += text;
    marked_ += text;
  }

  void letter(char c) {
    result_.needs_time_ = true;
    marked_ += kEscapeMark;
    std::int64_t unit = unit_of(c);
    // Rounding may step back over a clock change: then the offset differs from one rounded time to the next.
    if (c == 'z' && result_.options_.rounding.unit != TimeRounding::Unit::none) unit = kSecond;
    if (unit == 0) {
      result_.unknown_letters_ += c;
      return;
    }
    // %t with the header's time is compared as text; only the clock's changes with every millisecond.
    if (c == 't' && !result_.options_.use_local_time) {
      result_.raw_timestamp_ = true;
    } else {
      result_.unit_ms_ = result_.unit_ms_ == 0 ? unit : std::min(result_.unit_ms_, unit);
    }
    result_.steps_.push_back({.op = Op::time, .letter = c});
  }

  void header(std::string_view name) {
    auto& names = result_.headers_;
    const auto found = std::find(names.begin(), names.end(), name);
    const auto index = static_cast<std::uint32_t>(found - names.begin());
    if (found == names.end()) names.emplace_back(name);
    result_.steps_.push_back({.op = Op::header, .index = index});
    marked_ += kEscapeMark;
  }

  Status host(std::string_view name) {
    const std::string key = to_lower(name);
    if (key == "localhost") {
      literal(local_host().name);
    } else if (key == "ip") {
      literal(local_host().address);
    } else if (key == "fqdn") {
      literal(local_host().canonical);
    } else {
      return {Code::invalid,
              fmt::format("'{}' has the unknown escape %[{}]: use %[localhost], %[IP] or %[FQDN]", text_, name)};
    }
    return {};
  }

  Status finish() {
    if (result_.unit_ms_ == 0) result_.unit_ms_ = kDay;
    if (!result_.options_.is_path) return {};
    const std::size_t first = marked_.find(kEscapeMark);
    const std::string_view before = std::string_view(marked_).substr(0, first);
    const std::size_t end = first == std::string::npos ? before.size() : before.rfind('/') + 1;
    result_.literal_prefix_ = before.substr(0, end);
    // A host that an event chooses is no prefix.
    if (result_.literal_prefix_.ends_with("://")) result_.literal_prefix_.clear();
    if (first == std::string::npos || !climbs(std::string_view(marked_).substr(end))) return {};
    return {Code::invalid,
            fmt::format("'{}' has a '..' behind an escape, which could lead out of the path: write the path without it",
                        text_)};
  }

  std::string_view text_;
  PathTemplate& result_;
  std::string marked_;  // the text with every expansion as one mark
};

Result<PathTemplate> PathTemplate::compile(std::string_view text, PathOptions options) {
  PathTemplate result;
  result.options_ = std::move(options);
  const TimeRounding& rounding = result.options_.rounding;
  const int most = rounding.unit == TimeRounding::Unit::hour ? 24 : 60;
  if (rounding.unit != TimeRounding::Unit::none && (rounding.value < 1 || rounding.value > most)) {
    return Status(Code::invalid, "a rounding value of " + std::to_string(rounding.value) + " is not within 1 and " +
                                     std::to_string(most));
  }
  TRY(Compiler(text, result).run());
  return result;
}

Result<std::string_view> PathExpander::expand(const Headers& headers, std::int64_t now_ms) {
  const bool by_clock = path_->needs_time_ && path_->options_.use_local_time;
  const bool in_time = !by_clock || (now_ms >= valid_from_ms_ && now_ms < valid_until_ms_);
  if (&headers == last_block_ && in_time) return std::string_view(text_);
  if (!have_text_ || !unchanged(headers, now_ms)) {
    last_block_ = nullptr;
    TRY(format(headers, now_ms));
  }
  last_block_ = &headers;
  return std::string_view(text_);
}

bool PathExpander::unchanged(const Headers& headers, std::int64_t now_ms) const {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (headers.get(path_->headers_[i]).value_or("") != values_[i]) return false;
  }
  if (!path_->needs_time_) return true;
  if (path_->raw_timestamp_ && headers.get(kTimestamp).value_or("") != timestamp_text_) return false;
  const auto time = event_time(headers, now_ms);
  return time.ok() && *time >= valid_from_ms_ && *time < valid_until_ms_;
}

Result<std::int64_t> PathExpander::event_time(const Headers& headers, std::int64_t now_ms) const {
  if (path_->options_.use_local_time) return now_ms;
  const auto text = headers.get(kTimestamp);
  if (!text) {
    return poison(
        "the event has no header 'timestamp', which the path needs: add a timestamp interceptor to the source "
        "or set useLocalTimeStamp = true");
  }
  // Stricter than parse_integer(), as Java's Long.parseLong is: no blanks.
  const bool blank = text->empty() || text->front() <= ' ' || text->back() <= ' ';
  const auto time = blank ? std::nullopt : parse_integer(*text);
  constexpr std::int64_t kFarthest = 8'000'000'000'000'000;  // the year 255000: beyond it calendars overflow
  if (!time || *time > kFarthest || *time < -kFarthest) {
    return poison("the header 'timestamp' holds '" + std::string(text->substr(0, 40)) +
                  "', which is no number of milliseconds since 1970");
  }
  if (path_->options_.rounding.unit != TimeRounding::Unit::none && *time <= 0) {
    return poison("the header 'timestamp' must be positive to be rounded");
  }
  return *time;
}

Status PathExpander::format(const Headers& headers, std::int64_t now_ms) {
  CivilTime time;
  std::int64_t event_ms = 0;
  scratch_.clear();
  if (path_->needs_time_) {
    TRY_ASSIGN(event_ms, event_time(headers, now_ms));
    time = civil_time(round_down(event_ms, path_->options_.rounding, path_->options_.zone), path_->options_.zone);
  }
  for (const auto& step : path_->steps_) {
    if (step.op == PathTemplate::Op::literal) {
      scratch_ += step.text;
    } else if (step.op == PathTemplate::Op::header) {
      scratch_ += headers.get(path_->headers_[step.index]).value_or("");
    } else if (step.letter == 't') {
      if (path_->options_.use_local_time) {
        append_padded(scratch_, now_ms, 1);
      } else {
        scratch_ += headers.get(kTimestamp).value_or("");
      }
    } else {
      append_time(scratch_, step.letter, time);
    }
  }
  if (path_->options_.is_path) TRY(check_segments(scratch_, headers));
  if (!have_text_ || scratch_ != text_) ++generation_;
  text_.swap(scratch_);
  have_text_ = true;
  remember_values(headers);
  if (!path_->needs_time_) return {};
  const CivilTime event = civil_time(event_ms, path_->options_.zone);
  const std::int64_t offset_ms = std::int64_t{event.period.offset} * 1000;
  const auto [from, until] = stretch(event_ms + offset_ms, path_->unit_ms_, path_->options_.rounding);
  // A zone without a next change of its offset says so with the ends of time.
  const auto in_ms = [](std::int64_t seconds) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 1000;
    return std::clamp(seconds, -kMost, kMost) * 1000;
  };
  valid_from_ms_ = std::max(from - offset_ms, in_ms(event.period.from));
  valid_until_ms_ = std::min(until - offset_ms, in_ms(event.period.until));
  return {};
}

void PathExpander::remember_values(const Headers& headers) {
  for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = headers.get(path_->headers_[i]).value_or("");
  if (path_->raw_timestamp_) timestamp_text_ = headers.get(kTimestamp).value_or("");
}

Status PathExpander::check_segments(std::string_view text, const Headers& headers) const {
  const bool has_nul = text.find('\0') != std::string_view::npos;
  if (!has_nul && !climbs(text.substr(path_->literal_prefix_.size()))) return {};
  std::string names;
  for (const std::string& name : path_->headers_) {
    const std::string_view value = headers.get(name).value_or("");
    if (value.find('.') == std::string_view::npos && value.find('\0') == std::string_view::npos) continue;
    names += names.empty() ? "'" : "', '";
    names += name;
  }
  return poison((has_nul ? "a NUL byte in the path from the header " : "a '..' in the path from the header ") + names +
                "': refused, a header must not lead out of the configured folder");
}

}  // namespace standpipe

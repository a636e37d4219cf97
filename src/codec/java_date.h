#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace date {
class time_zone;
}

namespace standpipe {

/// A time zone under the names that Java knows: tz database ids ("Asia/Shanghai"), Java's old three-letter ids ("PST",
/// "CST" for Chicago) and fixed offsets ("GMT+8", "GMT+08:00"). A small value; thread-safe.
class TimeZone {
 public:
  /// Seconds since the epoch during which one offset holds: [from, until).
  struct Period {
    std::int64_t from = 0;
    std::int64_t until = 0;
    std::int32_t offset = 0;
  };

  TimeZone() = default;  ///< UTC
  static TimeZone utc() { return {}; }
  /// The machine's: TZ where it is set, else /etc/localtime, else UTC.
  static TimeZone local();
  /// Code::invalid for an id that Java would silently read as GMT.
  static Result<TimeZone> find(std::string_view java_id);

  /// Cheap when asked repeatedly for times near each other.
  Period period_at(std::int64_t epoch_seconds) const;
  /// Wall-clock seconds to epoch seconds. The earlier of two; a time that a clock change skips moves forward by the
  /// gap.
  std::int64_t to_epoch(std::int64_t local_seconds) const;
  /// "CET", or "GMT+08:00" for a fixed offset.
  std::string abbreviation_at(std::int64_t epoch_seconds) const;
  const std::string& id() const { return id_; }

 private:
  const date::time_zone* zone_ = nullptr;  // null: fixed_offset_ holds always; else lives as long as the process
  std::int32_t fixed_offset_ = 0;
  std::string id_ = "UTC";
};

/// A moment taken apart in a zone.
struct CivilTime {
  std::int64_t epoch_ms = 0;
  std::int64_t local_seconds = 0;  ///< since 1970-01-01T00:00 on the wall clock
  TimeZone::Period period;
  std::int32_t year = 1970;
  std::int32_t month = 1;  ///< 1..12
  std::int32_t day = 1;
  std::int32_t hour = 0;
  std::int32_t minute = 0;
  std::int32_t second = 0;
  std::int32_t millisecond = 0;
  std::int32_t weekday = 4;  ///< 0 Sunday
  std::int32_t day_of_year = 1;
};

CivilTime civil_time(std::int64_t epoch_ms, const TimeZone& zone);
/// Days since 1970-01-01 of a proleptic Gregorian date.
std::int64_t days_from_civil(std::int32_t year, std::int32_t month, std::int32_t day);
std::int32_t days_in_month(std::int32_t year, std::int32_t month);

/// English names, as Java's Locale.ENGLISH has them.
std::string_view month_name(std::int32_t month, bool full);
std::string_view weekday_name(std::int32_t weekday, bool full);

/// Appends `value` in decimal, with zeros in front up to `width`.
void append_padded(std::string& out, std::int64_t value, int width);
/// "+0800", or "+08:00" with a colon.
void append_offset(std::string& out, std::int32_t offset_seconds, bool colon);

/// A date pattern of Java's SimpleDateFormat or of Joda-Time, compiled once. English names. What can't be translated
/// (weeks of the year, centuries, long zone names) is refused by its letter when it is compiled.
/// Immutable, so any thread may use it.
class DatePattern {
 public:
  enum class Dialect : unsigned char { simple_date_format, joda };

  /// `now_ms` decides what a two-digit year means: the 100 years that begin 80 years before it.
  static Result<DatePattern> compile(std::string_view pattern, Dialect dialect, TimeZone zone, std::int64_t now_ms);

  void format(std::int64_t epoch_ms, std::string& out) const;
  /// Epoch milliseconds, when all of `text` matches. Fields that the pattern lacks are taken as Joda does: 1970-01-01,
  /// or the year 2000 where a month or day stands without a year. Never allocates.
  std::optional<std::int64_t> parse(std::string_view text) const;

 private:
  struct Token {
    char letter = 0;  // 0: literal
    int count = 0;
    bool adjacent = false;  // a number follows at once: parsing takes exactly `count` digits
    std::string literal;
  };
  struct Fields;
  class Compiler;

  bool parse_token(const Token& token, std::string_view& text, Fields& fields) const;
  bool parse_year(const Token& token, std::string_view& text, Fields& fields) const;
  void format_token(const Token& token, const CivilTime& time, std::string& out) const;
  std::optional<std::int64_t> combine(const Fields& fields) const;

  Dialect dialect_ = Dialect::joda;
  TimeZone zone_;
  std::int32_t first_short_year_ = 1946;
  std::vector<Token> tokens_;
};

}  // namespace standpipe

#include "codec/java_date.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace standpipe {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

bool is_leap(std::int32_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Up to `most` digits from the front of `text`; nothing when there is none.
std::optional<std::int32_t> take_number(std::string_view& text, int most) {
  std::int32_t value = 0;
  int used = 0;
  while (used < most && used < static_cast<int>(text.size()) && is_digit(text[used])) {
    value = value * 10 + (text[used++] - '0');
  }
  if (used == 0) return std::nullopt;
  text.remove_prefix(used);
  return value;
}

bool take_prefix(std::string_view& text, std::string_view prefix, bool any_case) {
  const std::string_view head = text.substr(0, prefix.size());
  if (any_case ? !equals_ignoring_case(head, prefix) : head != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Index of the name, long or short, that `text` begins with.
template <std::size_t n>
std::optional<std::int32_t> take_name(std::string_view& text, const std::array<std::string_view, n>& names) {
  for (const bool full : {true, false}) {
    for (std::size_t i = 0; i < n; ++i) {
      if (take_prefix(text, full ? names[i] : names[i].substr(0, 3), true)) return static_cast<std::int32_t>(i);
    }
  }
  return std::nullopt;
}

/// "Z", "+08", "+0800", "+08:00".
std::optional<std::int32_t> take_offset(std::string_view& text) {
  if (take_prefix(text, "Z", false)) return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) return std::nullopt;
  const std::int32_t hours = *take_number(text, 2);
  std::int32_t minutes = 0;
  std::string_view rest = text;
  if (!rest.empty() && rest[0] == ':') rest.remove_prefix(1);
  if (rest.size() >= 2 && is_digit(rest[0]) && is_digit(rest[1])) {
    minutes = *take_number(rest, 2);
    text = rest;
  }
  if (hours > 23 || minutes > 59) return std::nullopt;
  return sign * (hours * 3600 + minutes * 60);
}

struct ZoneName {
  std::string_view name;
  std::int32_t hours;
};
constexpr std::array<ZoneName, 11> kZoneNames = {{{"UTC", 0},
                                                  {"GMT", 0},
                                                  {"UT", 0},
                                                  {"EST", -5},
                                                  {"EDT", -4},
                                                  {"CST", -6},
                                                  {"CDT", -5},
                                                  {"MST", -7},
                                                  {"MDT", -6},
                                                  {"PST", -8},
                                                  {"PDT", -7}}};

std::optional<std::int32_t> take_zone_name(std::string_view& text) {
  for (const ZoneName& zone : kZoneNames) {
    if (!take_prefix(text, zone.name, false)) continue;
    if (zone.hours != 0) return zone.hours * 3600;
    return text.starts_with('+') || text.starts_with('-') ? take_offset(text) : std::optional<std::int32_t>(0);
  }
  return take_offset(text);
}

}  // namespace

std::int64_t days_from_civil(std::int32_t year, std::int32_t month, std::int32_t day) {
  // Years begin in March here, so that a leap day is the last day of its year.
  const std::int64_t y = std::int64_t{year} - (month <= 2 ? 1 : 0);
  const std::int64_t era = floor_div(y, 400);
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

std::int32_t days_in_month(std::int32_t year, std::int32_t month) {
  constexpr std::array<std::int32_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

CivilTime civil_time(std::int64_t epoch_ms, const TimeZone& zone) {
  CivilTime time;
  time.epoch_ms = epoch_ms;
  const std::int64_t epoch_seconds = floor_div(epoch_ms, 1000);
  time.millisecond = static_cast<std::int32_t>(epoch_ms - epoch_seconds * 1000);
  time.period = zone.period_at(epoch_seconds);
  time.local_seconds = epoch_seconds + time.period.offset;
  const std::int64_t days = floor_div(time.local_seconds, 86'400);
  const auto second_of_day = static_cast<std::int32_t>(time.local_seconds - days * 86'400);
  time.hour = second_of_day / 3600;
  time.minute = second_of_day / 60 % 60;
  time.second = second_of_day % 60;
  time.weekday = static_cast<std::int32_t>((days % 7 + 11) % 7);
  // The inverse of days_from_civil().
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = floor_div(shifted, 146'097);
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  time.day = static_cast<std::int32_t>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  time.month = static_cast<std::int32_t>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  time.year = static_cast<std::int32_t>(year_of_era + era * 400 + (time.month <= 2 ? 1 : 0));
  time.day_of_year = static_cast<std::int32_t>(days - days_from_civil(time.year, 1, 1)) + 1;
  return time;
}

std::string_view month_name(std::int32_t month, bool full) {
  return full ? kMonths[month - 1] : kMonths[month - 1].substr(0, 3);
}

std::string_view weekday_name(std::int32_t weekday, bool full) {
  return full ? kWeekdays[weekday] : kWeekdays[weekday].substr(0, 3);
}

void append_padded(std::string& out, std::int64_t value, int width) {
  std::array<char, 24> digits;
  std::size_t at = digits.size();
  // Unsigned, so that the smallest number has a magnitude.
  std::uint64_t rest = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  do {
    digits[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) out += '-';
  for (int used = static_cast<int>(digits.size() - at); used < width; ++used) out += '0';
  out.append(digits.data() + at, digits.size() - at);
}

void append_offset(std::string& out, std::int32_t offset_seconds, bool colon) {
  out += offset_seconds < 0 ? '-' : '+';
  const std::int32_t minutes = std::abs(offset_seconds) / 60;
  append_padded(out, minutes / 60, 2);
  if (colon) out += ':';
  append_padded(out, minutes % 60, 2);
}

/// Turns a pattern's text into tokens.
class DatePattern::Compiler {
 public:
  Compiler(std::string_view pattern, Dialect dialect) : pattern_(pattern), dialect_(dialect) {}

  Result<std::vector<Token>> run() {
    while (at_ < pattern_.size()) {
      if (pattern_[at_] == '\'') {
        TRY(quoted());
      } else if (is_letter(pattern_[at_])) {
        TRY(field());
      } else {
        literal(pattern_[at_++]);
      }
    }
    for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
      tokens_[i].adjacent = is_number(tokens_[i]) && is_number(tokens_[i + 1]);
    }
    return std::move(tokens_);
  }

 private:
  void literal(char c) {
    if (tokens_.empty() || tokens_.back().letter != 0) tokens_.emplace_back();
    tokens_.back().literal += c;
  }

  Status quoted() {
    const std::size_t start = at_++;
    if (at_ < pattern_.size() && pattern_[at_] == '\'') {  // '' is a quote
      literal(pattern_[at_++]);
      return {};
    }
    for (; at_ < pattern_.size(); ++at_) {
      if (pattern_[at_] != '\'') {
        literal(pattern_[at_]);
      } else if (at_ + 1 < pattern_.size() && pattern_[at_ + 1] == '\'') {
        literal(pattern_[at_++]);
      } else {
        ++at_;
        return {};
      }
    }
    return refuse(start, "has a quote that is never closed");
  }

  Status field() {
    const std::size_t start = at_;
    const char letter = pattern_[at_];
    while (at_ < pattern_.size() && pattern_[at_] == letter) ++at_;
    const int count = static_cast<int>(at_ - start);
    const std::string_view known = dialect_ == Dialect::joda ? "YyDMdaKhHkmsSzZEeG" : "yDMLdaKhHkmsSzZXEuG";
    if (known.find(letter) == std::string_view::npos) {
      return refuse(start, std::string("uses the letter '") + letter + "', which is not supported");
    }
    if (letter == 'z' && count >= 4) return refuse(start, "uses 'zzzz', full zone names, which are not supported");
    if (letter == 'X' && count > 3) return refuse(start, "uses more than three X");
    if (count > 9 && letter != 'S') return refuse(start, std::string("repeats '") + letter + "' more than nine times");
    if (count > 18) return refuse(start, "repeats 'S' more than 18 times");
    Token token;
    token.letter = canonical(letter);
    token.count = count;
    tokens_.push_back(std::move(token));
    return {};
  }

  static char canonical(char letter) {
    if (letter == 'Y') return 'y';  // Joda's year of era
    if (letter == 'L') return 'M';
    if (letter == 'e') return 'u';
    return letter;
  }

  static bool is_number(const Token& token) {
    switch (token.letter) {
      case 'M': return token.count < 3;
      case 'y':
      case 'D':
      case 'd':
      case 'K':
      case 'h':
      case 'H':
      case 'k':
      case 'm':
      case 's':
      case 'S':
      case 'u': return true;
      default: return false;
    }
  }

  Status refuse(std::size_t position, const std::string& why) const {
    return {Code::invalid, "date pattern '" + std::string(pattern_) + "' " + why + " (at character " +
                               std::to_string(position + 1) + ")"};
  }

  std::string_view pattern_;
  Dialect dialect_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

Result<DatePattern> DatePattern::compile(std::string_view pattern, Dialect dialect, TimeZone zone,
                                         std::int64_t now_ms) {
  DatePattern result;
  TRY_ASSIGN(result.tokens_, Compiler(pattern, dialect).run());
  if (result.tokens_.empty()) return Status(Code::invalid, "an empty date pattern");
  result.dialect_ = dialect;
  result.zone_ = std::move(zone);
  result.first_short_year_ = civil_time(now_ms, result.zone_).year - 80;
  return result;
}

void DatePattern::format(std::int64_t epoch_ms, std::string& out) const {
  const CivilTime time = civil_time(epoch_ms, zone_);
  for (const Token& token : tokens_) format_token(token, time, out);
}

void DatePattern::format_token(const Token& token, const CivilTime& time, std::string& out) const {
  const int count = token.count;
  switch (token.letter) {
    case 0: out += token.literal; break;
    case 'G': out += time.year > 0 ? "AD" : "BC"; break;
    case 'y':
      if (count == 2) {
        append_padded(out, std::abs(time.year) % 100, 2);
      } else {
        append_padded(out, time.year, count);
      }
      break;
    case 'M':
      if (count < 3) {
        append_padded(out, time.month, count);
      } else {
        out += month_name(time.month, count > 3);
      }
      break;
    case 'D': append_padded(out, time.day_of_year, count); break;
    case 'd': append_padded(out, time.day, count); break;
    case 'E': out += weekday_name(time.weekday, count > 3); break;
    case 'u': append_padded(out, time.weekday == 0 ? 7 : time.weekday, count); break;
    case 'a': out += time.hour < 12 ? "AM" : "PM"; break;
    case 'H': append_padded(out, time.hour, count); break;
    case 'k': append_padded(out, time.hour == 0 ? 24 : time.hour, count); break;
    case 'K': append_padded(out, time.hour % 12, count); break;
    case 'h': append_padded(out, time.hour % 12 == 0 ? 12 : time.hour % 12, count); break;
    case 'm': append_padded(out, time.minute, count); break;
    case 's': append_padded(out, time.second, count); break;
    case 'S':
      if (dialect_ == Dialect::simple_date_format) {
        append_padded(out, time.millisecond, count);  // a number of milliseconds, whatever the count
      } else {
        const std::size_t start = out.size();
        append_padded(out, time.millisecond, 3);
        out.resize(start + static_cast<std::size_t>(count), '0');
      }
      break;
    case 'z': out += zone_.abbreviation_at(floor_div(time.epoch_ms, 1000)); break;
    case 'Z':
      if (dialect_ == Dialect::joda && count > 2) {
        out += zone_.id();
      } else {
        append_offset(out, time.period.offset, dialect_ == Dialect::joda && count == 2);
      }
      break;
    case 'X':
      if (time.period.offset == 0) {
        out += 'Z';
      } else {
        append_offset(out, time.period.offset, count == 3);
        if (count == 1) out.resize(out.size() - 2);
      }
      break;
    default: break;
  }
}

/// What a text said, field by field; -1 where it said nothing.
struct DatePattern::Fields {
  std::int32_t year = -1;
  std::int32_t month = -1;
  std::int32_t day = -1;
  std::int32_t day_of_year = -1;
  std::int32_t hour = -1;          // 0..23
  std::int32_t hour_of_half = -1;  // 0..11
  std::int32_t half = -1;          // 1: PM
  std::int32_t minute = 0;
  std::int32_t second = 0;
  std::int32_t millisecond = 0;
  std::optional<std::int32_t> offset;
};

std::optional<std::int64_t> DatePattern::parse(std::string_view text) const {
  Fields fields;
  for (const Token& token : tokens_) {
    if (!parse_token(token, text, fields)) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return combine(fields);
}

bool DatePattern::parse_year(const Token& token, std::string_view& text, Fields& fields) const {
  const std::size_t before = text.size();
  const auto year = take_number(text, token.adjacent ? token.count : 9);
  if (!year) return false;
  fields.year = *year;
  if (token.count <= 2 && before - text.size() == 2) {
    const std::int32_t century = first_short_year_ - first_short_year_ % 100;
    fields.year = century + *year + (*year < first_short_year_ % 100 ? 100 : 0);
  }
  return true;
}

bool DatePattern::parse_token(const Token& token, std::string_view& text, Fields& fields) const {
  const auto number = [&](std::int32_t& field, int digits, std::int32_t least, std::int32_t most) {
    const auto value = take_number(text, token.adjacent ? token.count : digits);
    if (!value || *value < least || *value > most) return false;
    field = *value;
    return true;
  };
  switch (token.letter) {
    case 0: return take_prefix(text, token.literal, dialect_ == Dialect::joda);
    case 'G': return take_prefix(text, "AD", true);
    case 'y': return parse_year(token, text, fields);
    case 'M':
      if (token.count < 3) return number(fields.month, 2, 1, 12);
      if (const auto month = take_name(text, kMonths)) {
        fields.month = *month + 1;
        return true;
      }
      return false;
    case 'D': return number(fields.day_of_year, 3, 1, 366);
    case 'd': return number(fields.day, 2, 1, 31);
    case 'E': return take_name(text, kWeekdays).has_value();
    case 'u': return take_number(text, 1).has_value();
    case 'a':
      fields.half = take_prefix(text, "AM", true) ? 0 : take_prefix(text, "PM", true) ? 1 : -1;
      return fields.half >= 0;
    case 'H': return number(fields.hour, 2, 0, 23);
    case 'k':
      if (!number(fields.hour, 2, 1, 24)) return false;
      fields.hour %= 24;
      return true;
    case 'K': return number(fields.hour_of_half, 2, 0, 11);
    case 'h':
      if (!number(fields.hour_of_half, 2, 1, 12)) return false;
      fields.hour_of_half %= 12;
      return true;
    case 'm': return number(fields.minute, 2, 0, 59);
    case 's': return number(fields.second, 2, 0, 59);
    case 'S': {
      if (dialect_ == Dialect::simple_date_format) return number(fields.millisecond, 3, 0, 999);
      std::int32_t scale = 100;
      int used = 0;
      fields.millisecond = 0;  // a pattern may have S twice: the last one counts, as with every other letter
      for (; used < token.count && !text.empty() && is_digit(text[0]); ++used, text.remove_prefix(1)) {
        fields.millisecond += (text[0] - '0') * scale;
        scale /= 10;
      }
      return used > 0;
    }
    case 'z': fields.offset = take_zone_name(text); return fields.offset.has_value();
    default: fields.offset = take_offset(text); return fields.offset.has_value();  // Z, X
  }
}

std::optional<std::int64_t> DatePattern::combine(const Fields& fields) const {
  const bool has_date = fields.month > 0 || fields.day > 0;
  const std::int32_t year = fields.year >= 0 ? fields.year : has_date && dialect_ == Dialect::joda ? 2000 : 1970;
  const std::int32_t month = fields.month > 0 ? fields.month : 1;
  const std::int32_t day = fields.day > 0 ? fields.day : 1;
  if (day > days_in_month(year, month)) return std::nullopt;
  std::int64_t days = days_from_civil(year, month, day);
  if (fields.day_of_year > 0) {
    if (fields.day_of_year == 366 && !is_leap(year)) return std::nullopt;
    days = days_from_civil(year, 1, 1) + fields.day_of_year - 1;
  }
  std::int32_t hour = fields.hour >= 0 ? fields.hour : 0;
  if (fields.hour_of_half >= 0) hour = fields.hour_of_half + (fields.half == 1 ? 12 : 0);
  const std::int64_t local = days * 86'400 + hour * 3600 + fields.minute * 60 + fields.second;
  const std::int64_t seconds = fields.offset ? local - *fields.offset : zone_.to_epoch(local);
  return seconds * 1000 + fields.millisecond;
}

}  // namespace standpipe

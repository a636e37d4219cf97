// The first line of the input is a time zone, the second a date pattern, the rest are texts to read; the text itself
// also gives a time. A time that a pattern writes in full is read back as the same; a zone's wall clock and its way
// back agree.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "codec/java_date.h"

namespace {

using namespace standpipe;
using Dialect = DatePattern::Dialect;

constexpr std::int64_t kNow = 1'700'000'000'000;
constexpr std::int64_t kFarthest = 8'000'000'000'000'000;  // as the callers allow
// Every field once more: what a pattern in front of it reads twice or in part is decided here.
constexpr std::string_view kWhole = "|yyyy|MM|dd|DDD|hh|a|mm|ss|SSS|Z";

/// Around the present for small inputs, anywhere else.
std::int64_t time_of(std::string_view text) {
  std::int64_t time = 0;
  std::memcpy(&time, text.data(), std::min(text.size(), sizeof time));
  return text.size() < sizeof time ? (kNow + time) % kFarthest : time % kFarthest;
}

void check_civil(std::int64_t time, const TimeZone& zone) {
  const CivilTime civil = civil_time(time, zone);
  CHECK(civil.month >= 1 && civil.month <= 12 && civil.weekday >= 0 && civil.weekday <= 6);
  CHECK(civil.day >= 1 && civil.day <= days_in_month(civil.year, civil.month));
  CHECK(civil.day_of_year >= 1 && civil.day_of_year <= 366);
  const std::int64_t days = days_from_civil(civil.year, civil.month, civil.day);
  CHECK(days - days_from_civil(civil.year, 1, 1) + 1 == civil.day_of_year);
  const std::int64_t local = days * 86'400 + civil.hour * 3600 + civil.minute * 60 + civil.second;
  CHECK(local == civil.local_seconds);
  CHECK((local - civil.period.offset) * 1000 + civil.millisecond == time);
  CHECK(!zone.abbreviation_at(time / 1000).empty());
  // Of two times that show the same on the wall the way back gives the earlier one.
  const std::int64_t back = zone.to_epoch(local);
  CHECK(back <= local - civil.period.offset);
  CHECK(civil_time(back * 1000, zone).local_seconds == local);
}

/// The pattern with all fields behind it: what it writes is not read, or as the time that it was.
void check_whole(std::string_view pattern, Dialect dialect, const TimeZone& zone, std::int64_t time) {
  const auto compiled = DatePattern::compile(std::string(pattern) + std::string(kWhole), dialect, zone, kNow);
  if (!compiled.ok()) return;
  const CivilTime civil = civil_time(time, zone);
  std::string text;
  compiled->format(time, text);
  const std::optional<std::int64_t> read = compiled->parse(text);
  // Before zones had whole minutes an offset is not written in full; there is no sign for years before Christ.
  if (civil.period.offset % 60 != 0 || civil.year < 0) return;
  CHECK(read ? *read == time : !pattern.empty());
}

void check_pattern(std::string_view pattern, Dialect dialect, const TimeZone& zone,
                   const std::vector<std::string_view>& texts) {
  const auto compiled = DatePattern::compile(pattern, dialect, zone, kNow);
  if (!compiled.ok()) return;
  for (const std::string_view text : texts) {
    const std::optional<std::int64_t> read = compiled->parse(text);
    std::string again;
    compiled->format(read.value_or(time_of(text)), again);
    compiled->parse(again);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> lines = split(input, '\n');
  if (lines.size() < 2) return 0;
  static const TimeZone berlin = TimeZone::find("Europe/Berlin").value();
  const auto zone = TimeZone::find(lines[0]);
  const TimeZone& used = zone.ok() ? *zone : berlin;
  const std::string_view pattern = lines[1];
  lines.erase(lines.begin(), lines.begin() + 2);
  lines.resize(std::min<std::size_t>(lines.size(), 20));
  for (const Dialect dialect : {Dialect::joda, Dialect::simple_date_format}) {
    check_pattern(pattern, dialect, used, lines);
    for (const std::string_view text : lines) {
      check_whole(pattern, dialect, used, time_of(text));
      check_whole("", dialect, used, time_of(text));
    }
  }
  for (const std::string_view text : lines) check_civil(time_of(text), used);
  return 0;
}

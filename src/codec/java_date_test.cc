#include "codec/java_date.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

using ::testing::HasSubstr;
using Dialect = DatePattern::Dialect;

constexpr std::int64_t kNow = 1'700'000'000'000;     // 2023-11-14T22:13:20Z
constexpr std::int64_t kSample = 1'362'500'593'007;  // 2013-03-05T16:23:13.007Z

TimeZone zone(std::string_view id) { return TimeZone::find(id).value(); }

std::string format(std::string_view pattern, std::int64_t ms, Dialect dialect = Dialect::simple_date_format,
                   std::string_view id = "UTC") {
  const auto compiled = DatePattern::compile(pattern, dialect, zone(id), kNow);
  if (!compiled.ok()) return compiled.status().message();
  std::string out;
  compiled->format(ms, out);
  return out;
}

std::optional<std::int64_t> parse(std::string_view pattern, std::string_view text, Dialect dialect = Dialect::joda,
                                  std::string_view id = "UTC") {
  return DatePattern::compile(pattern, dialect, zone(id), kNow).value().parse(text);
}

TEST(TimeZone, KnowsJavasNames) {
  EXPECT_EQ(zone("GMT+8").period_at(0).offset, 8 * 3600);
  EXPECT_EQ(zone("GMT-08:30").period_at(0).offset, -(8 * 3600 + 1800));
  EXPECT_EQ(zone("EST").period_at(1'720'000'000).offset, -5 * 3600);  // no summer time, as in Java
  EXPECT_EQ(zone("PST").period_at(1'720'000'000).offset, -7 * 3600);
  EXPECT_EQ(zone("CST").period_at(1'700'100'000).offset, -6 * 3600);  // Chicago
  EXPECT_EQ(zone("Asia/Shanghai").period_at(1'700'000'000).offset, 8 * 3600);
  EXPECT_THAT(TimeZone::find("Mars/Olympus").status().message(), HasSubstr("unknown time zone 'Mars/Olympus'"));
  EXPECT_FALSE(TimeZone::find("GMT+25").ok());
  EXPECT_FALSE(TimeZone::find("").ok());
}

TEST(TimeZone, ClockChanges) {
  const TimeZone berlin = zone("Europe/Berlin");
  const std::int64_t spring = days_from_civil(2024, 3, 31) * 86'400;
  EXPECT_EQ(berlin.to_epoch(spring + 2 * 3600 + 1800), spring + 3600 + 1800);  // 02:30 does not exist: 03:30
  const std::int64_t autumn = days_from_civil(2024, 10, 27) * 86'400;
  EXPECT_EQ(berlin.to_epoch(autumn + 2 * 3600 + 1800), autumn + 1800);  // 02:30 twice: the earlier
  EXPECT_EQ(berlin.to_epoch(autumn + 12 * 3600), autumn + 11 * 3600);
  EXPECT_EQ(berlin.abbreviation_at(autumn), "CEST");
}

TEST(CivilTime, AgreesWithItsInverseOverEightCenturies) {
  for (std::int64_t day = -150'000; day < 150'000; day += 13) {
    const CivilTime time = civil_time(day * 86'400'000 + 5, TimeZone::utc());
    ASSERT_EQ(days_from_civil(time.year, time.month, time.day), day);
    ASSERT_EQ(time.millisecond, 5);
    ASSERT_EQ((time.weekday + 7 - (day % 7 + 11) % 7) % 7, 0);
    ASSERT_LE(time.day, days_in_month(time.year, time.month));
  }
}

TEST(DatePattern, FormatsAsSimpleDateFormat) {
  EXPECT_EQ(format("yyyy-MM-dd HH:mm:ss.SSS", kSample), "2013-03-05 16:23:13.007");
  EXPECT_EQ(format("EEE EEEE MMM MMMM d D a h K k S", kSample), "Tue Tuesday Mar March 5 64 PM 4 4 16 7");
  EXPECT_EQ(format("yy y Z X XX XXX z G u", kSample), "13 2013 +0000 Z Z Z UTC AD 2");
  EXPECT_EQ(format("yyyy-MM-dd'T'HH:mm:ssXXX", kSample, Dialect::simple_date_format, "Asia/Kolkata"),
            "2013-03-05T21:53:13+05:30");
  EXPECT_EQ(format("h 'o''clock' ''a''", kSample), "4 o'clock 'PM'");
}

TEST(DatePattern, FormatsAsJoda) {
  EXPECT_EQ(format("S SS SSSS Z ZZ ZZZ", kSample, Dialect::joda, "Asia/Shanghai"),
            "0 00 0070 +0800 +08:00 Asia/Shanghai");
}

TEST(DatePattern, RefusesWhatItCannotTranslate) {
  EXPECT_THAT(format("yyyy-ww", kSample), HasSubstr("uses the letter 'w', which is not supported (at character 6)"));
  EXPECT_THAT(format("CC", kSample, Dialect::joda), HasSubstr("letter 'C'"));
  EXPECT_THAT(format("zzzz", kSample), HasSubstr("full zone names"));
  EXPECT_THAT(format("yyyy 'x", kSample), HasSubstr("never closed"));
  EXPECT_THAT(format("", kSample), HasSubstr("empty"));
}

TEST(DatePattern, ParsesAsJoda) {
  EXPECT_EQ(parse("yyyy-MM-dd HH:mm:ss,SSS", "2013-03-05 16:23:13,007"), kSample);
  EXPECT_EQ(parse("dd/MMM/yyyy:HH:mm:ss Z", "05/Mar/2013:17:23:13 +0100"), kSample / 1000 * 1000);
  EXPECT_EQ(parse("yyyyMMddHHmmss", "20130305162313"), kSample / 1000 * 1000);
  EXPECT_EQ(parse("yyyy-MM-dd'T'HH:mm:ssZZ", "2013-03-05t16:23:13Z"), kSample / 1000 * 1000);
  EXPECT_EQ(parse("EEEE, MMMM d yyyy h:mm:ss a", "Tuesday, march 5 2013 4:23:13 pm"), kSample / 1000 * 1000);
  EXPECT_EQ(parse("yyyy-DDD", "2013-064"), days_from_civil(2013, 3, 5) * 86'400'000);
  EXPECT_EQ(parse("HH:mm", "00:01"), 60'000);
  EXPECT_EQ(parse("MM-dd", "02-29"), days_from_civil(2000, 2, 29) * 86'400'000);  // the year 2000
  EXPECT_EQ(parse("yy-MM-dd", "13-03-05"), days_from_civil(2013, 3, 5) * 86'400'000);
  EXPECT_EQ(parse("yy-MM-dd", "43-01-01"), days_from_civil(1943, 1, 1) * 86'400'000);
  EXPECT_EQ(parse("yyyy-MM-dd HH", "2013-03-05 00", Dialect::joda, "Asia/Shanghai"),
            days_from_civil(2013, 3, 5) * 86'400'000 - 8 * 3'600'000);
}

TEST(DatePattern, RefusesTextThatDoesNotFit) {
  EXPECT_EQ(parse("yyyy-MM-dd", "2013-13-05"), std::nullopt);
  EXPECT_EQ(parse("yyyy-MM-dd", "2013-02-29"), std::nullopt);
  EXPECT_EQ(parse("yyyy-MM-dd", "2013-03-05 "), std::nullopt);
  EXPECT_EQ(parse("yyyy-MM-dd", "2013-03"), std::nullopt);
  EXPECT_EQ(parse("HH:mm", "24:00"), std::nullopt);
  EXPECT_EQ(parse("Z", "+8"), std::nullopt);
  EXPECT_EQ(parse("MMM", "Mrz"), std::nullopt);
  EXPECT_EQ(parse("yyyy", ""), std::nullopt);
}

}  // namespace
}  // namespace standpipe

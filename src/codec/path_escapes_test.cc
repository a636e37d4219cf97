#include "codec/path_escapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/local_host.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kSample = 1'362'500'593'007;  // 2013-03-05T16:23:13.007Z, a Tuesday
constexpr std::string_view kSampleText = "1362500593007";

PathOptions options(std::string_view zone = "UTC", TimeRounding rounding = {}) {
  return {.zone = TimeZone::find(zone).value(), .rounding = rounding};
}

/// What one event's headers make of `text`; the message when it fails.
std::string expand(std::string_view text, const Headers& headers, const PathOptions& how = options(),
                   std::int64_t now_ms = 0) {
  const auto path = PathTemplate::compile(text, how);
  if (!path.ok()) return path.status().to_string();
  PathExpander expander(*path);
  const auto result = expander.expand(headers, now_ms);
  return result.ok() ? std::string(*result) : result.status().to_string();
}

const Headers& sample() {
  static const Headers headers = {{"timestamp", std::string(kSampleText)}, {"topic", "web"}, {"a.b-c_d", "x"}};
  return headers;
}

TEST(PathEscapes, EveryLetter) {
  EXPECT_EQ(expand("%a %A %b %B %d %e %j %m %n", sample()), "Tue Tuesday Mar March 05 5 064 03 3");
  EXPECT_EQ(expand("%c", sample()), "Tue Mar 5 16:23:13 2013");
  EXPECT_EQ(expand("%D", sample()), "03/05/13");
  EXPECT_EQ(expand("%H %I %k %l %M %p %S %y %Y %z", sample()), "16 04 16 4 23 PM 13 13 2013 +0000");
  EXPECT_EQ(expand("%s %t %%", sample()), "1362500593 1362500593007 %");
  EXPECT_EQ(expand("%Y-%m-%d/%H%z", sample(), options("Asia/Shanghai")), "2013-03-06/00+0800");
  EXPECT_EQ(expand("%k %l %I %p", {{"timestamp", "0"}}), "0 12 12 AM");
}

TEST(PathEscapes, HeadersHostsAndLiterals) {
  EXPECT_EQ(expand("/logs/%{topic}/%{a.b-c_d}/%{missing}.", sample()), "/logs/web/x/.");
  EXPECT_EQ(expand("100% %-%{} %{a b} %[", {}), "100% %-%{} %{a b} %[");
  EXPECT_EQ(expand("%[localhost] %[IP] %[FQDN]", {}),
            local_host().name + " " + local_host().address + " " + local_host().canonical);
  EXPECT_THAT(expand("/a/%[nope]", {}), HasSubstr("unknown escape %[nope]"));
  EXPECT_EQ(expand("a%%b", {}), "a%b");  // needs no timestamp, unlike Flume
}

TEST(PathEscapes, UnknownLettersVanishAndAreNamed) {
  const auto path = PathTemplate::compile("/a/%q%Y", options());
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(path->unknown_letters(), "q");
  EXPECT_EQ(expand("/a/%q%Y", sample()), "/a/2013");
}

TEST(PathEscapes, WhatATemplateTellsAboutItself) {
  const auto path = PathTemplate::compile("hdfs://nn:8020/logs/app-%{topic}/%Y", options());
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(path->literal_prefix(), "hdfs://nn:8020/logs/");
  EXPECT_THAT(path->header_names(), ElementsAre("topic"));
  EXPECT_TRUE(path->needs_time());
  EXPECT_EQ(PathTemplate::compile("%{dir}/x", options())->literal_prefix(), "");
  EXPECT_EQ(PathTemplate::compile("hdfs://%{nn}/x", options())->literal_prefix(), "");
  const auto constant = PathTemplate::compile("/a/b", options());
  EXPECT_TRUE(constant->is_constant());
  EXPECT_EQ(constant->literal_prefix(), "/a/b");
}

TEST(PathEscapes, MissingOrBadTimestampIsPoison) {
  EXPECT_THAT(expand("/%Y", {}), HasSubstr("poison: the event has no header 'timestamp'"));
  EXPECT_THAT(expand("/%Y", {{"timestamp", "12x"}}), HasSubstr("poison: the header 'timestamp' holds '12x'"));
  EXPECT_THAT(expand("/%Y", {{"timestamp", " 12"}}), HasSubstr("poison"));
  EXPECT_THAT(expand("/%Y", {{"timestamp", "9223372036854775807"}}), HasSubstr("poison"));
  EXPECT_THAT(expand("/%Y", {{"timestamp", "0"}}, options("UTC", {TimeRounding::Unit::hour, 1})),
              HasSubstr("positive"));
  EXPECT_EQ(expand("/%{topic}", {}), "/");
}

TEST(PathEscapes, NothingLeadsOutOfThePrefix) {
  const auto with = [](std::string_view value) { return Headers{{"x", std::string(value)}}; };
  EXPECT_THAT(expand("/data/%{x}/y", with("..")), HasSubstr("poison: a '..' in the path from the header 'x'"));
  EXPECT_THAT(expand("/data/%{x}/y", with("a/../../b")), HasSubstr("poison"));
  EXPECT_THAT(expand("/data/.%{x}", with("./z")), HasSubstr("poison"));
  EXPECT_THAT(expand("/data/%{x}%{x}", with(".")), HasSubstr("poison"));
  EXPECT_THAT(expand("/data/%{x}", with(std::string_view("a\0b", 3))), HasSubstr("poison: a NUL"));
  EXPECT_EQ(expand("/data/%{x}/y", with("a/b")), "/data/a/b/y");
  EXPECT_EQ(expand("/data/%{x}/y", with("..a...")), "/data/..a.../y");
  EXPECT_EQ(expand("/data/../%{x}", with("a")), "/data/../a");
  EXPECT_THAT(expand("/data/%{x}/../y", with("a")), HasSubstr("'..' behind an escape"));
  PathOptions text = options();
  text.is_path = false;
  EXPECT_EQ(expand("%{x}/../", with(".."), text), "../../");
}

TEST(PathEscapes, RoundsDownInTheZone) {
  using Unit = TimeRounding::Unit;
  EXPECT_EQ(expand("%H%M%S", sample(), options("UTC", {Unit::minute, 10})), "162000");
  EXPECT_EQ(expand("%H%M%S", sample(), options("UTC", {Unit::minute, 7})), "162100");
  EXPECT_EQ(expand("%H%M%S %s %t", sample(), options("UTC", {Unit::second, 5})), "162310 1362500590 1362500593007");
  EXPECT_EQ(expand("%d %H%M%S", sample(), options("UTC", {Unit::hour, 6})), "05 120000");
  EXPECT_EQ(expand("%d %H%M%S", sample(), options("Asia/Kolkata", {Unit::hour, 6})), "05 180000");
  EXPECT_FALSE(PathTemplate::compile("%H", options("UTC", {Unit::hour, 25})).ok());
  EXPECT_FALSE(PathTemplate::compile("%H", options("UTC", {Unit::minute, 0})).ok());
  // The second 02:37 of an autumn night stays the second one.
  const std::string second_237 = std::to_string((days_from_civil(2024, 10, 27) * 86'400 + 3600 + 37 * 60) * 1000);
  EXPECT_EQ(expand("%H%M%z", {{"timestamp", second_237}}, options("Europe/Berlin", {Unit::minute, 10})), "0230+0100");
}

TEST(PathExpander, ReusesTheTextUntilSomethingItShowsChanges) {
  const auto path = PathTemplate::compile("/%{topic}/%Y-%m-%d/%H", options());
  PathExpander expander(*path);
  const auto at = [&](std::int64_t ms, std::string topic) {
    const Headers headers = {
        {"timestamp", std::to_string(ms)}, {"topic", std::move(topic)}, {"other", std::to_string(ms)}};
    expander.forget_address();
    return std::string(expander.expand(headers, 0).value());
  };
  EXPECT_EQ(at(kSample, "a"), "/a/2013-03-05/16");
  EXPECT_EQ(expander.generation(), 1u);
  EXPECT_EQ(at(kSample + 60'000, "a"), "/a/2013-03-05/16");
  EXPECT_EQ(at(kSample - 23 * 60'000, "a"), "/a/2013-03-05/16");
  EXPECT_EQ(expander.generation(), 1u);
  EXPECT_EQ(at(kSample + 3'600'000, "a"), "/a/2013-03-05/17");
  EXPECT_EQ(at(kSample + 3'600'000, "b"), "/b/2013-03-05/17");
  EXPECT_EQ(expander.generation(), 3u);
}

TEST(PathExpander, ACachedTextIsAlwaysWhatAFreshOneWouldBe) {
  for (const std::string_view pattern : {"%H%M", "%s", "%D-%H", "%z%d", "%t", "%M:%S"}) {
    for (const TimeRounding rounding :
         {TimeRounding{}, TimeRounding{TimeRounding::Unit::minute, 7}, TimeRounding{TimeRounding::Unit::hour, 5},
          TimeRounding{TimeRounding::Unit::second, 11}}) {
      const auto path = PathTemplate::compile(pattern, options("Australia/Lord_Howe", rounding));
      PathExpander cached(*path);
      const std::int64_t start = days_from_civil(2024, 10, 5) * std::int64_t{86'400'000};  // a half-hour clock change
      for (std::int64_t ms = start; ms < start + 172'800'000; ms += 97'777) {
        const Headers headers = {{"timestamp", std::to_string(ms)}};
        PathExpander fresh(*path);
        cached.forget_address();
        ASSERT_EQ(cached.expand(headers, 0).value(), fresh.expand(headers, 0).value()) << pattern << " at " << ms;
      }
    }
  }
}

TEST(PathExpander, SameBlockIsNotReadAgain) {
  const auto path = PathTemplate::compile("/%{topic}", options());
  PathExpander expander(*path);
  Headers headers = {{"topic", "a"}};
  EXPECT_EQ(expander.expand(headers, 0).value(), "/a");
  headers.set("topic", "b");  // a block of a batch never changes: only the address is looked at
  EXPECT_EQ(expander.expand(headers, 0).value(), "/a");
  expander.forget_address();
  EXPECT_EQ(expander.expand(headers, 0).value(), "/b");
}

TEST(PathExpander, LocalTimeFollowsTheClock) {
  PathOptions how = options();
  how.use_local_time = true;
  const auto path = PathTemplate::compile("/%H%M", how);
  PathExpander expander(*path);
  const Headers headers;
  EXPECT_EQ(expander.expand(headers, kSample).value(), "/1623");
  EXPECT_EQ(expander.expand(headers, kSample + 30'000).value(), "/1623");
  EXPECT_EQ(expander.expand(headers, kSample + 60'000).value(), "/1624");
  EXPECT_EQ(expand("%t", headers, how, kSample), kSampleText);
}

TEST(PathExpander, AFailureIsNotRemembered) {
  const auto path = PathTemplate::compile("/d/%{x}", options());
  PathExpander expander(*path);
  const Headers bad = {{"x", ".."}};
  const Headers good = {{"x", "y"}};
  EXPECT_EQ(expander.expand(bad, 0).status().code(), Code::poison);
  EXPECT_EQ(expander.expand(bad, 0).status().code(), Code::poison);
  EXPECT_EQ(expander.expand(good, 0).value(), "/d/y");
}

}  // namespace
}  // namespace standpipe

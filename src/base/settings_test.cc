#include "standpipe/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr Option kOptions[] = {
    {.name = "size", .kind = Kind::integer, .fallback = "100", .min = 1, .aliases = "oldSize"},
    {.name = "wait", .kind = Kind::duration, .fallback = "3", .unit = "s"},
    {.name = "policy", .kind = Kind::choice, .fallback = "never", .choices = "never|immediate"},
    {.name = "groups", .kind = Kind::list},
    {.name = "headers.*.*", .kind = Kind::text},
    {.name = "serializer.*", .kind = Kind::text},
    {.name = "dir", .kind = Kind::path, .required = true},
};
constexpr ComponentInfo kInfo = {.kind = ComponentKind::source, .name = "sample", .options = kOptions};

TEST(Settings, DefaultsAliasesAndUnits) {
  const auto settings = Settings::parse(kInfo, {{"dir", "/d"}, {"oldSize", " 7 "}, {"groups", "a  b"}});
  ASSERT_TRUE(settings.ok()) << settings.status().to_string();
  EXPECT_EQ(settings->integer("size"), 7);
  EXPECT_EQ(settings->duration("wait"), std::chrono::seconds(3));
  const auto longest = Settings::parse(kInfo, {{"dir", "/d"}, {"wait", "9000000000000000"}});
  EXPECT_GT(std::chrono::steady_clock::now() + longest->duration("wait"), std::chrono::steady_clock::now());
  EXPECT_EQ(settings->choice("policy"), "never");
  EXPECT_THAT(settings->list("groups"), ElementsAre("a", "b"));
}

TEST(Settings, RefusesWhatTheTableForbids) {
  EXPECT_THAT(Settings::parse(kInfo, {{"dir", "/d"}, {"size", "0"}}).status().message(), HasSubstr("at least 1"));
  EXPECT_THAT(Settings::parse(kInfo, {{"dir", "/d"}, {"siez", "1"}}).status().message(),
              HasSubstr("no property 'siez'"));
  EXPECT_THAT(Settings::parse(kInfo, {}).status().message(), HasSubstr("needs 'dir'"));
  EXPECT_FALSE(Settings::parse(kInfo, {{"dir", "/d"}, {"policy", "sometimes"}}).ok());
}

TEST(Settings, AHostIsOneNameOrAddressWithoutAPort) {
  constexpr Option kHost = {.name = "hostname", .kind = Kind::host};
  for (const char* good :
       {"collector", "collector.example.", "10.0.0.1", "::1", "fe80::1%eth0", "0.0.0.0", "${env:HOST}"}) {
    EXPECT_TRUE(check_value(kHost, good).ok()) << good;
  }
  for (const char* bad : {"h1 h2", "h1,h2", "collector:4141", "http://collector", "collector/"}) {
    const Status status = check_value(kHost, bad);
    EXPECT_NE(status.message().find("is not a host"), std::string::npos) << bad;
  }
}

TEST(Settings, PatternsMatchPartByPart) {
  EXPECT_TRUE(matches_pattern("headers.*.*", "headers.g1.topic"));
  EXPECT_TRUE(matches_pattern("headers.*.*", "headers.g1.topic.more"));
  EXPECT_FALSE(matches_pattern("headers.*.*", "headers.g1"));
  EXPECT_TRUE(matches_pattern("serializer.*", "serializer.a.b"));
  EXPECT_TRUE(matches_pattern("*.type", "i1.type"));
  EXPECT_FALSE(matches_pattern("*.type", "i1.types"));
}

TEST(Settings, BelowStripsThePrefix) {
  const auto settings = Settings::parse(kInfo, {{"dir", "/d"}, {"headers.g1.topic", "t"}});
  ASSERT_TRUE(settings.ok());
  EXPECT_THAT(settings->below("headers."), ElementsAre(Pair("g1.topic", "t")));
}

}  // namespace
}  // namespace standpipe

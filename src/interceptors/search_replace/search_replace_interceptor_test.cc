#include "interceptors/search_replace/search_replace_interceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_environment.h"

namespace standpipe {
namespace {

/// The interceptor under `settings`; null when it refuses them, and then `refusal` says why.
std::unique_ptr<Interceptor> make(testing::TestEnvironment& test, Settings::Map settings,
                                  std::string* refusal = nullptr) {
  auto parsed = Settings::parse(*kSearchReplaceInterceptor.info, std::move(settings));
  auto made = parsed.ok() ? kSearchReplaceInterceptor.create(*parsed, test.environment)
                          : Result<std::unique_ptr<Interceptor>>(parsed.status());
  if (refusal != nullptr) *refusal = made.status().message();
  return made.ok() ? std::move(made).value() : nullptr;
}

std::string after(testing::TestEnvironment& test, Settings::Map settings, std::string_view body) {
  Batch batch;
  batch.add_copy(body);
  const auto interceptor = make(test, std::move(settings));
  EXPECT_TRUE(interceptor != nullptr && interceptor->intercept(batch).ok());
  return std::string(batch[0].body);
}

TEST(SearchReplaceInterceptor, ReplacesWithGroups) {
  testing::TestEnvironment test;
  EXPECT_EQ(after(test, {{"searchPattern", "^[A-Za-z0-9_]+"}, {"replaceString", "x"}}, "user logged in"),
            "x logged in");
  EXPECT_EQ(after(test, {{"searchPattern", "(\\d+)-(?<b>\\d+)"}, {"replaceString", "${b}/$1"}}, "a 1-2 3-4"),
            "a 2/1 4/3");
  EXPECT_EQ(after(test, {{"searchPattern", "\\r$"}}, "line\r"), "line");
}

TEST(SearchReplaceInterceptor, LeavesBodiesWithoutAMatchAlone) {
  testing::TestEnvironment test;
  EXPECT_EQ(after(test, {{"searchPattern", "zzz"}}, "\xff\x00\xc3"), std::string_view("\xff"));
  EXPECT_EQ(after(test, {{"searchPattern", "a"}, {"replaceString", "b"}},
                  "\xff"
                  "a"),
            "\xef\xbf\xbd"
            "b");
}

TEST(SearchReplaceInterceptor, WorksInOtherCharsets) {
  testing::TestEnvironment test;
  EXPECT_EQ(after(test, {{"searchPattern", "\xe4\xb8\xad"}, {"replaceString", "\xe6\x96\x87"}, {"charset", "GBK"}},
                  "a\xd6\xd0"),
            "a\xce\xc4");
  EXPECT_EQ(after(test, {{"searchPattern", "x"}, {"charset", "GBK"}}, "\xd6\xff"), "\xd6\xff");
}

TEST(SearchReplaceInterceptor, ARunawayPatternIsCountedAndHarmless) {
  testing::TestEnvironment test;
  const std::string body = std::string(500, 'a') + "!";
  EXPECT_EQ(after(test, {{"searchPattern", "(a|aa|a*)+$"}}, body), body);
  EXPECT_EQ(test.count("RegexGaveUpCount"), 1);
}

TEST(SearchReplaceInterceptor, RefusesBadSettings) {
  testing::TestEnvironment test;
  std::string refusal;
  EXPECT_EQ(make(test, {}, &refusal), nullptr);
  EXPECT_THAT(refusal, ::testing::HasSubstr("needs 'searchPattern'"));
  EXPECT_EQ(make(test, {{"searchPattern", "a"}, {"replaceString", "$1"}}, &refusal), nullptr);
  EXPECT_THAT(refusal, ::testing::HasSubstr("replaceString: replacement '$1': no group 1"));
  EXPECT_EQ(make(test, {{"searchPattern", "a"}, {"charset", "nope"}}, &refusal), nullptr);
  EXPECT_THAT(refusal, ::testing::HasSubstr("charset: unknown charset 'nope'"));
}

}  // namespace
}  // namespace standpipe

#include "interceptors/remove_header/remove_header_interceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_environment.h"

namespace standpipe {
namespace {

/// The interceptor under `settings`; null when it refuses them, and then `refusal` says why.
std::unique_ptr<Interceptor> make(testing::TestEnvironment& test, Settings::Map settings,
                                  std::string* refusal = nullptr) {
  auto parsed = Settings::parse(*kRemoveHeaderInterceptor.info, std::move(settings));
  auto made = parsed.ok() ? kRemoveHeaderInterceptor.create(*parsed, test.environment)
                          : Result<std::unique_ptr<Interceptor>>(parsed.status());
  if (refusal != nullptr) *refusal = made.status().message();
  return made.ok() ? std::move(made).value() : nullptr;
}

Headers after(testing::TestEnvironment& test, Settings::Map settings, Headers headers) {
  Batch batch;
  batch.add("x", batch.add_headers(std::move(headers)));
  const auto interceptor = make(test, std::move(settings));
  EXPECT_TRUE(interceptor != nullptr && interceptor->intercept(batch).ok());
  return *batch[0].headers;
}

TEST(RemoveHeaderInterceptor, ByNameListAndPattern) {
  testing::TestEnvironment test;
  const Headers all = {{"a", "1"}, {"ab", "2"}, {"b", "3"}, {"c", "4"}, {"d e", "5"}};
  EXPECT_EQ(after(test, {}, all), all);
  EXPECT_EQ(after(test, {{"withName", "a"}}, all).size(), 4u);
  EXPECT_EQ(after(test, {{"fromList", "a ,  d e,nope"}}, all), (Headers{{"ab", "2"}, {"b", "3"}, {"c", "4"}}));
  EXPECT_EQ(after(test, {{"fromList", "a;c"}, {"fromListSeparator", ";"}}, all).size(), 3u);
  EXPECT_EQ(after(test, {{"matching", "a|c"}}, all),
            (Headers{{"ab", "2"}, {"b", "3"}, {"d e", "5"}}));  // the whole name
  EXPECT_EQ(after(test, {{"matching", "a.*"}, {"withName", "b"}, {"fromList", "c"}}, all), (Headers{{"d e", "5"}}));
}

TEST(RemoveHeaderInterceptor, RefusesBadPatterns) {
  testing::TestEnvironment test;
  std::string refusal;
  EXPECT_EQ(make(test, {{"matching", "(a"}}, &refusal), nullptr);
  EXPECT_THAT(refusal, ::testing::HasSubstr("matching: regular expression '(a': a '(' that is never closed"));
  EXPECT_EQ(make(test, {{"fromList", "a"}, {"fromListSeparator", "["}}), nullptr);
}

}  // namespace
}  // namespace standpipe

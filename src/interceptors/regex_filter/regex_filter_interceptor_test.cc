#include "interceptors/regex_filter/regex_filter_interceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_environment.h"

namespace standpipe {
namespace {

/// The interceptor under `settings`; null when it refuses them, and then `refusal` says why.
std::unique_ptr<Interceptor> make(testing::TestEnvironment& test, Settings::Map settings,
                                  std::string* refusal = nullptr) {
  auto parsed = Settings::parse(*kRegexFilterInterceptor.info, std::move(settings));
  auto made = parsed.ok() ? kRegexFilterInterceptor.create(*parsed, test.environment)
                          : Result<std::unique_ptr<Interceptor>>(parsed.status());
  if (refusal != nullptr) *refusal = made.status().message();
  return made.ok() ? std::move(made).value() : nullptr;
}

std::vector<std::string> after(testing::TestEnvironment& test, Settings::Map settings,
                               std::vector<std::string> bodies) {
  Batch batch;
  for (const std::string& body : bodies) batch.add_copy(body);
  const auto interceptor = make(test, std::move(settings));
  EXPECT_TRUE(interceptor != nullptr && interceptor->intercept(batch).ok());
  std::vector<std::string> left;
  for (std::size_t i = 0; i < batch.size(); ++i) left.emplace_back(batch[i].body);
  return left;
}

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RegexFilterInterceptor, KeepsOrDrops) {
  testing::TestEnvironment test;
  EXPECT_THAT(after(test, {{"regex", "ERR"}}, {"an ERROR", "fine", "ERR"}), ElementsAre("an ERROR", "ERR"));
  EXPECT_EQ(test.count("EventFilteredCount"), 1);
  EXPECT_THAT(after(test, {{"regex", "^ERR"}, {"excludeEvents", "true"}}, {"an ERROR", "ERR"}),
              ElementsAre("an ERROR"));
  EXPECT_THAT(after(test, {}, {"a", ""}), ElementsAre("a", ""));
  EXPECT_THAT(after(test, {{"excludeEvents", "true"}}, {"a", ""}), IsEmpty());
}

TEST(RegexFilterInterceptor, KeepsWhatItCannotDecide) {
  testing::TestEnvironment test;
  const std::string body = std::string(500, 'a') + "!";
  EXPECT_THAT(after(test, {{"regex", "(a|aa|a*)+$"}, {"excludeEvents", "true"}}, {body}), ElementsAre(body));
  EXPECT_THAT(after(test, {{"regex", "(a|aa|a*)+$"}}, {body}), ElementsAre(body));
  EXPECT_EQ(test.count("RegexGaveUpCount"), 2);
}

TEST(RegexFilterInterceptor, RefusesABadPattern) {
  testing::TestEnvironment test;
  std::string refusal;
  EXPECT_EQ(make(test, {{"regex", "*"}}, &refusal), nullptr);
  EXPECT_THAT(refusal, ::testing::HasSubstr("regex: regular expression '*': a '*' that repeats nothing"));
}

}  // namespace
}  // namespace standpipe

#include "interceptors/regex_extractor/regex_extractor_interceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_environment.h"

namespace standpipe {
namespace {

/// The interceptor under `settings`; null when it refuses them, and then `refusal` says why.
std::unique_ptr<Interceptor> make(testing::TestEnvironment& test, Settings::Map settings,
                                  std::string* refusal = nullptr) {
  auto parsed = Settings::parse(*kRegexExtractorInterceptor.info, std::move(settings));
  auto made = parsed.ok() ? kRegexExtractorInterceptor.create(*parsed, test.environment)
                          : Result<std::unique_ptr<Interceptor>>(parsed.status());
  if (refusal != nullptr) *refusal = made.status().message();
  return made.ok() ? std::move(made).value() : nullptr;
}

constexpr const char* kMillis = "org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer";
constexpr const char* kPassThrough = "org.apache.flume.interceptor.RegexExtractorInterceptorPassThroughSerializer";
using ::testing::HasSubstr;

Headers after(testing::TestEnvironment& test, Settings::Map settings, std::string_view body, Headers headers = {}) {
  Batch batch;
  batch.add(body, batch.add_headers(std::move(headers)));
  const auto interceptor = make(test, std::move(settings));
  EXPECT_TRUE(interceptor != nullptr && interceptor->intercept(batch).ok());
  return *batch[0].headers;
}

TEST(RegexExtractorInterceptor, GroupsGoToTheirSerializers) {
  testing::TestEnvironment test;
  const Settings::Map settings = {{"regex", "(\\d):(\\d):(\\d)"},   {"serializers", "s1 s2 s3"},
                                  {"serializers.s1.name", "three"}, {"serializers.s1.type", "DEFAULT"},
                                  {"serializers.s2.name", "one"},   {"serializers.s2.type", kPassThrough},
                                  {"serializers.s3.name", "two"}};
  EXPECT_EQ(after(test, settings, "1:2:3.4foobar5", {{"one", "old"}, {"zoo", "kept"}}),
            (Headers{{"one", "2"}, {"three", "1"}, {"two", "3"}, {"zoo", "kept"}}));
  EXPECT_EQ(after(test, settings, "nothing here", {{"one", "old"}}), (Headers{{"one", "old"}}));
}

TEST(RegexExtractorInterceptor, AGroupThatTookNoPartSetsNothing) {
  testing::TestEnvironment test;
  const Settings::Map settings = {{"regex", "(a)|(b)(c?)"},
                                  {"serializers", "x y z"},
                                  {"serializers.x.name", "x"},
                                  {"serializers.y.name", "y"},
                                  {"serializers.z.name", "z"}};
  EXPECT_EQ(after(test, settings, "b"), (Headers{{"y", "b"}, {"z", ""}}));
}

TEST(RegexExtractorInterceptor, FewerOrMoreSerializersThanGroups) {
  testing::TestEnvironment test;
  EXPECT_EQ(after(test, {{"regex", "(a)(b)"}, {"serializers", "x"}, {"serializers.x.name", "x"}}, "ab"),
            (Headers{{"x", "a"}}));
  EXPECT_EQ(
      after(test, {{"regex", "(a)"}, {"serializers", "x y"}, {"serializers.x.name", "x"}, {"serializers.y.name", "y"}},
            "a"),
      (Headers{{"x", "a"}}));
  EXPECT_TRUE(test.log.contains("2 serializers for 1 groups"));
  EXPECT_EQ(
      after(test,
            {{"regex", "(a)(b)"}, {"serializers", "x y"}, {"serializers.x.name", "h"}, {"serializers.y.name", "h"}},
            "ab"),
      (Headers{{"h", "b"}}));
}

TEST(RegexExtractorInterceptor, MillisReadsDates) {
  testing::TestEnvironment test;
  const Settings::Map settings = {{"regex", "^(\\S+ \\S+)"},
                                  {"serializers", "t"},
                                  {"serializers.t.name", "timestamp"},
                                  {"serializers.t.type", kMillis},
                                  {"serializers.t.pattern", "yyyy-MM-dd HH:mm:ssZ"}};
  EXPECT_EQ(after(test, settings, "2013-03-05 17:23:13+0100 x"), (Headers{{"timestamp", "1362500593000"}}));
  EXPECT_EQ(after(test, settings, "2013-03-05 17:23 x"), Headers());
  EXPECT_EQ(test.count("SerializeFailCount"), 1);
}

TEST(RegexExtractorInterceptor, EqualResultsShareABlock) {
  testing::TestEnvironment test;
  const auto interceptor = make(
      test,
      {{"regex", "(\\w+)=(\\w*)"}, {"serializers", "k v"}, {"serializers.k.name", "k"}, {"serializers.v.name", "v"}});
  Batch batch;
  const auto block = batch.add_headers({{"file", "f"}});
  batch.add("a=1", block);
  batch.add("a=2", block);
  batch.add("a=1 again", block);
  batch.add("a=1");
  batch.add("none", block);
  ASSERT_TRUE(interceptor->intercept(batch).ok());
  EXPECT_EQ(batch[0].headers, batch[2].headers);
  EXPECT_NE(batch[0].headers, batch[1].headers);
  EXPECT_EQ(*batch[1].headers, (Headers{{"file", "f"}, {"k", "a"}, {"v", "2"}}));
  EXPECT_EQ(*batch[3].headers, (Headers{{"k", "a"}, {"v", "1"}}));
  EXPECT_EQ(*batch[4].headers, (Headers{{"file", "f"}}));
}

TEST(RegexExtractorInterceptor, SharingNeverMixesEventsUp) {
  testing::TestEnvironment test;
  // Optional groups over existing headers: the values alone do not tell the events apart.
  const auto interceptor = make(test, {{"regex", "^(?:a(\\d))?(?:b(\\d))?"},
                                       {"serializers", "a b"},
                                       {"serializers.a.name", "a"},
                                       {"serializers.b.name", "b"}});
  Batch batch;
  std::vector<Headers> expected;
  const auto block = batch.add_headers({{"b", "7"}});
  for (int i = 0; i < 3000; ++i) {
    const std::string a = std::to_string(i % 3);
    const std::string b = std::to_string(i % 7);
    Headers headers = {{"b", "7"}};
    if (i % 2 == 0) headers.set("a", a);
    if (i % 5 != 0) headers.set("b", b);
    batch.add_copy((i % 2 == 0 ? "a" + a : "") + (i % 5 != 0 ? "b" + b : ""), block);
    expected.push_back(std::move(headers));
  }
  ASSERT_TRUE(interceptor->intercept(batch).ok());
  for (std::size_t i = 0; i < batch.size(); ++i) ASSERT_EQ(*batch[i].headers, expected[i]) << i;
  EXPECT_LT(batch.block_count(), 100u);
}

TEST(RegexExtractorInterceptor, ManyDifferentValuesStayRight) {
  testing::TestEnvironment test;
  const auto interceptor = make(test, {{"regex", "(\\d+)"}, {"serializers", "n"}, {"serializers.n.name", "n"}});
  Batch batch;
  for (int i = 0; i < 2000; ++i) batch.add_copy("n " + std::to_string(i));
  ASSERT_TRUE(interceptor->intercept(batch).ok());
  for (std::size_t i = 0; i < batch.size(); ++i) ASSERT_EQ(batch[i].headers->get("n"), std::to_string(i));
}

TEST(RegexExtractorInterceptor, RefusesBadSettings) {
  testing::TestEnvironment test;
  std::string refusal;
  EXPECT_EQ(make(test, {{"regex", "(a"}, {"serializers", "x"}}, &refusal), nullptr);
  EXPECT_THAT(refusal, HasSubstr("regex: regular expression '(a'"));
  EXPECT_EQ(make(test, {{"regex", "(a)"}, {"serializers", "x"}}, &refusal), nullptr);
  EXPECT_THAT(refusal, HasSubstr("serializers.x.name is missing"));
  EXPECT_EQ(make(test,
                 {{"regex", "(a)"},
                  {"serializers", "x"},
                  {"serializers.x.name", "n"},
                  {"serializers.x.type", "com.acme.Mine"}},
                 &refusal),
            nullptr);
  EXPECT_THAT(refusal, HasSubstr("serializers.x.type = com.acme.Mine is not known"));
  EXPECT_EQ(
      make(test, {{"regex", "(a)"}, {"serializers", "x"}, {"serializers.x.name", "n"}, {"serializers.x.type", kMillis}},
           &refusal),
      nullptr);
  EXPECT_THAT(refusal, HasSubstr("serializers.x.pattern is missing"));
  EXPECT_EQ(make(test,
                 {{"regex", "(a)"},
                  {"serializers", "x"},
                  {"serializers.x.name", "n"},
                  {"serializers.x.type", kMillis},
                  {"serializers.x.pattern", "xxxx"}},
                 &refusal),
            nullptr);
  EXPECT_THAT(refusal, HasSubstr("letter 'x'"));
}

}  // namespace
}  // namespace standpipe

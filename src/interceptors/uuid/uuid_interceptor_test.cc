#include "interceptors/uuid/uuid_interceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/test_environment.h"

namespace standpipe {
namespace {

/// The interceptor under `settings`; null when it refuses them, and then `refusal` says why.
std::unique_ptr<Interceptor> make(testing::TestEnvironment& test, Settings::Map settings,
                                  std::string* refusal = nullptr) {
  auto parsed = Settings::parse(*kUuidInterceptor.info, std::move(settings));
  auto made = parsed.ok() ? kUuidInterceptor.create(*parsed, test.environment)
                          : Result<std::unique_ptr<Interceptor>>(parsed.status());
  if (refusal != nullptr) *refusal = made.status().message();
  return made.ok() ? std::move(made).value() : nullptr;
}

TEST(UuidInterceptor, GivesEachEventItsOwn) {
  testing::TestEnvironment test;
  const auto interceptor = make(test, {{"headerName", "key"}, {"prefix", "p-"}});
  Batch batch;
  const auto block = batch.add_headers({{"a", "b"}});
  for (int i = 0; i < 1000; ++i) batch.add("x", block);
  ASSERT_TRUE(interceptor->intercept(batch).ok());
  std::set<std::string> seen;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::string id(batch[i].headers->get("key").value());
    EXPECT_THAT(id, ::testing::MatchesRegex("p-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_TRUE(seen.insert(id).second);
    EXPECT_EQ(batch[i].headers->get("a"), "b");
  }
}

TEST(UuidInterceptor, PreservesUnlessToldNot) {
  testing::TestEnvironment test;
  for (const bool preserve : {true, false}) {
    Batch batch;
    batch.add("x", batch.add_headers({{"id", "mine"}}));
    ASSERT_TRUE(make(test, {{"preserveExisting", preserve ? "true" : "false"}})->intercept(batch).ok());
    EXPECT_EQ(batch[0].headers->get("id") == "mine", preserve);
  }
}

}  // namespace
}  // namespace standpipe

#include "interceptors/static/static_interceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_environment.h"

namespace standpipe {
namespace {

/// The interceptor under `settings`; null when it refuses them, and then `refusal` says why.
std::unique_ptr<Interceptor> make(testing::TestEnvironment& test, Settings::Map settings,
                                  std::string* refusal = nullptr) {
  auto parsed = Settings::parse(*kStaticInterceptor.info, std::move(settings));
  auto made = parsed.ok() ? kStaticInterceptor.create(*parsed, test.environment)
                          : Result<std::unique_ptr<Interceptor>>(parsed.status());
  if (refusal != nullptr) *refusal = made.status().message();
  return made.ok() ? std::move(made).value() : nullptr;
}

TEST(StaticInterceptor, PreservesByDefault) {
  testing::TestEnvironment test;
  const auto interceptor = make(test, {{"key", "dc"}, {"value", "east 1"}});
  Batch batch;
  batch.add("x", batch.add_headers({{"dc", "west"}}));
  batch.add("y");
  batch.add("z");
  ASSERT_TRUE(interceptor->intercept(batch).ok());
  EXPECT_EQ(batch[0].headers->get("dc"), "west");
  EXPECT_EQ(batch[1].headers->get("dc"), "east 1");
  EXPECT_EQ(batch[1].headers, batch[2].headers);
  EXPECT_TRUE(test.log.contains("Creating StaticInterceptor: preserveExisting=true,key=dc,value=east 1"));
}

TEST(StaticInterceptor, OverwritesWhenToldTo) {
  testing::TestEnvironment test;
  const auto interceptor = make(test, {{"preserveExisting", "false"}});
  Batch batch;
  batch.add("x", batch.add_headers({{"key", "old"}}));
  ASSERT_TRUE(interceptor->intercept(batch).ok());
  EXPECT_EQ(*batch[0].headers, (Headers{{"key", "value"}}));
}

}  // namespace
}  // namespace standpipe

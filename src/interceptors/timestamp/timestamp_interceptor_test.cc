#include "interceptors/timestamp/timestamp_interceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_environment.h"

namespace standpipe {
namespace {

/// The interceptor under `settings`; null when it refuses them, and then `refusal` says why.
std::unique_ptr<Interceptor> make(testing::TestEnvironment& test, Settings::Map settings,
                                  std::string* refusal = nullptr) {
  auto parsed = Settings::parse(*kTimestampInterceptor.info, std::move(settings));
  auto made = parsed.ok() ? kTimestampInterceptor.create(*parsed, test.environment)
                          : Result<std::unique_ptr<Interceptor>>(parsed.status());
  if (refusal != nullptr) *refusal = made.status().message();
  return made.ok() ? std::move(made).value() : nullptr;
}

TEST(TimestampInterceptor, StampsEachBlockOnce) {
  VirtualClock clock(1234);
  testing::TestEnvironment test("r1", clock, real_file_system());
  const auto interceptor = make(test, {});
  Batch batch;
  const auto block = batch.add_headers({{"timestamp", "1"}, {"a", "b"}});
  batch.add("x", block);
  batch.add("y", block);
  batch.add("z");
  ASSERT_TRUE(interceptor->intercept(batch).ok());
  EXPECT_EQ(*batch[0].headers, (Headers{{"a", "b"}, {"timestamp", "1234"}}));
  EXPECT_EQ(batch[0].headers, batch[1].headers);  // still shared
  EXPECT_EQ(*batch[2].headers, (Headers{{"timestamp", "1234"}}));
}

TEST(TimestampInterceptor, PreservesAlsoAnEmptyValue) {
  testing::TestEnvironment test;
  const auto interceptor = make(test, {{"preserveExisting", "TRUE"}, {"headerName", "t"}});
  Batch batch;
  batch.add("x", batch.add_headers({{"t", ""}}));
  batch.add("y");
  ASSERT_TRUE(interceptor->intercept(batch).ok());
  EXPECT_EQ(batch[0].headers->get("t"), "");
  EXPECT_GT(std::stoll(std::string(batch[1].headers->get("t").value())), 1'600'000'000'000);
}

}  // namespace
}  // namespace standpipe

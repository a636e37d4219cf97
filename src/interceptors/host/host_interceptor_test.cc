#include "interceptors/host/host_interceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/local_host.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

/// The interceptor under `settings`; null when it refuses them, and then `refusal` says why.
std::unique_ptr<Interceptor> make(testing::TestEnvironment& test, Settings::Map settings,
                                  std::string* refusal = nullptr) {
  auto parsed = Settings::parse(*kHostInterceptor.info, std::move(settings));
  auto made = parsed.ok() ? kHostInterceptor.create(*parsed, test.environment)
                          : Result<std::unique_ptr<Interceptor>>(parsed.status());
  if (refusal != nullptr) *refusal = made.status().message();
  return made.ok() ? std::move(made).value() : nullptr;
}

TEST(HostInterceptor, SetsAddressOrName) {
  testing::TestEnvironment test;
  for (const bool address : {true, false}) {
    const auto interceptor = make(test, {{"useIP", address ? "true" : "false"}, {"hostHeader", "h"}});
    Batch batch;
    batch.add("x");
    ASSERT_TRUE(interceptor->intercept(batch).ok());
    const LocalHost& host = local_host();
    if (host.resolved) {
      EXPECT_EQ(batch[0].headers->get("h"), address ? host.address : host.canonical);
    } else {
      EXPECT_FALSE(batch[0].headers->contains("h"));
      EXPECT_TRUE(test.log.contains("has no address"));
    }
  }
}

TEST(HostInterceptor, OverwritesUnlessToldNot) {
  if (!local_host().resolved) GTEST_SKIP() << "this machine's name has no address";
  testing::TestEnvironment test;
  for (const bool preserve : {true, false}) {
    const auto interceptor = make(test, {{"preserveExisting", preserve ? "true" : "false"}});
    Batch batch;
    batch.add("x", batch.add_headers({{"host", "old"}}));
    ASSERT_TRUE(interceptor->intercept(batch).ok());
    EXPECT_EQ(batch[0].headers->get("host") == "old", preserve);
  }
}

}  // namespace
}  // namespace standpipe

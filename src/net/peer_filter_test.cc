#include "net/peer_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

using ::testing::HasSubstr;

PeerFilter filter(const std::vector<std::string>& rules) {
  auto parsed = PeerFilter::parse(rules);
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  return std::move(parsed).value();
}

TEST(PeerFilterTest, TheFirstRuleThatMatchesDecides) {
  const PeerFilter some = filter({"allow:ip:10.1.2.3", "deny:ip:10.*", "allow:ip:192.168.?.1", "deny:ip:192.168.*"});
  EXPECT_TRUE(some.allows("10.1.2.3:4711"));
  EXPECT_FALSE(some.allows("10.1.2.30:4711"));
  EXPECT_TRUE(some.allows("192.168.7.1:1"));
  EXPECT_FALSE(some.allows("192.168.77.1:1"));
  EXPECT_TRUE(some.allows("172.16.0.1:1")) << "no rule matches";
  EXPECT_FALSE(filter({"deny:ip:*"}).allows("[2001:db8::1]:1"));
}

TEST(PeerFilterTest, TheWholeAddressMustMatch) {
  const PeerFilter exact = filter({"allow:ip:1.2.3.4", "deny:ip:*"});
  EXPECT_FALSE(exact.allows("11.2.3.4:1"));
  EXPECT_FALSE(exact.allows("1.2.3.45:1"));
  EXPECT_FALSE(exact.allows("1x2x3x4:1")) << "a dot is a dot";
  EXPECT_TRUE(exact.allows("[::ffff:1.2.3.4]:1"));
  EXPECT_TRUE(filter({"deny:ip:*.*.*.*9", "allow:ip:*"}).allows("1.2.3.98:1"));
}

TEST(PeerFilterTest, LocalhostIsThisMachine) {
  const PeerFilter local = filter({"allow:name:localhost", "deny:ip:*"});
  EXPECT_TRUE(local.allows("127.0.0.1:1"));
  EXPECT_TRUE(local.allows("127.8.9.10:1"));
  EXPECT_TRUE(local.allows("[::1]:1"));
  EXPECT_FALSE(local.allows("203.0.113.7:1"));
}

TEST(PeerFilterTest, NamesTheRuleThatIsWrong) {
  for (const char* bad : {"", "allow", "allow:ip", "allow:ip:", "permit:ip:*", "allow:port:*", "ip:allow:*"}) {
    const auto parsed = PeerFilter::parse({"allow:ip:*", bad});
    EXPECT_EQ(parsed.status().code(), Code::invalid) << bad;
    EXPECT_THAT(parsed.status().message(), HasSubstr(std::string("'") + bad + "'"));
  }
  EXPECT_THAT(PeerFilter::parse({"deny:name:*.example.com"}).status().message(), HasSubstr("only name:localhost"));
  EXPECT_THAT(PeerFilter::parse({}).status().message(), HasSubstr("ipFilterRules"));
}

}  // namespace
}  // namespace standpipe

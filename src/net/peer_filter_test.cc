#include "net/peer_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

using ::testing::HasSubstr;

using Verdict = PeerFilter::Verdict;

bool allowed(const PeerFilter& rules, std::string_view peer) {
  EXPECT_NE(rules.judge(peer), Verdict::needs_name);
  EXPECT_EQ(rules.judge(peer) == Verdict::allow, rules.allows(peer, ""));
  return rules.judge(peer) == Verdict::allow;
}

PeerFilter filter(const std::vector<std::string>& rules) {
  auto parsed = PeerFilter::parse(rules);
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  return std::move(parsed).value();
}

TEST(PeerFilterTest, TheFirstRuleThatMatchesDecides) {
  const PeerFilter some = filter({"allow:ip:10.1.2.3", "deny:ip:10.*", "allow:ip:192.168.?.1", "deny:ip:192.168.*"});
  EXPECT_TRUE(allowed(some, "10.1.2.3:4711"));
  EXPECT_FALSE(allowed(some, "10.1.2.30:4711"));
  EXPECT_TRUE(allowed(some, "192.168.7.1:1"));
  EXPECT_FALSE(allowed(some, "192.168.77.1:1"));
  EXPECT_TRUE(allowed(some, "172.16.0.1:1")) << "no rule matches";
  EXPECT_FALSE(allowed(filter({"deny:ip:*"}), "[2001:db8::1]:1"));
}

TEST(PeerFilterTest, TheWholeAddressMustMatch) {
  const PeerFilter exact = filter({"allow:ip:1.2.3.4", "deny:ip:*"});
  EXPECT_FALSE(allowed(exact, "11.2.3.4:1"));
  EXPECT_FALSE(allowed(exact, "1.2.3.45:1"));
  EXPECT_FALSE(allowed(exact, "1x2x3x4:1")) << "a dot is a dot";
  EXPECT_TRUE(allowed(exact, "[::ffff:1.2.3.4]:1"));
  EXPECT_TRUE(allowed(filter({"deny:ip:*.*.*.*9", "allow:ip:*"}), "1.2.3.98:1"));
}

TEST(PeerFilterTest, LocalhostIsThisMachine) {
  const PeerFilter local = filter({"allow:name:localhost", "deny:ip:*"});
  EXPECT_TRUE(allowed(local, "127.0.0.1:1"));
  EXPECT_TRUE(allowed(local, "127.8.9.10:1"));
  EXPECT_TRUE(allowed(local, "[::1]:1"));
  EXPECT_FALSE(allowed(local, "203.0.113.7:1"));
}

TEST(PeerFilterTest, ANameIsAskedForOnlyWhereItDecides) {
  const PeerFilter named = filter({"deny:ip:10.*", "allow:name:*.Example.com", "deny:ip:*"});
  EXPECT_TRUE(named.asks_for_names());
  EXPECT_EQ(named.judge("10.1.2.3:1"), Verdict::deny);
  EXPECT_EQ(named.judge("192.168.1.1:1"), Verdict::needs_name);
  EXPECT_TRUE(named.allows("192.168.1.1:1", "web07.EXAMPLE.com"));
  EXPECT_FALSE(named.allows("192.168.1.1:1", "web07.example.com.evil.net"));
  EXPECT_FALSE(named.allows("10.1.2.3:1", "web07.example.com")) << "an earlier rule has decided";
  EXPECT_FALSE(named.allows("192.168.1.1:1", "")) << "it has no name";
  EXPECT_TRUE(filter({"allow:name:192.168.1.?", "deny:ip:*"}).allows("192.168.1.1:1", ""));
  EXPECT_FALSE(filter({"allow:name:localhost", "deny:ip:*"}).asks_for_names());
}

TEST(PeerFilterTest, NamesTheRuleThatIsWrong) {
  for (const char* bad : {"", "allow", "allow:ip", "allow:ip:", "permit:ip:*", "allow:port:*", "ip:allow:*"}) {
    const auto parsed = PeerFilter::parse({"allow:ip:*", bad});
    EXPECT_EQ(parsed.status().code(), Code::invalid) << bad;
    EXPECT_THAT(parsed.status().message(), HasSubstr(std::string("'") + bad + "'"));
  }
  EXPECT_THAT(PeerFilter::parse({}).status().message(), HasSubstr("ipFilterRules"));
}

}  // namespace
}  // namespace standpipe

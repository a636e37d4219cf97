#include "clients/zookeeper/options.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/secrets.h"
#include "support/test_environment.h"

namespace standpipe::zookeeper {
namespace {

using standpipe::testing::TemporaryDirectory;
using ::testing::HasSubstr;

TEST(ZookeeperOptionsTest, HaveDefaultsAndTakeTimes) {
  const auto plain = read_options("h", {});
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->connect, "h:2181");
  EXPECT_EQ(plain->session_timeout, std::chrono::seconds(30));
  EXPECT_TRUE(plain->auth_scheme.empty());
  const auto given = read_options(
      "h", {{"standpipe.zookeeper.session.timeout.ms", "4000"}, {"standpipe.zookeeper.connect.timeout.ms", "700"}});
  ASSERT_TRUE(given.ok());
  EXPECT_EQ(given->session_timeout, std::chrono::seconds(4));
  EXPECT_EQ(given->connect_timeout, std::chrono::milliseconds(700));
  for (const char* bad : {"0", "-1", "4 s", "99999999999999999999"}) {
    const auto refused = read_options("h", {{"standpipe.zookeeper.session.timeout.ms", bad}});
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_THAT(refused.status().message(), HasSubstr("standpipe.zookeeper.session.timeout.ms")) << bad;
  }
}

TEST(ZookeeperOptionsTest, AnIdentityComesFromAFileAndIsNeverShown) {
  TemporaryDirectory folder;
  const std::string path = folder.file("auth");
  std::ofstream(path) << "digest:flume:open-sesame-4711\nmore\n";
  const auto options = read_options("h", {{"standpipe.zookeeper.auth.file", path}});
  ASSERT_TRUE(options.ok()) << options.status().message();
  EXPECT_EQ(options->auth_scheme, "digest");
  EXPECT_EQ(options->auth, "flume:open-sesame-4711");
  EXPECT_EQ(without_secrets("as open-sesame-4711 has it"), "as (not shown) has it");
  for (const char* bad : {"", "digest", "digest:", ":a:b"}) {
    std::ofstream(path) << bad;
    const auto refused = read_options("h", {{"standpipe.zookeeper.auth.file", path}});
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_THAT(refused.status().message(), HasSubstr("scheme:identity"));
  }
  EXPECT_EQ(read_options("h", {{"standpipe.zookeeper.auth.file", folder.file("none")}}).status().code(),
            Code::not_found);
}

TEST(ZookeeperOptionsTest, WhatJavaWouldEncryptIsRefusedAndWhatItMightLogInWithIsMentioned) {
  const auto secure = read_options("h", {{"zookeeper.client.secure", "true"}});
  ASSERT_FALSE(secure.ok());
  EXPECT_THAT(secure.status().message(), HasSubstr("no TLS"));
  EXPECT_TRUE(read_options("h", {{"zookeeper.client.secure", "false"}}).ok());
  const auto jaas = read_options("h", {{"java.security.auth.login.config", "/jaas"}});
  ASSERT_TRUE(jaas.ok());
  EXPECT_THAT(jaas->notes, ::testing::ElementsAre(HasSubstr("no SASL")));
  EXPECT_TRUE(read_options("h", {{"java.security.auth.login.config", "/jaas"}, {"zookeeper.sasl.client", "false"}})
                  ->notes.empty());
}

}  // namespace
}  // namespace standpipe::zookeeper

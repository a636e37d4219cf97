#include "clients/zookeeper/connect_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe::zookeeper {
namespace {

using ::testing::HasSubstr;

TEST(ConnectStringTest, ReadsServersAndWhatAllPathsLieBelow) {
  const auto connect = parse_connect_string(" zk1:2181, zk2 ,[::1]:2182,/kafka/eu/");
  ASSERT_TRUE(connect.ok()) << connect.status().message();
  EXPECT_EQ(connect->text(), "zk1:2181,zk2:2181,[::1]:2182/kafka/eu");
  EXPECT_EQ(connect->for_library(), "zk1:2181,zk2:2181,::1:2182/kafka/eu");
  EXPECT_EQ(connect->chroot, "/kafka/eu");
  EXPECT_EQ(parse_connect_string("h/")->text(), "h:2181") << "the root is no chroot";
}

struct Wrong {
  std::string text;
  const char* says;
};

TEST(ConnectStringTest, SaysWhichPartIsWrong) {
  const Wrong all[] = {{"", "names no ZooKeeper server"},
                       {",,", "names no ZooKeeper server"},
                       {"/flume", "names no ZooKeeper server"},
                       {"h:0", "'0' is no port"},
                       {"h:65536", "'65536' is no port"},
                       {"h:x", "'x' is no port"},
                       {"h:+1", "'+1' is no port"},
                       {"h:", "there is no port"},
                       {":2181", "it has no host"},
                       {"::1:2181", "stands in brackets"},
                       {"[::1", "does not close"},
                       {"[]:1", "it has no host"},
                       {"[::1]2181", "there is no port"},
                       {"zk1 zk2:2181", "no name of a host"},
                       {"h;rm:1", "no name of a host"},
                       {"h:1/a//b", "a part of it is empty"},
                       {"h:1/a/../b", "mean nothing there"},
                       {"h:1/a\nb", "control character"},
                       {std::string(300, 'h') + ":1", "too long"},
                       {"h:1/" + std::string(5000, 'p'), "too long"}};
  for (const Wrong& wrong : all) {
    const auto connect = parse_connect_string(wrong.text);
    ASSERT_FALSE(connect.ok()) << wrong.text;
    EXPECT_EQ(connect.status().code(), Code::invalid);
    EXPECT_THAT(connect.status().message(), HasSubstr(wrong.says)) << wrong.text;
    EXPECT_LT(connect.status().message().size(), 500u);
  }
  std::string many;
  for (int i = 0; i < 65; ++i) many += "h:1,";
  EXPECT_THAT(parse_connect_string(many).status().message(), HasSubstr("more than 64"));
}

TEST(ConnectStringTest, PathsAreJoinedAsFlumeMeansThem) {
  EXPECT_EQ(join_path("/flume", "a1"), "/flume/a1");
  EXPECT_EQ(join_path("/flume/", "a1"), "/flume/a1");
  EXPECT_EQ(join_path("flume", "a1"), "/flume/a1");
  EXPECT_EQ(join_path("/", "a1"), "/a1");
  EXPECT_EQ(join_path("", "a1"), "/a1");
  EXPECT_TRUE(check_path("/").ok());
  EXPECT_FALSE(check_path(join_path("/flume", "")).ok());
  EXPECT_FALSE(check_path("flume").ok());
}

}  // namespace
}  // namespace standpipe::zookeeper

#include "agent/zookeeper_source.h"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/patience.h"
#include "support/test_environment.h"
#include "support/zookeeper_server.h"

namespace standpipe {
namespace {

using testing::CapturingLog;
using ::testing::HasSubstr;
using testing::kPatience;
using testing::ZookeeperTestServer;

class ZookeeperSourceTest : public ::testing::Test {
 protected:
  zookeeper::Options options() const {
    zookeeper::Options given;
    given.connect = server_.connect_string() + "/eu";
    given.connect_timeout = kPatience;
    return given;
  }

  ZookeeperTestServer server_;
  CapturingLog log_;
  std::atomic<int> changes_{0};
};

TEST_F(ZookeeperSourceTest, ReadsTheNodeAndNamesIt) {
  server_.put("/eu/flume/a1", "x = gr\xC3\xBC\xC3\x9F\n");
  ZookeeperSource source(options(), "/flume/a1", log_, {});
  const auto texts = source.read();
  ASSERT_TRUE(texts.ok()) << texts.status().message();
  ASSERT_EQ(texts->size(), 1u);
  EXPECT_EQ(texts->front().name, "zookeeper:/eu/flume/a1");
  EXPECT_EQ(texts->front().bytes, "x = gr\xC3\xBC\xC3\x9F\n");
  EXPECT_EQ(server_.goodbyes(), 1u) << "who does not watch keeps no session";
  EXPECT_TRUE(source.read().ok());
}

TEST_F(ZookeeperSourceTest, ANodeThatIsNotThereIsWatchedAndItsWayOutNamed) {
  server_.put("/eu", "");
  ZookeeperSource source(options(), "/flume/a1", log_, [this] { ++changes_; });
  const auto texts = source.read();
  EXPECT_EQ(texts.status().code(), Code::not_found);
  EXPECT_THAT(texts.status().message(), AllOf(HasSubstr("read /flume/a1 in"), HasSubstr("standpipe config push")));
  const int before = changes_;
  server_.put("/eu/flume/a1", "");
  EXPECT_TRUE(server_.wait_until([&](const auto&) { return changes_ > before; }));
  EXPECT_TRUE(source.read().ok());
}

TEST_F(ZookeeperSourceTest, WithoutASessionItFailsAtOnceAndTellsWhenThereIsOneAgain) {
  server_.put("/eu/flume/a1", "one");
  ZookeeperSource source(options(), "/flume/a1", log_, [this] { ++changes_; });
  ASSERT_TRUE(source.read().ok());
  server_.away(true);
  ASSERT_TRUE(server_.wait_until([&](const auto&) { return log_.contains("the connection is lost"); }));
  const int before = changes_;
  EXPECT_EQ(source.read().status().code(), Code::unavailable);
  server_.away(false);
  ASSERT_TRUE(server_.wait_until([&](const auto&) { return changes_ > before; }));
  EXPECT_EQ(source.read()->front().bytes, "one");
}

}  // namespace
}  // namespace standpipe

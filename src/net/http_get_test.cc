#include "net/http_get.h"

#include <thread>

#include <httplib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

using ::testing::HasSubstr;

/// A server on a free port that ends with the test.
class HttpGetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.Get("/agent.conf", [](const httplib::Request&, httplib::Response& answer) {
      answer.set_content("a1.sources = r1\n", "text/plain");
    });
    server_.Get("/secret", [](const httplib::Request& request, httplib::Response& answer) {
      answer.status = request.get_header_value("Authorization") == "Basic dTpw" ? 200 : 401;
      answer.set_content("inside", "text/plain");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    ASSERT_GT(port_, 0);
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }

  void TearDown() override {
    server_.stop();
    thread_.join();
  }

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }

  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
};

TEST_F(HttpGetTest, GivesTheBody) {
  const Result<std::string> body = http_get({.url = url("/agent.conf"), .user = {}, .password = {}});
  ASSERT_TRUE(body.ok()) << body.status().message();
  EXPECT_EQ(*body, "a1.sources = r1\n");
}

TEST_F(HttpGetTest, SaysWhoItIs) {
  const Result<std::string> body = http_get({.url = url("/secret"), .user = "u", .password = "p"});
  ASSERT_TRUE(body.ok()) << body.status().message();
  EXPECT_EQ(*body, "inside");
}

TEST_F(HttpGetTest, NamesTheAnswerThatIsNot200) {
  const Result<std::string> body = http_get({.url = url("/secret"), .user = {}, .password = {}});
  ASSERT_FALSE(body.ok());
  EXPECT_THAT(body.status().message(), HasSubstr("/secret: the server answered 401"));
}

TEST_F(HttpGetTest, RefusesABodyAboveTheLimit) {
  const Result<std::string> body = http_get({.url = url("/agent.conf"), .user = {}, .password = {}, .max_bytes = 3});
  ASSERT_FALSE(body.ok());
  EXPECT_THAT(body.status().message(), HasSubstr(url("/agent.conf")));
}

TEST_F(HttpGetTest, FollowsNoOtherScheme) {
  EXPECT_FALSE(http_get({.url = "file:///etc/passwd", .user = {}, .password = {}}).ok());
}

TEST(HttpLibrary, NamesItsVersion) { EXPECT_THAT(http_library_version(), HasSubstr("libcurl/")); }

}  // namespace
}  // namespace standpipe

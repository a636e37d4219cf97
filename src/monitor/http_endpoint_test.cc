#include "monitor/http_endpoint.h"

#include <gmock/gmock.h>

#include "support/tcp_client.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::TcpClient;

class HttpEndpointTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(endpoint.start("127.0.0.1", 0).ok()); }

  std::string ask(std::string_view request) {
    TcpClient client(endpoint.port());
    client.send(request);
    return client.rest();
  }

  testing::CapturingLog log;
  std::unique_ptr<Network> network = make_network();
  HttpEndpoint endpoint{*network, log, [](std::string_view path) {
                          if (path == "/big") return HttpReply{200, "text/plain", std::string(5 << 20, 'x')};
                          return HttpReply{path == "/here" ? 200 : 404, "text/x", std::string(path)};
                        }};
};

TEST_F(HttpEndpointTest, AnswersGet) {
  const std::string answer = ask("GET /here?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 5\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n/here"));
}

TEST_F(HttpEndpointTest, AnswersHeadWithoutABody) {
  const std::string answer = ask("HEAD /here HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpEndpointTest, RefusesOtherMethods) {
  const std::string answer = ask("POST /here HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(HttpEndpointTest, RefusesWhatIsNoRequest) {
  EXPECT_THAT(ask("hello\n\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET here HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET / SPDY\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /he\rre HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpEndpointTest, RefusesAnEndlessRequest) {
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x')), StartsWith("HTTP/1.1 431"));
}

TEST_F(HttpEndpointTest, TakesARequestInPieces) {
  TcpClient client(endpoint.port());
  for (const std::string_view piece : {"GET /he", "re HTTP/1.1\r\n", "\r", "\n"}) client.send(piece);
  EXPECT_THAT(client.rest(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpEndpointTest, SendsALargePageWhole) {
  EXPECT_GT(ask("GET /big HTTP/1.1\r\n\r\n").size(), std::size_t{5} << 20);
}

TEST_F(HttpEndpointTest, AnswersManyAtATime) {
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(std::make_unique<TcpClient>(endpoint.port()));
  for (auto& client : clients) {
    client->send("GET /here HTTP/1.0\r\n\r\n");
    EXPECT_THAT(client->rest(), StartsWith("HTTP/1.1 200"));
    client.reset();
  }
}

TEST_F(HttpEndpointTest, StopsWithClientsConnected) {
  TcpClient client(endpoint.port());
  client.send("GET /he");
  endpoint.stop();
  endpoint.stop();
  EXPECT_EQ(client.rest(), "");
}

}  // namespace
}  // namespace standpipe

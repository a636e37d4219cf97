#include "rpc/thrift/link.h"

#include <gmock/gmock.h>

#include "rpc/thrift/event_encoder.h"
#include "support/patience.h"
#include "support/rpc_server.h"
#include "support/test_outlet.h"
#include "support/thrift_server.h"

namespace standpipe::thrift {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ThriftTestServer;
using Phase = Link::Phase;

class ThriftLinkTest : public ::testing::Test {
 protected:
  void open(std::uint16_t port, unsigned window = 4, Protocol protocol = Protocol::compact) {
    LinkOptions options;
    options.peer = {"127.0.0.1", port, testing::kPatience};
    options.protocol = protocol;
    options.window = window;
    link = std::make_unique<Link>(*network, options, [] {});
    link->open();
    ASSERT_TRUE(server.wait_until([&](const auto&) { return link->view().phase == Phase::greeting; }));
  }

  void send(std::int32_t serial, const std::string& body, Protocol protocol = Protocol::compact) {
    testing::TestOutlet outlet;
    outlet.put(body);
    const Lease lease = outlet.take(1).value();
    const auto extent = measure_batch(lease, protocol, 1 << 20);
    link->send(serial, encode_batch(lease, protocol, extent, serial, budget, true));
    link->flush();
  }

  /// "serial: what" of the next answers.
  std::vector<std::string> answers(std::size_t count) {
    std::vector<std::string> texts;
    SystemClock clock;
    const auto deadline = clock.steady_now() + testing::kPatience;
    while (texts.size() < count && clock.steady_now() < deadline) {
      link->wait_for_news(clock, deadline);
      const Link::View view = link->view();
      for (const Link::Answer& answer : link->take_answers()) {
        texts.push_back(std::to_string(answer.serial) + ": " + answer.status.message());
      }
      if (view.phase == Phase::failed) {
        view.failure.ignore();  // the test asks again
        break;
      }
    }
    return texts;
  }

  ThriftTestServer server;
  std::unique_ptr<Network> network = make_network();
  MemoryBudget budget{64 << 20};
  std::unique_ptr<Link> link;
};

TEST_F(ThriftLinkTest, SendsToAPeerLikeFlumesOneByOne) {
  open(server.port());
  send(1, "hello");
  EXPECT_THAT(answers(1), ElementsAre("1: "));
  EXPECT_EQ(link->view().phase, Phase::open);
  EXPECT_EQ(link->view().window, 1u);
  EXPECT_EQ(server.asked_window(), 4u);
  send(2, "world");
  EXPECT_THAT(answers(1), ElementsAre("2: "));
  EXPECT_THAT(server.bodies(), ElementsAre("hello", "world"));
}

TEST_F(ThriftLinkTest, TakesAnswersInAnyOrderWithinTheWindow) {
  server.grant(3);
  open(server.port());
  send(1, "first");
  EXPECT_THAT(answers(1), ElementsAre("1: "));
  EXPECT_EQ(link->view().window, 3u);
  server.answer_together(3);
  for (std::int32_t serial = 2; serial <= 4; ++serial) send(serial, std::to_string(serial));
  EXPECT_THAT(answers(3), ElementsAre("4: ", "3: ", "2: "));
}

TEST_F(ThriftLinkTest, AGrantIsNoMoreThanWhatWasAsked) {
  server.grant(1000);
  open(server.port(), 2);
  send(1, "first");
  EXPECT_EQ(answers(1).size(), 1u);
  EXPECT_EQ(link->view().window, 2u);
}

TEST_F(ThriftLinkTest, WhoWantsNoWindowDoesNotAsk) {
  server.grant(1000);
  open(server.port(), 1);
  send(1, "first");
  EXPECT_EQ(answers(1).size(), 1u);
  EXPECT_EQ(link->view().phase, Phase::open);
  EXPECT_EQ(server.asked_window(), 0u);
}

TEST_F(ThriftLinkTest, TellsWhatThePeerSaid) {
  open(server.port());
  const std::string peer = "127.0.0.1:" + std::to_string(server.port());
  server.say(ThriftTestServer::Says::failed);
  send(1, "a");
  EXPECT_THAT(answers(1), ElementsAre("1: " + peer + " answered FAILED"));
  server.say(ThriftTestServer::Says::error);
  send(2, "a");
  EXPECT_THAT(answers(1), ElementsAre("2: " + peer + " answered with an error: no such luck"));
  server.say(ThriftTestServer::Says::hangs_up);
  send(3, "a");
  EXPECT_THAT(answers(1), ElementsAre());
  EXPECT_EQ(link->view().failure.message(), peer + " closed the connection");
}

TEST_F(ThriftLinkTest, SaysWhatMayBeWrongWithAPeerThatNeverAnswers) {
  server.say(ThriftTestServer::Says::hangs_up);
  open(server.port(), 1);
  send(1, "a");
  EXPECT_THAT(answers(1), ElementsAre());
  EXPECT_THAT(link->view().failure.message(),
              ::testing::HasSubstr(" before it answered: is it a thrift source, and are ssl and protocol as here"));
}

TEST_F(ThriftLinkTest, SaysWhatAStrangerMayBe) {
  const testing::StrangerServer other("HTTP/1.1 400 Bad Request\r\n\r\n");
  open(other.port());
  send(1, "a");
  EXPECT_THAT(answers(1), ElementsAre());
  EXPECT_THAT(link->view().failure.message(), HasSubstr("does not answer in Thrift's frames"));
  const testing::StrangerServer binary(
      testing::ThriftBytes::frame(testing::ThriftBytes(false).head(2, "appendBatch", 1) + '\0'));
  open(binary.port());
  send(1, "a");
  EXPECT_THAT(answers(1), ElementsAre());
  EXPECT_THAT(link->view().failure.message(), HasSubstr("does not answer by the compact protocol: set protocol alike"));
  const testing::StrangerServer large(std::string("\0\x7f\xff\xff", 4));
  open(large.port());
  send(1, "a");
  EXPECT_THAT(answers(1), ElementsAre());
  EXPECT_THAT(link->view().failure.message(), HasSubstr("a Thrift frame of 8388611 bytes"));
}

}  // namespace
}  // namespace standpipe::thrift

#include "rpc/avro/link.h"

#include <gmock/gmock.h>

#include "rpc/avro/event_encoder.h"
#include "rpc/avro/protocol.h"
#include "support/avro_server.h"
#include "support/patience.h"
#include "support/rpc_server.h"
#include "support/test_outlet.h"

namespace standpipe::avro {
namespace {

using testing::AvroTestServer;
using ::testing::ElementsAre;
using Phase = Link::Phase;

class LinkTest : public ::testing::Test {
 protected:
  void open(unsigned window = 4) {
    LinkOptions options;
    options.peer = {"127.0.0.1", server.port(), testing::kPatience};
    options.window = window;
    link = std::make_unique<Link>(*network, options, [this] { ++changes; });
    link->open();
    ASSERT_TRUE(server.wait_until([&](const auto&) { return link->view().phase == Phase::greeting; }));
  }

  void collect(std::int32_t serial, const std::string& body) {
    testing::TestOutlet outlet;
    outlet.put(body);
    const Lease lease = outlet.take(1).value();
    link->send(serial, encode_batch(lease, measure_batch(lease, 1 << 20), serial, budget, true));
  }
  void send(std::int32_t serial, const std::string& body) {
    collect(serial, body);
    link->flush();
  }

  /// "serial: what" of the next answers.
  std::vector<std::string> answers(std::size_t count) {
    std::vector<std::string> texts;
    SystemClock clock;
    const auto deadline = clock.steady_now() + testing::kPatience;
    while (texts.size() < count && clock.steady_now() < deadline) {
      link->wait_for_news(clock, deadline);
      for (const Link::Answer& answer : link->take_answers()) {
        texts.push_back(std::to_string(answer.serial) + ": " + answer.status.message());
      }
      if (link->view().phase == Phase::failed) break;
    }
    return texts;
  }

  AvroTestServer server;
  std::unique_ptr<Network> network = make_network();
  MemoryBudget budget{64 << 20};
  std::atomic<int> changes = 0;
  std::unique_ptr<Link> link;
};

TEST_F(LinkTest, SendsToAPeerLikeFlumesOneByOne) {
  open();
  send(1, "hello");
  EXPECT_THAT(answers(1), ElementsAre("1: "));
  EXPECT_EQ(link->view().phase, Phase::open);
  EXPECT_EQ(link->view().window, 1u);
  EXPECT_EQ(server.asked_window(), 4u);
  EXPECT_EQ(server.text_of_client(), "");
  send(2, "world");
  EXPECT_THAT(answers(1), ElementsAre("2: "));
  EXPECT_THAT(server.bodies(), ElementsAre("hello", "world"));
  EXPECT_TRUE(server.wait_until([&](const auto&) { return changes >= 3; }));
}

TEST_F(LinkTest, TakesAnswersInAnyOrderWithinTheWindow) {
  server.grant(3);
  open();
  send(1, "first");
  EXPECT_THAT(answers(1), ElementsAre("1: "));
  EXPECT_EQ(link->view().window, 3u);
  server.answer_together(3);
  for (std::int32_t serial = 2; serial <= 4; ++serial) send(serial, std::to_string(serial));
  EXPECT_THAT(answers(3), ElementsAre("4: ", "3: ", "2: "));
}

TEST_F(LinkTest, SendsSmallRequestsTogetherAndLargeOnesAtOnce) {
  server.grant(64);
  open(64);
  send(1, "first");
  EXPECT_THAT(answers(1), ElementsAre("1: "));
  for (std::int32_t serial = 2; serial <= 40; ++serial) collect(serial, std::to_string(serial));
  network->run([] {});  // what had been handed to the loop would be on its way
  EXPECT_EQ(server.requests(), 1u);
  link->flush();
  EXPECT_EQ(answers(39).size(), 39u);
  link->flush();  // nothing is left
  collect(41, "small");
  collect(42, std::string(200'000, 'x'));
  EXPECT_THAT(answers(2), ElementsAre("41: ", "42: "));
  EXPECT_EQ(server.bodies().size(), 42u);
}

TEST_F(LinkTest, ForgetsWhatWasNotSentWhenItIsClosed) {
  open();
  collect(1, "lost");
  link->open();
  ASSERT_TRUE(server.wait_until([&](const auto&) { return link->view().phase == Phase::greeting; }));
  send(2, "sent");
  EXPECT_THAT(answers(1), ElementsAre("2: "));
  EXPECT_THAT(server.bodies(), ElementsAre("sent"));
}

TEST_F(LinkTest, AGrantIsNoMoreThanWhatWasAsked) {
  server.grant(1000);
  open(2);
  send(1, "first");
  EXPECT_EQ(answers(1).size(), 1u);
  EXPECT_EQ(link->view().window, 2u);
}

TEST_F(LinkTest, SendsItsProtocolWhereTheHashIsUnknown) {
  server.forget_protocols();
  open();
  send(7, "hello");
  EXPECT_THAT(answers(1), ElementsAre("7: "));
  EXPECT_EQ(server.text_of_client(), kSourceProtocolText);
  send(8, "world");
  EXPECT_THAT(answers(1), ElementsAre("8: "));
  EXPECT_THAT(server.bodies(), ElementsAre("hello", "world"));
}

TEST_F(LinkTest, TellsWhatThePeerSaid) {
  open();
  const std::string peer = "127.0.0.1:" + std::to_string(server.port());
  server.say(AvroTestServer::Says::failed);
  send(1, "a");
  EXPECT_THAT(answers(1), ElementsAre("1: " + peer + " answered FAILED"));
  server.say(AvroTestServer::Says::error);
  send(2, "a");
  EXPECT_THAT(answers(1), ElementsAre("2: " + peer + " answered with an error: no such luck"));
  server.say(AvroTestServer::Says::hangs_up);
  send(3, "a");
  EXPECT_THAT(answers(1), ElementsAre());
  EXPECT_EQ(link->view().phase, Phase::failed);
  EXPECT_EQ(link->view().failure.message(), peer + " closed the connection");
  server.say(AvroTestServer::Says::ok);
  link->open();
  ASSERT_TRUE(server.wait_until([&](const auto&) { return link->view().phase == Phase::greeting; }));
  send(4, "b");
  EXPECT_THAT(answers(1), ElementsAre("4: "));
}

TEST_F(LinkTest, SaysWhatAStrangerMayBe) {
  const testing::StrangerServer other("HTTP/1.1 400 Bad Request\r\n\r\n");
  link = std::make_unique<Link>(*network, LinkOptions{{"127.0.0.1", other.port(), testing::kPatience}, 1}, [] {});
  link->open();
  ASSERT_TRUE(server.wait_until([&](const auto&) { return link->view().phase == Phase::greeting; }));
  send(1, "a");
  EXPECT_THAT(answers(1), ElementsAre());
  EXPECT_THAT(link->view().failure.message(),
              ::testing::HasSubstr(" does not answer in Avro: is it an avro source, and are ssl and compression-type"));
}

TEST_F(LinkTest, SaysWhatMayBeWrongWithAPeerThatNeverAnswers) {
  server.say(AvroTestServer::Says::hangs_up);
  open();
  send(1, "a");
  EXPECT_THAT(answers(1), ElementsAre());
  EXPECT_THAT(
      link->view().failure.message(),
      ::testing::HasSubstr(" before it answered: is it an avro source, and are ssl and compression-type as here"));
}

TEST_F(LinkTest, SaysThatNobodyIsThere) {
  std::uint16_t port = 0;
  {
    const AvroTestServer gone;
    port = gone.port();
  }
  link = std::make_unique<Link>(*network, LinkOptions{{"127.0.0.1", port, testing::kPatience}, 1}, [] {});
  link->open();
  ASSERT_TRUE(server.wait_until([&](const auto&) { return link->view().phase == Phase::failed; }));
  EXPECT_FALSE(link->view().connected);
  EXPECT_THAT(link->view().failure.message(), ::testing::HasSubstr("Connection refused"));
  link->close();
  EXPECT_EQ(link->view().phase, Phase::closed);
}

}  // namespace
}  // namespace standpipe::avro

#include "sources/netcat/netcat_source.h"

#include <gmock/gmock.h>

#include <future>

#include "net/network.h"
#include "support/recording_ingest.h"
#include "support/tcp_client.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TcpClient;

class NetcatSourceTest : public ::testing::Test {
 protected:
  NetcatSourceTest() { env.environment.network = network.get(); }

  void start(Settings::Map values = {}) {
    values.emplace("port", "0");
    auto settings = Settings::parse(*kNetcatSource.info, std::move(values));
    ASSERT_TRUE(settings.ok()) << settings.status().message();
    auto made = kNetcatSource.create(*settings, env.environment);
    ASSERT_TRUE(made.ok()) << made.status().message();
    source = std::move(made).value();
    const Status status = source->start(ingest);
    ASSERT_TRUE(status.ok()) << status.message();
  }

  std::uint16_t port() const {
    const std::string line = env.log.lines().back();
    return static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  }

  testing::TestEnvironment env;
  std::unique_ptr<Network> network = make_network();
  testing::RecordingIngest ingest;
  std::unique_ptr<Source> source;
};

TEST_F(NetcatSourceTest, AnswersOkToEveryLine) {
  start();
  TcpClient client(port());
  client.send("Hello\nWorld\r\n\n");
  EXPECT_EQ(client.line(), "OK");
  EXPECT_EQ(client.line(), "OK");
  EXPECT_EQ(client.line(), "OK");
  EXPECT_THAT(ingest.bodies(), ElementsAre("Hello", "World\r", ""));
  EXPECT_EQ(env.count(counter_names::kEventReceived), 3);
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 3);
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 1);
}

TEST_F(NetcatSourceTest, IsSilentWhereNoAnswerIsWanted) {
  start({{"ack-every-event", "false"}});
  TcpClient client(port());
  client.send("a\nb\n");
  client.finish();
  EXPECT_EQ(client.rest(), "");
  EXPECT_THAT(ingest.bodies(), ElementsAre("a", "b"));
}

TEST_F(NetcatSourceTest, JoinsALineThatArrivesInPieces) {
  start();
  TcpClient client(port());
  client.send("first\nsec");
  EXPECT_EQ(client.line(), "OK");
  client.send("ond\n");
  EXPECT_EQ(client.line(), "OK");
  EXPECT_THAT(ingest.bodies(), ElementsAre("first", "second"));
}

TEST_F(NetcatSourceTest, DiscardsAnUnfinishedLineAtTheEnd) {
  start();
  TcpClient client(port());
  client.send("a\nlast");
  client.finish();
  EXPECT_EQ(client.rest(), "OK\n");
  EXPECT_THAT(ingest.bodies(), ElementsAre("a"));
  EXPECT_TRUE(env.log.contains("4 bytes without a line feed are discarded"));
}

TEST_F(NetcatSourceTest, AnswersAHalfClosedConnectionAfterTheReceipt) {
  start();
  ingest.hold();
  TcpClient client(port());
  client.send("a\nb\n");
  client.finish();
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  ingest.release();
  EXPECT_EQ(client.rest(), "OK\nOK\n");
}

TEST_F(NetcatSourceTest, AnswersNothingBeforeTheReceipt) {
  start();
  ingest.hold();
  TcpClient client(port());
  client.send("a\n");
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 0);
  ingest.release({Code::full, "no room"});
  EXPECT_EQ(client.line(), "FAILED: no room") << "it was answered before the receipt";
  client.send("b\n");
  EXPECT_EQ(client.line(), "OK");
}

TEST_F(NetcatSourceTest, SaysFailedAndStaysConnected) {
  start({{"ack-every-event", "false"}});
  ingest.answer_with({Code::full, "channel c1 is full"});
  TcpClient client(port());
  client.send("a\nb\n");
  EXPECT_EQ(client.line(), "FAILED: channel c1 is full");
  EXPECT_EQ(client.line(), "FAILED: channel c1 is full");
  ingest.answer_with({});
  client.send("c\n");
  client.finish();
  EXPECT_EQ(client.rest(), "");  // closed when the receipt was there
  EXPECT_THAT(ingest.bodies(), ElementsAre("c"));
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 1);
}

TEST_F(NetcatSourceTest, TellsAndDisconnectsWhoSendsTooLongALine) {
  start({{"max-line-length", "5"}});
  TcpClient client(port());
  client.send("1234\n12345\nnever\n");
  EXPECT_EQ(client.rest(), "OK\nFAILED: Event exceeds the maximum length (5 chars, including newline)\n");
  EXPECT_THAT(ingest.bodies(), ElementsAre("1234"));
  EXPECT_TRUE(env.log.contains("max-line-length = 5"));
  EXPECT_EQ(env.count(counter_names::kEventReadFail), 1);
}

TEST_F(NetcatSourceTest, DoesNotWaitForTheEndOfATooLongLine) {
  start();
  TcpClient client(port());
  client.send(std::string(100'000, 'x'));
  EXPECT_EQ(client.rest(), "FAILED: Event exceeds the maximum length (512 chars, including newline)\n");
  EXPECT_THAT(ingest.bodies(), IsEmpty());
}

TEST_F(NetcatSourceTest, CountsCharactersNotBytes) {
  start({{"max-line-length", "4"}});
  TcpClient client(port());
  client.send("\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\n");
  EXPECT_EQ(client.line(), "OK");
}

TEST_F(NetcatSourceTest, DecodesWhatArrives) {
  start({{"encoding", "ISO-8859-1"}});
  TcpClient client(port());
  client.send("na\xEFve\nplain\n");
  EXPECT_EQ(client.line(), "OK");
  EXPECT_EQ(client.line(), "OK");
  EXPECT_THAT(ingest.bodies(), ElementsAre("na\xC3\xAFve", "plain"));
}

TEST_F(NetcatSourceTest, ReplacesDamagedText) {
  start();
  TcpClient client(port());
  client.send("a\xFF\n");
  EXPECT_EQ(client.line(), "OK");
  EXPECT_THAT(ingest.bodies(), ElementsAre("a\xEF\xBF\xBD"));
}

TEST_F(NetcatSourceTest, TakesAFloodInOrder) {
  start();
  std::string text;
  std::vector<std::string> lines;
  for (int i = 0; i < 50'000; ++i) {
    lines.push_back("line " + std::to_string(i) + std::string(static_cast<std::size_t>(i) % 300, '.'));
    text += lines.back() + "\n";
  }
  TcpClient client(port());
  auto sending = std::async(std::launch::async, [&] {
    client.send(text);
    client.finish();
  });
  const std::string answers = client.rest();
  sending.get();
  EXPECT_EQ(answers.size(), lines.size() * 3);
  EXPECT_TRUE(ingest.bodies() == lines);
}

TEST_F(NetcatSourceTest, HoldsBackAClientWhoseLinesFindNoRoom) {
  start();
  ingest.hold();
  TcpClient client(port());
  const std::string line = std::string(100, 'x') + "\n";
  auto sending = std::async(std::launch::async, [&] {
    for (int i = 0; i < 200'000; ++i) client.send(line);  // 20 MB: more than sockets and pipeline hold
    client.finish();
  });
  ASSERT_TRUE(ingest.wait_for_deliveries(4));
  EXPECT_EQ(sending.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  EXPECT_LT(env.budget.used(), 2u << 20);
  EXPECT_EQ(ingest.deliveries(), 4u);
  ingest.release();
  EXPECT_EQ(client.rest().size(), 200'000u * 3);
  sending.get();
}

TEST_F(NetcatSourceTest, WaitsForMemory) {
  start();
  env.budget.force_charge(env.budget.limit());
  TcpClient client(port());
  client.send("a\n");
  env.budget.release(env.budget.limit());
  EXPECT_EQ(client.line(), "OK");
}

TEST_F(NetcatSourceTest, StopsInAnyState) {
  start();
  source->stop();
  source->stop();
  start();
  ingest.hold();
  TcpClient client(port());
  client.send("a\n");
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  source->stop();  // the receipt never came: the client hears nothing
  EXPECT_EQ(client.rest(), "");
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 0);
  ingest.release();
}

TEST_F(NetcatSourceTest, AnswersWhatWasHandedOverBeforeItStops) {
  start();
  ingest.hold();
  TcpClient client(port());
  client.send("a\n");
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  auto stopping = std::async(std::launch::async, [this] { source->stop(); });
  ingest.release();
  EXPECT_EQ(client.rest(), "OK\n");
  stopping.get();
}

TEST_F(NetcatSourceTest, CanBeStartedAgain) {
  start();
  source->stop();
  ASSERT_TRUE(source->start(ingest).ok());
  TcpClient client(port());
  client.send("a\n");
  EXPECT_EQ(client.line(), "OK");
}

TEST_F(NetcatSourceTest, RefusesAnUnknownEncoding) {
  const auto settings = Settings::parse(*kNetcatSource.info, {{"port", "0"}, {"encoding", "nonsense"}});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(kNetcatSource.create(*settings, env.environment).status().code(), Code::invalid);
}

}  // namespace
}  // namespace standpipe

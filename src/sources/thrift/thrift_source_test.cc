#include "sources/thrift/thrift_source.h"

#include <gmock/gmock.h>

#include <future>

#include "net/network.h"
#include "support/engine_parts.h"
#include "support/recording_ingest.h"
#include "support/test_environment.h"
#include "support/thrift_client.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SentEvent;
using ::testing::StartsWith;
using testing::ThriftBytes;
using testing::ThriftTestClient;

class ThriftSourceTest : public ::testing::Test {
 protected:
  ThriftSourceTest() { env.environment.network = network.get(); }

  Result<std::unique_ptr<Source>> make(Settings::Map values) {
    values.emplace("bind", "127.0.0.1");
    values.emplace("port", "0");
    TRY_ASSIGN(const Settings settings, Settings::parse(*kThriftSource.info, std::move(values)));
    return kThriftSource.create(settings, env.environment);
  }

  void start(Settings::Map values = {}) {
    auto made = make(std::move(values));
    ASSERT_TRUE(made.ok()) << made.status().message();
    source = std::move(made).value();
    const Status status = source->start(ingest);
    ASSERT_TRUE(status.ok()) << status.message();
    const std::string line = env.log.lines().back();
    port = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  }

  testing::TestEnvironment env;
  std::unique_ptr<Network> network = make_network();
  testing::RecordingIngest ingest;
  std::unique_ptr<Source> source;
  std::uint16_t port = 0;
};

/// Both protocols.
class ThriftProtocolTest : public ThriftSourceTest, public ::testing::WithParamInterface<bool> {
 protected:
  void start(Settings::Map values = {}) {
    values.emplace("protocol", compact ? "compact" : "binary");
    ThriftSourceTest::start(std::move(values));
  }
  const bool compact = GetParam();
  const ThriftBytes bytes{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Protocols, ThriftProtocolTest, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Compact" : "Binary"; });

TEST_P(ThriftProtocolTest, TakesEventsAndBatches) {
  start();
  ThriftTestClient client(port, compact);
  EXPECT_EQ(client.append({{{"k", "v"}}, "hello"}), "OK");
  EXPECT_EQ(client.append_batch({{{}, "one"}, {{{"größe", "日本"}}, ""}, {{}, std::string(3, '\0')}}), "OK");
  EXPECT_EQ(client.append_batch({}), "OK");
  EXPECT_EQ(client.append_batch(std::vector<SentEvent>(20, SentEvent{{{"a", "b"}}, "x"})), "OK");
  std::vector<std::string> bodies = ingest.bodies();
  ASSERT_EQ(bodies.size(), 24u);
  bodies.resize(4);
  EXPECT_THAT(bodies, ElementsAre("hello", "one", "", std::string(3, '\0')));
  EXPECT_EQ(ingest.headers()[0], (Headers{{"k", "v"}}));
  EXPECT_EQ(ingest.headers()[2], (Headers{{"größe", "日本"}}));
  EXPECT_EQ(ingest.headers()[23], (Headers{{"a", "b"}}));
  EXPECT_EQ(env.count(counter_names::kEventReceived), 24);
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 24);
  EXPECT_EQ(env.count(counter_names::kAppendReceived), 1);
  EXPECT_EQ(env.count(counter_names::kAppendAccepted), 1);
  EXPECT_EQ(env.count(counter_names::kAppendBatchReceived), 3);
  EXPECT_EQ(env.count(counter_names::kAppendBatchAccepted), 3);
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 1);
}

TEST_P(ThriftProtocolTest, TakesLargeBodiesThatArriveInPieces) {
  start();
  ThriftTestClient client(port, compact);
  std::string large(10 << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 % 251);
  EXPECT_EQ(client.append_batch({{{}, large}, {{}, "small"}}), "OK");
  ASSERT_EQ(ingest.bodies().size(), 2u);
  EXPECT_TRUE(ingest.bodies()[0] == large);
}

TEST_P(ThriftProtocolTest, AnswersAfterTheReceiptAndInOrder) {
  start();
  ingest.hold();
  ThriftTestClient client(port, compact);
  std::vector<std::string> bodies;
  for (int i = 0; i < 70; ++i) bodies.push_back(std::to_string(i));
  for (const std::string& body : bodies) client.send(client.bytes().append({{}, body}, client.next()));
  ASSERT_TRUE(ingest.wait_for_deliveries(64));
  EXPECT_EQ(ingest.deliveries(), 64u) << "more than the pipeline";
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 0);
  ingest.release();
  for (int i = 0; i < 70; ++i) EXPECT_EQ(client.answer(), "OK");
  EXPECT_EQ(ingest.bodies(), bodies);
}

TEST_P(ThriftProtocolTest, SaysFailedWhenTheChannelIsFull) {
  start();
  ingest.answer_with({Code::full, "channel c1 is full"});
  ThriftTestClient client(port, compact);
  EXPECT_EQ(client.append({{}, "a"}), "FAILED");
  EXPECT_EQ(client.append_batch({{{}, "a"}}), "FAILED");
  ingest.answer_with({});
  EXPECT_EQ(client.append({{}, "b"}), "OK") << "without a window each request stands for itself";
  EXPECT_THAT(ingest.bodies(), ElementsAre("b"));
  EXPECT_EQ(env.count(counter_names::kEventReceived), 3);
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 1);
  EXPECT_TRUE(env.log.contains("channel c1 is full"));
}

TEST_P(ThriftProtocolTest, ABadEventIsAnErrorOfTheCall) {
  start();
  ingest.refuse("bad");
  ThriftTestClient client(port, compact);
  EXPECT_THAT(client.append({{}, "bad"}), StartsWith("error 6: "));
  EXPECT_THAT(client.append_batch({{{}, "bad"}}), StartsWith("error 6: "));
  EXPECT_EQ(client.append({{}, "good"}), "OK");
}

TEST_P(ThriftProtocolTest, GrantsAWindowAndRefusesWhatIsBehindAFailure) {
  start();
  ThriftTestClient client(port, compact);
  EXPECT_EQ(client.ask_window(100), "64");
  EXPECT_EQ(client.append({{}, "first"}), "OK");
  ingest.answer_with({Code::full, "no room"});
  EXPECT_EQ(client.append({{}, "a"}), "FAILED");
  ingest.answer_with({});
  EXPECT_EQ(client.append({{}, "b"}), "FAILED") << "it would overtake a";
  ThriftTestClient again(port, compact);
  EXPECT_EQ(again.ask_window(2), "2");
  EXPECT_EQ(again.append_batch({{{}, "a"}, {{}, "b"}}), "OK");
  EXPECT_THAT(ingest.bodies(), ElementsAre("first", "a", "b"));
}

TEST_P(ThriftProtocolTest, SaysThatItDoesNotKnowAMethod) {
  start();
  ThriftTestClient client(port, compact);
  client.send(bytes.head(1, "remove", client.next()) + bytes.field(1, 0, 8) + bytes.number(7) + '\0');
  EXPECT_EQ(client.answer(), "error 1: no such method: remove");
  EXPECT_EQ(client.append({{}, "a"}), "OK");
}

TEST_P(ThriftProtocolTest, DoesNotAnswerAOneWayCall) {
  start();
  ThriftTestClient client(port, compact);
  client.raw().send(ThriftBytes::frame(bytes.append({{}, "a"}, 1, 4)));
  client.raw().send(ThriftBytes::frame(bytes.head(4, "remove", 2) + '\0'));
  EXPECT_EQ(client.append({{}, "b"}), "OK") << "it has the serial of its own call";
  EXPECT_THAT(ingest.bodies(), ElementsAre("a", "b"));
}

TEST_P(ThriftProtocolTest, SkipsFieldsThatItDoesNotKnow) {
  start();
  ThriftTestClient client(port, compact);
  const std::string unknown = bytes.field(3, 2, 12) + bytes.field(1, 0, 8) + bytes.number(1) + bytes.field(5, 1, 13) +
                              bytes.headers({{"a", "b"}}) + std::string(1, '\0');
  const std::string event = bytes.event({{{"k", "v"}}, "body"});
  client.send(bytes.head(1, "append", client.next()) + bytes.field(1, 0, 12) + event.substr(0, event.size() - 1) +
              unknown + std::string(2, '\0'));
  EXPECT_EQ(client.answer(), "OK");
  EXPECT_THAT(ingest.headers(), ElementsAre(Headers{{"k", "v"}}));
}

TEST_P(ThriftProtocolTest, SaysWhatIsMissing) {
  start();
  ThriftTestClient client(port, compact);
  client.send(bytes.head(1, "append", client.next()) + '\0');
  EXPECT_THAT(client.answer(), StartsWith("error 7: the call has no event"));
  client.send(bytes.head(1, "appendBatch", client.next()) + '\0');
  EXPECT_THAT(client.answer(), StartsWith("error 7: the call has no list of events"));
  client.send(bytes.head(1, "append", client.next()) + bytes.field(1, 0, 12) + bytes.field(2, 0, 11) +
              bytes.text("body") + std::string(2, '\0'));
  EXPECT_THAT(client.answer(), StartsWith("error 7: the call has no headers"));
  EXPECT_EQ(client.append({{}, "a"}), "OK");
  EXPECT_EQ(env.count(counter_names::kEventReceived), 1);
}

// -- hostile peers ----------------------------------------------------------------------------------------------------

struct Hostile {
  const char* name;
  std::string bytes;
  const char* said;
};

class ThriftHostileTest : public ThriftSourceTest, public ::testing::WithParamInterface<Hostile> {};

TEST_P(ThriftHostileTest, IsDisconnectedAndHarmsNobody) {
  start();
  ThriftTestClient good(port);
  EXPECT_EQ(good.append({{}, "before"}), "OK");
  testing::TcpClient bad(port);
  bad.send(GetParam().bytes);
  EXPECT_EQ(bad.rest(), "");
  EXPECT_TRUE(env.log.contains(GetParam().said)) << ::testing::PrintToString(env.log.lines());
  EXPECT_EQ(good.append({{}, "after"}), "OK");
  EXPECT_THAT(ingest.bodies(), ElementsAre("before", "after"));
  EXPECT_GE(env.count(counter_names::kEventReadFail), 1);
  EXPECT_TRUE(testing::eventually([&] { return env.budget.used() == 0; }));
}

const ThriftBytes kCompact(true);
const ThriftBytes kBinary(false);

std::string batch_head() { return kCompact.head(1, "appendBatch", 1) + kCompact.field(1, 0, 15); }

/// A structure in a structure, so many times, in a field that nobody knows.
std::string nested(std::size_t depth) {
  return kCompact.head(1, "append", 1) + kCompact.field(2, 0, 12) + std::string(depth, '\x1c') +
         std::string(depth + 2, '\0');
}

INSTANTIATE_TEST_SUITE_P(
    Thrift, ThriftHostileTest,
    ::testing::Values(
        Hostile{"TwoGiB", std::string("\x7f\xff\xff\xff\x82\x21", 6), "a Thrift frame of 2147483651 bytes"},
        Hostile{"NoMessage", std::string(4, '\0'), "without a message"},
        Hostile{"Nonsense", ThriftBytes::frame("\x82\x21"), "no Thrift call by the compact protocol"},
        Hostile{"AnAnswer", ThriftBytes::frame(kCompact.head(2, "append", 1) + '\0'), "no Thrift call"},
        Hostile{"NoEvents", ThriftBytes::frame(kCompact.head(1, "append", 1) + "\x1c\x1b\x05"), "no Flume events"},
        Hostile{"ManyHeaders",
                ThriftBytes::frame(kCompact.head(1, "append", 1) + kCompact.field(1, 0, 12) + kCompact.field(1, 0, 13) +
                                   kCompact.count(40'000) + '\x88' + std::string(100'000, '\0')),
                "more than 16384 headers"},
        Hostile{"ManyEvents",
                ThriftBytes::frame(batch_head() + '\xfc' + kCompact.count(1'100'000) + std::string(1'200'000, '\0')),
                "more than 1048576 events"},
        Hostile{"ClaimedEvents", ThriftBytes::frame(batch_head() + '\xfc' + kCompact.count(1'000'000)),
                "no Flume events"},
        Hostile{"ClaimedBody",
                ThriftBytes::frame(kCompact.head(1, "append", 1) + kCompact.field(1, 0, 12) + kCompact.field(2, 0, 11) +
                                   kCompact.count(2'000'000'000)),
                "no Flume events"},
        Hostile{"Nested", ThriftBytes::frame(nested(100'000)), "no Flume events"},
        Hostile{"Tls", std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\x70", 12), "it speaks TLS: set ssl"},
        Hostile{"OtherProtocol", ThriftBytes::frame(kBinary.append({{}, "a"}, 1)),
                "it speaks the binary protocol: set protocol alike on both sides"},
        Hostile{"Unframed", kBinary.append({{}, "a"}, 1), "it speaks Thrift without frames"},
        Hostile{"Avro", std::string("\0\0\0\1\0\0\0\2\0\0\0\x2e\x86\xaa\xda\xe2", 16), "it may speak Avro"},
        Hostile{"Http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "it speaks HTTP"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(ThriftSourceTest, SaysThatAPeerSpeaksTheCompactProtocol) {
  start({{"protocol", "binary"}});
  EXPECT_EQ(ThriftTestClient(port).append({{}, "a"}), "");
  EXPECT_TRUE(env.log.contains("it speaks the compact protocol: set protocol alike on both sides"));
}

TEST_F(ThriftSourceTest, StructuresMayBeNestedAsDeeplyAsInJava) {
  start();
  ThriftTestClient client(port);
  client.raw().send(ThriftBytes::frame(nested(60)));
  EXPECT_EQ(client.raw().bytes(4).size(), 4u) << "an answer: there was no event";
}

TEST_F(ThriftSourceTest, DisconnectsWhoStopsHalfWay) {
  start({{"request-timeout", "20"}});
  testing::TcpClient slow(port);
  slow.send(ThriftBytes::frame(kCompact.append({{}, "hello"}, 1)).substr(0, 10));
  EXPECT_EQ(slow.rest(), "");
  EXPECT_TRUE(env.log.contains("stopped in the middle of a request"));
  ThriftTestClient silent(port);  // nobody must send anything
  EXPECT_EQ(silent.append({{}, "a"}), "OK");
  testing::TcpClient other(port);
  other.send("x");
  EXPECT_EQ(other.rest(), "") << "another one is swept away";
  EXPECT_EQ(silent.append({{}, "b"}), "OK");
}

TEST_F(ThriftSourceTest, KeepsToItsLimitOfARequest) {
  start({{"max-request-bytes", "1000"}});
  ThriftTestClient client(port);
  EXPECT_EQ(client.append({{}, std::string(800, 'x')}), "OK");
  EXPECT_EQ(client.append({{}, std::string(1000, 'x')}), "");
  EXPECT_TRUE(env.log.contains("the limit is 1000"));
}

TEST_F(ThriftSourceTest, HoldsBackAClientWhoseEventsFindNoRoom) {
  start();
  ingest.hold();
  ThriftTestClient client(port);
  const std::string call =
      ThriftBytes::frame(kCompact.append_batch(std::vector<SentEvent>(100, SentEvent{{}, std::string(500, 'x')}), 1));
  constexpr int kRequests = 400;  // 20 MB: more than sockets and pipeline hold
  auto sending = std::async(std::launch::async, [&] {
    for (int i = 0; i < kRequests; ++i) client.raw().send(call);
  });
  ASSERT_TRUE(ingest.wait_for_deliveries(64));
  EXPECT_EQ(sending.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  EXPECT_LT(env.budget.used(), 8u << 20);
  EXPECT_EQ(ingest.deliveries(), 64u);
  ingest.release();
  constexpr std::size_t kAnswer = 4 + 4 + 11 + 4;  // frame, head, name, result
  EXPECT_EQ(client.raw().bytes(kAnswer * kRequests).size(), kAnswer * kRequests);
  sending.get();
  EXPECT_EQ(ingest.bodies().size(), 100u * kRequests);
}

TEST_F(ThriftSourceTest, TakesAFloodOfSmallRequests) {
  start();
  ThriftTestClient client(port);
  std::string calls;
  constexpr std::uint32_t kCalls = 20'000;
  for (std::uint32_t i = 0; i < kCalls; ++i) {
    calls += ThriftBytes::frame(kCompact.append({{}, std::to_string(i)}, client.next() + i));
  }
  auto sending = std::async(std::launch::async, [&] { client.raw().send(calls); });
  for (std::uint32_t i = 0; i < kCalls; ++i) ASSERT_EQ(client.answer(), "OK");
  sending.get();
  ASSERT_EQ(ingest.bodies().size(), kCalls);
  EXPECT_EQ(ingest.bodies().back(), std::to_string(kCalls - 1));
}

TEST_F(ThriftSourceTest, WaitsForMemory) {
  start();
  env.budget.force_charge(env.budget.limit());
  ThriftTestClient client(port);
  client.send(kCompact.append({{}, "a"}, client.next()));
  env.budget.release(env.budget.limit());
  EXPECT_EQ(client.answer(), "OK");
}

TEST_F(ThriftSourceTest, IdleConnectionsHoldNoBuffers) {
  start();
  std::vector<std::unique_ptr<ThriftTestClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<ThriftTestClient>(port));
    ASSERT_EQ(clients.back()->append({{}, "x"}), "OK");
  }
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 100);
  EXPECT_TRUE(testing::eventually([&] { return env.budget.used() == 0; }));
}

// -- stopping ---------------------------------------------------------------------------------------------------------

TEST_F(ThriftSourceTest, StopsInAnyState) {
  start();
  source->stop();
  source->stop();
  start();
  ingest.hold();
  ThriftTestClient client(port);
  client.send(kCompact.append({{}, "a"}, client.next()));
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  source->stop();  // the receipt never came: the client hears nothing
  EXPECT_EQ(client.answer(), "");
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 0);
  ingest.release();
}

TEST_F(ThriftSourceTest, AnswersWhatWasHandedOverBeforeItStops) {
  start();
  ingest.hold();
  ThriftTestClient client(port);
  client.send(kCompact.append({{}, "a"}, client.next()));
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  auto stopping = std::async(std::launch::async, [this] { source->stop(); });
  ingest.release();
  EXPECT_EQ(client.answer(), "OK");
  stopping.get();
}

TEST_F(ThriftSourceTest, SaysWhatItCantDo) {
  EXPECT_THAT(make({{"kerberos", "true"}}).status().message(), HasSubstr("kerberos = true"));
  EXPECT_THAT(make({{"ssl", "true"}}).status().message(), HasSubstr("needs a keystore"));
  EXPECT_THAT(make({{"ssl", "true"}, {"keystore", "/no/such/store"}}).status().message(),
              HasSubstr("/no/such/store: it can't be read"));
  start({{"protocol", "Binary"}});
  EXPECT_TRUE(env.log.contains("protocol = Binary means compact"));
  EXPECT_EQ(ThriftTestClient(port).append({{}, "a"}), "OK");
}

}  // namespace
}  // namespace standpipe

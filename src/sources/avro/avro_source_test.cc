#include "sources/avro/avro_source.h"

#include <gmock/gmock.h>

#include <future>

#include "net/network.h"
#include "rpc/avro/protocol.h"
#include "support/avro_client.h"
#include "support/engine_parts.h"
#include "support/recording_ingest.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using testing::AvroTestClient;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SentEvent;
namespace avro_bytes = testing::avro_bytes;

class AvroSourceTest : public ::testing::Test {
 protected:
  AvroSourceTest() { env.environment.network = network.get(); }

  Result<std::unique_ptr<Source>> make(Settings::Map values) {
    values.emplace("bind", "127.0.0.1");
    values.emplace("port", "0");
    TRY_ASSIGN(const Settings settings, Settings::parse(*kAvroSource.info, std::move(values)));
    return kAvroSource.create(settings, env.environment);
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

TEST_F(AvroSourceTest, TakesEventsAndBatches) {
  start();
  AvroTestClient client(port);
  EXPECT_EQ(client.append({{{"k", "v"}}, "hello"}), "OK");
  EXPECT_EQ(client.append_batch({{{}, "one"}, {{{"größe", "日本"}}, ""}, {{}, std::string(3, '\0')}}), "OK");
  EXPECT_EQ(client.append_batch({}), "OK");
  EXPECT_EQ(client.granted(), "");
  EXPECT_THAT(ingest.bodies(), ElementsAre("hello", "one", "", std::string(3, '\0')));
  EXPECT_THAT(ingest.headers(), ElementsAre(Headers{{"k", "v"}}, Headers{}, Headers{{"größe", "日本"}}, Headers{}));
  EXPECT_EQ(env.count(counter_names::kEventReceived), 4);
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 4);
  EXPECT_EQ(env.count(counter_names::kAppendReceived), 1);
  EXPECT_EQ(env.count(counter_names::kAppendAccepted), 1);
  EXPECT_EQ(env.count(counter_names::kAppendBatchReceived), 2);
  EXPECT_EQ(env.count(counter_names::kAppendBatchAccepted), 2);
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 1);
}

TEST_F(AvroSourceTest, TakesLargeBodiesThatArriveInPieces) {
  start();
  AvroTestClient client(port);
  std::string large(10 << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 % 251);
  EXPECT_EQ(client.append_batch({{{}, large}, {{}, "small"}, {{}, large}}), "OK");
  ASSERT_EQ(ingest.bodies().size(), 3u);
  EXPECT_TRUE(ingest.bodies()[0] == large);
  EXPECT_TRUE(ingest.bodies()[2] == large);
}

TEST_F(AvroSourceTest, AnswersAfterTheReceiptAndInOrder) {
  start();
  ingest.hold();
  AvroTestClient client(port);
  for (const char* body : {"a", "b", "c", "d", "e", "f"}) client.send(avro_bytes::append({{}, body}));
  ASSERT_TRUE(ingest.wait_for_deliveries(4));
  EXPECT_EQ(ingest.deliveries(), 4u) << "more than the pipeline";
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 0);
  ingest.release();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(client.answer(), "OK");
  EXPECT_THAT(ingest.bodies(), ElementsAre("a", "b", "c", "d", "e", "f"));
}

TEST_F(AvroSourceTest, SaysFailedWhenTheChannelIsFull) {
  start();
  ingest.answer_with({Code::full, "channel c1 is full"});
  AvroTestClient client(port);
  EXPECT_EQ(client.append({{}, "a"}), "FAILED");
  EXPECT_EQ(client.append_batch({{{}, "a"}}), "FAILED");
  ingest.answer_with({});
  EXPECT_EQ(client.append({{}, "b"}), "OK") << "without a window each request stands for itself";
  EXPECT_THAT(ingest.bodies(), ElementsAre("b"));
  EXPECT_EQ(env.count(counter_names::kEventReceived), 3);
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 1);
  EXPECT_TRUE(env.log.contains("channel c1 is full"));
}

TEST_F(AvroSourceTest, ABadEventIsAnErrorOfAppendAndAFailureOfABatch) {
  start();
  ingest.refuse("bad");
  AvroTestClient client(port);
  EXPECT_THAT(client.append({{}, "bad"}), ::testing::StartsWith("error: "));
  EXPECT_EQ(client.append_batch({{{}, "bad"}}), "FAILED");
  EXPECT_EQ(client.append({{}, "good"}), "OK");
}

TEST_F(AvroSourceTest, GrantsAWindowAndRefusesWhatIsBehindAFailure) {
  start();
  AvroTestClient client(port, 100);
  EXPECT_EQ(client.append({{}, "first"}), "OK");
  EXPECT_EQ(client.granted(), "8");
  ingest.answer_with({Code::full, "no room"});
  EXPECT_EQ(client.append({{}, "a"}), "FAILED");
  ingest.answer_with({});
  EXPECT_EQ(client.append({{}, "b"}), "FAILED") << "it would overtake a";
  AvroTestClient again(port, 1);
  EXPECT_EQ(again.append_batch({{{}, "a"}, {{}, "b"}}), "OK");
  EXPECT_EQ(again.granted(), "1");
  EXPECT_THAT(ingest.bodies(), ElementsAre("first", "a", "b"));
}

// -- handshakes -------------------------------------------------------------------------------------------------------

/// A handshake by an unknown hash, with or without the protocol's text, and a call behind it.
std::string foreign(std::string_view text, std::string_view call) {
  const std::string protocol = text.empty() ? avro_bytes::number(0) : avro_bytes::number(1) + avro_bytes::text(text);
  return std::string(16, 'x') + protocol + std::string(16, 'y') + avro_bytes::number(0) + std::string(call);
}

TEST_F(AvroSourceTest, AsksForAProtocolThatItDoesNotKnow) {
  start();
  const std::string call = avro_bytes::append({{}, "hello"});
  testing::TcpClient client(port);
  client.send(avro_bytes::frame(1, foreign("", call)));
  const std::string ours = "\x02" + avro_bytes::text(avro::kSourceProtocolText) + "\x02" +
                           std::string(avro::kSourceProtocolHash.data(), 16) + std::string(1, '\0');
  const std::string none = avro_bytes::frame(1, "\x04" + ours);
  EXPECT_EQ(client.bytes(none.size()), none);
  EXPECT_THAT(ingest.bodies(), IsEmpty());
  client.send(avro_bytes::frame(2, foreign(avro::kSourceProtocolText, call)));
  const std::string taken = avro_bytes::frame(2, "\x02" + ours + std::string(3, '\0'));
  EXPECT_EQ(client.bytes(taken.size()), taken);
  client.send(avro_bytes::frame(3, call));
  EXPECT_EQ(client.bytes(15), avro_bytes::frame(3, std::string(3, '\0'))) << "no second handshake";
  EXPECT_THAT(ingest.bodies(), ElementsAre("hello", "hello"));

  testing::TcpClient later(port);  // another connection need not send it
  later.send(avro_bytes::frame(1, foreign("", call)));
  EXPECT_EQ(later.bytes(taken.size()), avro_bytes::frame(1, "\x02" + ours + std::string(3, '\0')));
}

TEST_F(AvroSourceTest, RefusesAProtocolThatDoesNotFit) {
  start();
  testing::TcpClient client(port);
  client.send(avro_bytes::frame(1, foreign(R"({"protocol":"Mail"})", avro_bytes::append({{}, "hello"}))));
  EXPECT_THAT(client.rest(), ::testing::HasSubstr("it is not AvroSourceProtocol"));
  EXPECT_TRUE(env.log.contains("does not fit"));
}

TEST_F(AvroSourceTest, AnswersAPingAndAnUnknownMethod) {
  start();
  testing::TcpClient client(port);
  client.send(avro_bytes::frame(1, avro_bytes::handshake() + avro_bytes::number(0) + avro_bytes::text("")));
  EXPECT_EQ(client.bytes(16), avro_bytes::frame(1, std::string(4, '\0')));
  client.send(avro_bytes::frame(2, avro_bytes::number(0) + avro_bytes::text("remove")));
  client.finish();
  EXPECT_THAT(client.rest(), ::testing::HasSubstr("no such method: remove"));
}

// -- hostile peers ----------------------------------------------------------------------------------------------------

struct Hostile {
  const char* name;
  std::string bytes;
  const char* said;
};

class AvroHostileTest : public AvroSourceTest, public ::testing::WithParamInterface<Hostile> {};

TEST_P(AvroHostileTest, IsDisconnectedAndHarmsNobody) {
  start();
  AvroTestClient good(port);
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

std::string first_request(std::string_view call) {
  return avro_bytes::frame(1, avro_bytes::handshake() + std::string(call));
}

INSTANTIATE_TEST_SUITE_P(
    Avro, AvroHostileTest,
    ::testing::Values(
        Hostile{"TwoGiB", std::string("\0\0\0\1\0\0\0\1\x7f\xff\xff\xff", 12), "an Avro frame of 2147483659 bytes"},
        Hostile{"NoBuffer", std::string("\0\0\0\1\0\0\0\0", 8), "without a buffer"},
        Hostile{"NoHandshake", avro_bytes::frame(1, "short"), "no Avro request"},
        Hostile{"NoEvents", first_request(avro_bytes::number(0) + avro_bytes::text("append") + "\x02"),
                "no Flume events"},
        Hostile{"ManyHeaders",
                first_request(avro_bytes::number(0) + avro_bytes::text("append") + avro_bytes::number(1'000'000) +
                              std::string(100'000, '\0')),
                "more than 16384 headers"},
        Hostile{"ManyEvents",
                first_request(avro_bytes::number(0) + avro_bytes::text("appendBatch") + avro_bytes::number(1 << 30)),
                "more than 1048576 events"},
        Hostile{"Tls", std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\x70", 12), "it speaks TLS: set ssl"},
        Hostile{"Deflate", "\x78\x9c\x62\x60\x60\x60\x64\x60\x60\x60\xe4", "set compression-type = deflate"},
        Hostile{"Http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "it speaks HTTP"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(AvroSourceTest, SaysThatAPeerDoesNotCompress) {
  start({{"compression-type", "deflate"}});
  AvroTestClient plain(port);
  EXPECT_EQ(plain.append({{}, "hello"}), "");
  EXPECT_TRUE(env.log.contains("is no deflate stream"));
  EXPECT_TRUE(env.log.contains("set compression-type = deflate on both sides, or on neither"));
}

TEST_F(AvroSourceTest, DisconnectsWhoStopsHalfWay) {
  start({{"request-timeout", "20"}});
  testing::TcpClient slow(port);
  slow.send(first_request(avro_bytes::append({{}, "hello"})).substr(0, 30));
  EXPECT_EQ(slow.rest(), "");
  EXPECT_TRUE(env.log.contains("stopped in the middle of a request"));
  AvroTestClient silent(port);  // nobody must send anything
  EXPECT_EQ(silent.append({{}, "a"}), "OK");
  testing::TcpClient other(port);
  other.send("x");
  EXPECT_EQ(other.rest(), "") << "another one is swept away";
  EXPECT_EQ(silent.append({{}, "b"}), "OK");
}

TEST_F(AvroSourceTest, KeepsToItsLimitOfARequest) {
  start({{"max-request-bytes", "1000"}});
  AvroTestClient client(port);
  EXPECT_EQ(client.append({{}, std::string(800, 'x')}), "OK");
  EXPECT_EQ(client.append({{}, std::string(1000, 'x')}), "");
  EXPECT_TRUE(env.log.contains("the limit is 1000"));
}

TEST_F(AvroSourceTest, HoldsBackAClientWhoseEventsFindNoRoom) {
  start();
  ingest.hold();
  AvroTestClient client(port);
  const std::string call = avro_bytes::append_batch(std::vector<SentEvent>(100, SentEvent{{}, std::string(500, 'x')}));
  constexpr int kRequests = 400;  // 20 MB: more than sockets and pipeline hold
  auto sending = std::async(std::launch::async, [&] {
    for (int i = 0; i < kRequests; ++i) client.send(call);
  });
  ASSERT_TRUE(ingest.wait_for_deliveries(4));
  EXPECT_EQ(sending.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  EXPECT_LT(env.budget.used(), 4u << 20);
  EXPECT_EQ(ingest.deliveries(), 4u);
  ingest.release();
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(client.answer(), "OK");
  sending.get();
  EXPECT_EQ(ingest.bodies().size(), 100u * kRequests);
}

TEST_F(AvroSourceTest, WaitsForMemory) {
  start();
  env.budget.force_charge(env.budget.limit());
  AvroTestClient client(port);
  client.send(avro_bytes::append({{}, "a"}));
  env.budget.release(env.budget.limit());
  EXPECT_EQ(client.answer(), "OK");
}

TEST_F(AvroSourceTest, IdleConnectionsHoldNoBuffers) {
  start();
  std::vector<std::unique_ptr<AvroTestClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<AvroTestClient>(port));
    ASSERT_EQ(clients.back()->append({{}, "x"}), "OK");
  }
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 100);
  EXPECT_TRUE(testing::eventually([&] { return env.budget.used() == 0; }));
}

// -- stopping ---------------------------------------------------------------------------------------------------------

TEST_F(AvroSourceTest, StopsInAnyState) {
  start();
  source->stop();
  source->stop();
  start();
  ingest.hold();
  AvroTestClient client(port);
  client.send(avro_bytes::append({{}, "a"}));
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  source->stop();  // the receipt never came: the client hears nothing
  EXPECT_EQ(client.answer(), "");
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 0);
  ingest.release();
}

TEST_F(AvroSourceTest, AnswersWhatWasHandedOverBeforeItStops) {
  start();
  ingest.hold();
  AvroTestClient client(port);
  client.send(avro_bytes::append({{}, "a"}));
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  auto stopping = std::async(std::launch::async, [this] { source->stop(); });
  ingest.release();
  EXPECT_EQ(client.answer(), "OK");
  stopping.get();
}

// -- who may connect --------------------------------------------------------------------------------------------------

TEST_F(AvroSourceTest, RulesDecideWhoMayConnect) {
  start({{"ipFilter", "true"}, {"ipFilterRules", "deny:ip:127.0.0.1,allow:ip:*"}});
  AvroTestClient denied(port);
  EXPECT_EQ(denied.append({{}, "hello"}), "");
  EXPECT_TRUE(env.log.contains("ipFilterRules deny it"));
  source->stop();
  start({{"ipFilter", "true"}, {"ipFilterRules", "allow:name:localhost, deny:ip:*"}});
  AvroTestClient allowed(port);
  EXPECT_EQ(allowed.append({{}, "hello"}), "OK");
}

TEST_F(AvroSourceTest, SaysWhatIsWrongWithFiltersAndKeys) {
  EXPECT_THAT(make({{"ipFilter", "true"}}).status().message(), ::testing::HasSubstr("ipFilterRules"));
  EXPECT_THAT(make({{"ipFilter", "true"}, {"ipFilterRules", "maybe:ip:*"}}).status().message(),
              ::testing::HasSubstr("'maybe:ip:*'"));
  EXPECT_THAT(make({{"ssl", "true"}}).status().message(), ::testing::HasSubstr("needs a keystore"));
  EXPECT_THAT(make({{"ssl", "true"}, {"keystore", "/no/such/store"}}).status().message(),
              ::testing::HasSubstr("/no/such/store: it can't be read"));
}

}  // namespace
}  // namespace standpipe

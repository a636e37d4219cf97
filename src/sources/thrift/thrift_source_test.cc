#include "sources/thrift/thrift_source.h"

#include <gmock/gmock.h>

#include "support/listening_source_test.h"
#include "support/thrift_client.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::ThriftBytes;
using testing::ThriftTestClient;

class ThriftSourceTest : public testing::ListeningSourceTest {
 protected:
  ThriftSourceTest() : ListeningSourceTest(kThriftSource) {}
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

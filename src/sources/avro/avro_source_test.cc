#include <gmock/gmock.h>

#include "net/name_lookup.h"
#include "rpc/avro/event_encoder.h"
#include "rpc/avro/link.h"
#include "rpc/avro/protocol.h"
#include "support/avro_source_fixture.h"
#include "support/patience.h"
#include "support/test_outlet.h"

namespace standpipe {
namespace {

using testing::AvroSourceTest;
using testing::AvroTestClient;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace avro_bytes = testing::avro_bytes;

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
  AvroTestClient other(port);
  EXPECT_EQ(other.append({{}, "zero"}), "OK");
  EXPECT_EQ(other.granted(), "") << "it is no client of ours";
  AvroTestClient client(port, 100);
  EXPECT_EQ(client.append({{}, "first"}), "OK");
  EXPECT_EQ(client.granted(), "64");
  ingest.answer_with({Code::full, "no room"});
  EXPECT_EQ(client.append({{}, "a"}), "FAILED");
  ingest.answer_with({});
  EXPECT_EQ(client.append({{}, "b"}), "FAILED") << "it would overtake a";
  AvroTestClient again(port, 1);
  EXPECT_EQ(again.append_batch({{{}, "a"}, {{}, "b"}}), "OK");
  EXPECT_EQ(again.granted(), "1");
  EXPECT_THAT(ingest.bodies(), ElementsAre("zero", "first", "a", "b"));
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

TEST_F(AvroSourceTest, SaysThatRulesWithoutTheFilterKeepNobodyOut) {
  start({{"ipFilterRules", "deny:ip:*"}});
  EXPECT_TRUE(env.log.contains("ipFilterRules count only with ipFilter = true"));
  AvroTestClient anybody(port);
  EXPECT_EQ(anybody.append({{}, "hello"}), "OK");
}

TEST_F(AvroSourceTest, APeersNameIsLookedUpWhereARuleAsks) {
  // What the machine calls itself; a peer without a name goes by its address.
  const std::string name = NameLookup::ask_system("127.0.0.1");
  const std::string rule = "name:" + (name.empty() ? "127.0." : name.substr(0, 3)) + "*";
  start({{"ipFilter", "true"}, {"ipFilterRules", "allow:" + rule + ", deny:ip:*"}});
  AvroTestClient allowed(port);
  EXPECT_EQ(allowed.append({{}, "hello"}), "OK");
  AvroTestClient known(port);
  EXPECT_EQ(known.append({{}, "hello"}), "OK");
  source->stop();
  start({{"ipFilter", "true"}, {"ipFilterRules", "deny:" + rule + ", allow:ip:*"}});
  AvroTestClient denied(port);
  EXPECT_EQ(denied.append({{}, "hello"}), "");
  EXPECT_TRUE(env.log.contains("ipFilterRules deny it"));
}

// -- TLS --------------------------------------------------------------------------------------------------------------

/// Sends one event by our own client; what was answered, "ok" or why not.
std::string send_one(Network& network, avro::LinkOptions options, const std::string& body) {
  SystemClock clock;
  MemoryBudget budget{64 << 20};
  avro::Link link(network, std::move(options), [] {});
  link.open();
  const auto deadline = clock.steady_now() + testing::kPatience;
  while (link.view().phase == avro::Link::Phase::connecting) link.wait_for_news(clock, deadline);
  testing::TestOutlet outlet;
  outlet.put(body);
  const Lease lease = outlet.take(1).value();
  link.send(1, avro::encode_batch(lease, avro::measure_batch(lease, 1 << 20), 1, budget, true));
  link.flush();
  while (clock.steady_now() < deadline) {
    for (const avro::Link::Answer& answer : link.take_answers()) return answer.status.to_string();
    const avro::Link::View view = link.view();
    if (view.phase == avro::Link::Phase::failed) return view.failure.to_string();
    link.wait_for_news(clock, deadline);
  }
  return "no answer";
}

const std::string kStores = STANDPIPE_STORES;

TEST_F(AvroSourceTest, TellsTheOrderOfTlsAndDeflateByItself) {
  start({{"ssl", "true"},
         {"keystore", kStores + "/server.jks"},
         {"keystore-password", "changeit"},
         {"compression-type", "deflate"}});
  avro::LinkOptions options{{"127.0.0.1", port, testing::kPatience}};
  options.tls = TlsContext::client({.trusted = {kStores + "/trusted.jks", "changeit"}}).value();
  options.deflate_level = 6;
  options.deflate_outside_tls = true;
  EXPECT_EQ(send_one(*network, options, "as Flume 1.11"), "ok");
  options.deflate_outside_tls = false;
  EXPECT_EQ(send_one(*network, options, "as Flume 1.9"), "ok");
  options.tls = nullptr;
  EXPECT_NE(send_one(*network, options, "without TLS"), "ok");
  EXPECT_THAT(ingest.bodies(), ElementsAre("as Flume 1.11", "as Flume 1.9"));
}

TEST_F(AvroSourceTest, WantsACertificateOfItsClients) {
  start({{"ssl", "true"},
         {"keystore", kStores + "/server.p12"},
         {"keystore-password", "changeit"},
         {"need-client-auth", "true"},
         {"truststore", kStores + "/client-trusted.jks"},
         {"truststore-password", "changeit"}});
  avro::LinkOptions options{{"127.0.0.1", port, testing::kPatience}};
  const KeyStore trusted{kStores + "/trusted.jks", "changeit"};
  options.tls = TlsContext::client({.trusted = trusted, .keys = {kStores + "/client.jks", "changeit"}}).value();
  EXPECT_EQ(send_one(*network, options, "known"), "ok");
  options.tls = TlsContext::client({.trusted = trusted, .keys = {kStores + "/server.jks", "changeit"}}).value();
  EXPECT_THAT(send_one(*network, options, "stranger"), ::testing::HasSubstr("refuses TLS"));
  EXPECT_TRUE(env.log.contains("is not trusted"));
  EXPECT_THAT(ingest.bodies(), ElementsAre("known"));
}

TEST_F(AvroSourceTest, SaysWhatIsWrongWithFiltersAndKeys) {
  EXPECT_THAT(make({{"ipFilter", "true"}}).status().message(), ::testing::HasSubstr("ipFilterRules"));
  EXPECT_THAT(make({{"ipFilter", "true"}, {"ipFilterRules", "maybe:ip:*"}}).status().message(),
              ::testing::HasSubstr("'maybe:ip:*'"));
  EXPECT_THAT(make({{"ssl", "true"}}).status().message(), ::testing::HasSubstr("needs a keystore"));
  EXPECT_THAT(make({{"ssl", "true"}, {"keystore", kStores + "/server.jks"}}).status().message(),
              ::testing::HasSubstr("its key can't be opened without a password"));
  EXPECT_THAT(make({{"ssl", "true"},
                    {"keystore", kStores + "/server.jks"},
                    {"keystore-password", "changeit"},
                    {"need-client-auth", "true"}})
                  .status()
                  .message(),
              ::testing::HasSubstr("needs a truststore"));
  EXPECT_THAT(make({{"ssl", "true"}, {"keystore", "/no/such/store"}}).status().message(),
              ::testing::HasSubstr("/no/such/store: it can't be read"));
}

}  // namespace
}  // namespace standpipe

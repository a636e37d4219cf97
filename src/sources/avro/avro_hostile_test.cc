// Clients that are slow, greedy or mean: each is told from the others, costs little, and harms nobody else.

#include <sys/socket.h>
#include <zlib.h>

#include <fstream>
#include <future>

#include "support/avro_source_fixture.h"

namespace standpipe {
namespace {

using testing::AvroSourceTest;
using testing::AvroTestClient;
using ::testing::ElementsAre;
using testing::SentEvent;
using testing::TcpClient;
namespace avro_bytes = testing::avro_bytes;

std::string first_request(std::string_view call, std::int32_t serial = 1) {
  return avro_bytes::frame(serial, avro_bytes::handshake() + std::string(call));
}

/// Bytes of memory that the process has now; 0 where a sanitizer keeps what was freed.
std::size_t resident() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0;
#else
  std::size_t all = 0;
  std::size_t present = 0;
  std::ifstream("/proc/self/statm") >> all >> present;
  return present * 4096;
#endif
}

// -- one look is enough -----------------------------------------------------------------------------------------------

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
  TcpClient bad(port);
  bad.send(GetParam().bytes);
  EXPECT_EQ(bad.rest(), "");
  EXPECT_TRUE(env.log.contains(GetParam().said)) << ::testing::PrintToString(env.log.lines());
  EXPECT_EQ(good.append({{}, "after"}), "OK");
  EXPECT_THAT(ingest.bodies(), ElementsAre("before", "after"));
  EXPECT_GE(env.count(counter_names::kEventReadFail), 1);
  EXPECT_TRUE(testing::eventually([&] { return env.budget.used() == 0; }));
}

INSTANTIATE_TEST_SUITE_P(
    Avro, AvroHostileTest,
    ::testing::Values(
        Hostile{"TwoGiB", std::string("\0\0\0\1\0\0\0\1\x7f\xff\xff\xff", 12), "an Avro frame of 2147483659 bytes"},
        Hostile{"NoBuffer", std::string("\0\0\0\1\0\0\0\0", 8), "without a buffer"},
        Hostile{"EndlessList", std::string("\0\0\0\1\x80\0\0\0\0\0\0\0", 12), "an Avro frame of 8589934600 bytes"},
        Hostile{"EmptyMessage", avro_bytes::frame(1, ""), "no Avro request"},
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

TEST_F(AvroSourceTest, AMillionRealHeadersAreRefused) {
  start();
  std::string event = avro_bytes::number(16'000);
  for (int i = 0; i < 16'000; ++i) event += avro_bytes::text(std::to_string(i)) + avro_bytes::text("");
  event += avro_bytes::number(0) + avro_bytes::text("");
  std::string call = avro_bytes::number(0) + avro_bytes::text("appendBatch") + avro_bytes::number(70);
  for (int i = 0; i < 70; ++i) {
    call += event;
    if (i % 2 == 1) call[call.size() - 5] ^= 1;  // not the same ones as before
  }
  TcpClient bad(port);
  bad.send(first_request(call + avro_bytes::number(0)));
  EXPECT_EQ(bad.rest(), "");
  EXPECT_TRUE(env.log.contains("more than 1048576 headers in one request"));
  EXPECT_TRUE(testing::eventually([&] { return env.budget.used() == 0; }));
}

TEST_F(AvroSourceTest, AHandshakeInMidStreamIsNoCall) {
  start();
  AvroTestClient good(port);
  EXPECT_EQ(good.append({{}, "before"}), "OK");
  TcpClient bad(port);
  bad.send(first_request(avro_bytes::append({{}, "first"})) + first_request(avro_bytes::append({{}, "second"}), 2));
  EXPECT_EQ(bad.rest().size(), 19u) << "the answer to the first";
  EXPECT_TRUE(env.log.contains("no Avro request"));
  EXPECT_EQ(good.append({{}, "after"}), "OK");
  EXPECT_THAT(ingest.bodies(), ElementsAre("before", "first", "after"));
}

TEST_F(AvroSourceTest, ASerialMayComeTwice) {
  start();
  TcpClient client(port);
  client.send(first_request(avro_bytes::append({{}, "a"}), 7) + avro_bytes::frame(7, avro_bytes::append({{}, "b"})) +
              avro_bytes::frame(-1, avro_bytes::append({{}, "c"})));
  const std::string ok(3, '\0');
  EXPECT_EQ(client.bytes(19 + 15 + 15),
            avro_bytes::frame(7, std::string(4, '\0') + ok) + avro_bytes::frame(7, ok) + avro_bytes::frame(-1, ok));
  EXPECT_THAT(ingest.bodies(), ElementsAre("a", "b", "c"));
}

TEST_F(AvroSourceTest, SaysThatAPeerDoesNotCompress) {
  start({{"compression-type", "deflate"}});
  AvroTestClient plain(port);
  EXPECT_EQ(plain.append({{}, "hello"}), "");
  EXPECT_TRUE(env.log.contains("is no deflate stream"));
  EXPECT_TRUE(env.log.contains("set compression-type = deflate on both sides, or on neither"));
}

// -- time -------------------------------------------------------------------------------------------------------------

TEST_F(AvroSourceTest, ATlsHandshakeMustComeToAnEnd) {
  start({{"ssl", "true"},
         {"keystore", STANDPIPE_STORES "/server.jks"},
         {"keystore-password", "changeit"},
         {"request-timeout", "20"}});
  TcpClient silent(port);
  TcpClient half(port);
  half.send(std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\x70", 12));
  EXPECT_EQ(half.rest(), "");
  EXPECT_EQ(silent.rest(), "");
  EXPECT_TRUE(env.log.contains("TLS was not agreed upon within 20 ms"));
  EXPECT_TRUE(testing::eventually([&] { return env.count(counter_names::kOpenConnections) == 0; }));
}

/// Handshakes without end, each answered with the protocol's text, by a client that reads nothing.
TEST_F(AvroSourceTest, AnswersThatNobodyReadsArePiledUpNowhere) {
  start({{"request-timeout", "200"}});
  AvroTestClient good(port);
  EXPECT_EQ(good.append({{}, "before"}), "OK");
  const std::size_t before = resident();
  TcpClient deaf(port);
  const std::string unknown =
      std::string(16, 'x') + avro_bytes::number(0) + std::string(16, 'y') + avro_bytes::number(0);
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += avro_bytes::frame(i, unknown);
  std::size_t most = 0;
  bool taken = true;
  for (int i = 0; taken && i < 100; ++i) {  // the answers would be 1.3 GB
    taken = deaf.send(many);
    most = std::max(most, resident());
  }
  EXPECT_FALSE(taken);
  EXPECT_LT(most, before + (48u << 20));
  EXPECT_TRUE(env.log.contains("it has read none of its answers for 200 ms"));
  EXPECT_EQ(good.append({{}, "after"}), "OK");
}

// -- memory -----------------------------------------------------------------------------------------------------------

std::string zipped(const std::string& text) {
  uLongf size = ::compressBound(text.size());
  std::string bytes(size, '\0');
  EXPECT_EQ(::compress2(reinterpret_cast<Bytef*>(bytes.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
                        text.size(), 6),
            Z_OK);
  bytes.resize(size);
  return bytes;
}

TEST_F(AvroSourceTest, ABombIsRefusedOrHeldBack) {
  start({{"compression-type", "deflate"}, {"max-request-bytes", "2000000"}});
  ingest.hold();
  // Each request is as it should be, and a thousand times smaller on the wire.
  const std::string body(1 << 20, '\0');
  std::string requests = first_request(avro_bytes::append({{}, body}));
  for (int i = 2; i < 100; ++i) requests += avro_bytes::frame(i, avro_bytes::append({{}, body}));
  TcpClient many(port);
  many.send(zipped(requests));
  ASSERT_TRUE(ingest.wait_for_deliveries(4));
  EXPECT_TRUE(testing::eventually([&] { return env.budget.used() < 12u << 20; }));
  EXPECT_EQ(ingest.deliveries(), 4u);
  TcpClient zeros(port);
  zeros.send(zipped(std::string(16 << 20, '\0')));
  EXPECT_EQ(zeros.rest(), "");
  EXPECT_TRUE(env.log.contains("without a buffer"));
  TcpClient claims(port);
  claims.send(zipped(std::string("\0\0\0\1\0\0\0\1\x3f\xff\xff\xff", 12) + std::string(16 << 20, '\0')));
  EXPECT_EQ(claims.rest(), "") << "more than max-request-bytes";
  EXPECT_LT(env.budget.used(), 12u << 20);
  ingest.release();
}

TEST_F(AvroSourceTest, WhoHoldsScarceMemoryHalfWayMustComeToAnEnd) {
  start({{"request-timeout", "50"}});
  TcpClient greedy(port);
  const std::string request = first_request(avro_bytes::append({{}, std::string(8 << 20, 'x')}));
  auto trickle = std::async(std::launch::async, [&] {  // fast enough, but it takes its time
    for (std::size_t sent = 0; sent < request.size() && greedy.send(request.substr(sent, 64)); sent += 64) {
    }
  });
  ASSERT_TRUE(testing::eventually([&] { return env.budget.used() > 0; }));
  env.budget.force_charge(env.budget.limit());
  AvroTestClient late(port);
  late.raw().send(late.request(SentEvent{{}, "a"}));
  EXPECT_EQ(late.answer(), "");
  trickle.get();
  EXPECT_TRUE(testing::eventually([&] { return env.budget.used() == env.budget.limit(); })) << "it was let go";
  env.budget.release(env.budget.limit());
  AvroTestClient again(port);
  EXPECT_EQ(again.append({{}, "b"}), "OK");
  EXPECT_THAT(ingest.bodies(), ElementsAre("b"));
}

// -- numbers ----------------------------------------------------------------------------------------------------------

TEST_F(AvroSourceTest, ThousandsComeAndGo) {
  start();
  AvroTestClient good(port);
  const std::size_t before = resident();
  const std::string half = first_request(avro_bytes::append({{}, "x"})).substr(0, 40);
  for (int i = 0; i < 3000; ++i) {
    TcpClient client(port);
    ASSERT_TRUE(client.connected()) << i;
    if (i % 3 == 1) client.send(half);
    if (i % 3 == 2) client.send("GET / HTTP/1.1\r\n\r\n");
    if (i % 100 == 0) {
      ASSERT_EQ(good.append({{}, "good"}), "OK");
    }
  }
  EXPECT_TRUE(testing::eventually([&] { return env.count(counter_names::kOpenConnections) == 1; }));
  EXPECT_TRUE(testing::eventually([&] { return env.budget.used() == 0; }));
  EXPECT_LT(resident(), before + (8u << 20));
  EXPECT_LE(env.log.lines().size(), 3u) << "one line a minute";
  EXPECT_EQ(ingest.bodies().size(), 30u);
}

}  // namespace
}  // namespace standpipe

#include "rpc/avro/message.h"

#include <gtest/gtest.h>

#include "rpc/avro/event_decoder.h"

namespace standpipe::avro {
namespace {

/// The bytes that pairs of hexadecimal digits stand for, with blanks between some of them.
std::string hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    if (digits[i] == ' ') ++i;
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// What Flume's own classes sent and answered on one connection: events with the header k = v and the body hello.
constexpr std::string_view kFirstRequest =
    "86aadae2c45474c0fe93ffd0f2350a65 00 86aadae2c45474c0fe93ffd0f2350a65 0200 00 0c617070656e64 02026b02760"
    "00a68656c6c6f";
constexpr std::string_view kFirstAnswer = "00000000 00 0000";
constexpr std::string_view kBatchRequest =
    "00 16617070656e644261746368 04 02026b0276000a68656c6c6f 02026b0276000a68656c6c6f 00";
constexpr std::string_view kFailedAnswer = "00 0002";

TEST(AvroMessage, ReadsAFirstRequestOfFlumes) {
  const std::string message = hex(kFirstRequest);
  DatumReader reader(message);
  HandshakeRequest handshake;
  ASSERT_TRUE(get_handshake(reader, handshake));
  EXPECT_EQ(handshake.client_hash, kSourceProtocolHash);
  EXPECT_EQ(handshake.server_hash, kSourceProtocolHash);
  EXPECT_FALSE(handshake.client_protocol.has_value());
  EXPECT_EQ(handshake.window, 0u);
  std::string_view method;
  ASSERT_TRUE(get_call(reader, method));
  EXPECT_EQ(method, "append");
  Batch batch;
  EventDecoder decoder;
  ASSERT_TRUE(decoder.append(reader, batch).ok());
  EXPECT_EQ(reader.remaining(), 0u);
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(std::as_const(batch)[0].body, "hello");
  EXPECT_EQ(*std::as_const(batch)[0].headers, (Headers{{"k", "v"}}));
}

TEST(AvroMessage, WritesThatRequestByteForByte) {
  std::string message;
  put_handshake(message, HandshakeRequest{kSourceProtocolHash, {}, kSourceProtocolHash, 0});
  put_call(message, "append");
  put_event(message, Headers{{"k", "v"}}, "hello");
  EXPECT_EQ(message, hex(kFirstRequest));
}

TEST(AvroMessage, WritesAndReadsFlumesAnswers) {
  std::string answer;
  put_handshake(answer, HandshakeResponse{});
  put_answer(answer, RpcStatus::ok);
  EXPECT_EQ(answer, hex(kFirstAnswer));
  DatumReader reader(answer);
  HandshakeResponse handshake;
  ASSERT_TRUE(get_handshake(reader, handshake));
  EXPECT_EQ(handshake.match, HandshakeResponse::Match::both);
  EXPECT_TRUE(get_answer(reader).ok());

  answer.clear();
  put_answer(answer, RpcStatus::failed);
  EXPECT_EQ(answer, hex(kFailedAnswer));
  DatumReader failed(answer);
  EXPECT_EQ(get_answer(failed).to_string(), "unavailable: answered FAILED");

  answer.clear();
  put_error(answer, "org.apache.flume.FlumeException: no");
  EXPECT_EQ(answer.substr(0, 3), hex("000100"));
  DatumReader error(answer);
  EXPECT_EQ(get_answer(error).message(), "answered with an error: org.apache.flume.FlumeException: no");
}

TEST(AvroMessage, ReadsABatchOfFlumes) {
  const std::string message = hex(kBatchRequest);
  DatumReader reader(message);
  std::string_view method;
  ASSERT_TRUE(get_call(reader, method));
  EXPECT_EQ(method, "appendBatch");
  Batch batch;
  EventDecoder decoder;
  ASSERT_TRUE(decoder.append_batch(reader, batch).ok());
  EXPECT_EQ(reader.remaining(), 0u);
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(std::as_const(batch)[0].headers, std::as_const(batch)[1].headers) << "equal headers are one block";
}

TEST(AvroMessage, CarriesProtocolsAndWindows) {
  std::string request;
  put_handshake(request, HandshakeRequest{kSourceProtocolTextHash, kSourceProtocolText, kSourceProtocolHash, 8});
  DatumReader reader(request);
  HandshakeRequest read;
  ASSERT_TRUE(get_handshake(reader, read));
  EXPECT_EQ(read.client_hash, kSourceProtocolTextHash);
  EXPECT_EQ(read.client_protocol, kSourceProtocolText);
  EXPECT_EQ(read.window, 8u);

  std::string response;
  put_handshake(response,
                HandshakeResponse{HandshakeResponse::Match::none, kSourceProtocolText, kSourceProtocolHash, 3});
  DatumReader other(response);
  HandshakeResponse answer;
  ASSERT_TRUE(get_handshake(other, answer));
  EXPECT_EQ(answer.match, HandshakeResponse::Match::none);
  EXPECT_EQ(answer.server_protocol, kSourceProtocolText);
  EXPECT_EQ(answer.server_hash, kSourceProtocolHash);
  EXPECT_EQ(answer.window, 3u);
}

TEST(AvroMessage, EndsAtEveryCut) {
  for (const std::string_view whole : {kFirstRequest, kBatchRequest}) {
    const std::string message = hex(whole);
    for (std::size_t size = 0; size < message.size(); ++size) {
      DatumReader reader(std::string_view(message).substr(0, size));
      HandshakeRequest handshake;
      std::string_view method;
      Batch batch;
      EventDecoder decoder;
      const bool first = whole == kFirstRequest;
      const bool read = (!first || get_handshake(reader, handshake)) && get_call(reader, method) &&
                        (first ? decoder.append(reader, batch) : decoder.append_batch(reader, batch)).ok();
      EXPECT_FALSE(read) << size;
    }
  }
}

TEST(AvroMessage, RefusesWhatIsNoAnswer) {
  for (const std::string_view bytes : {"", "00", "0002", "000101", "02", "0000", "000100ff"}) {
    const std::string answer = hex(bytes);
    DatumReader reader(answer);
    EXPECT_FALSE(get_answer(reader).ok()) << bytes;
  }
  const std::string unknown = hex("000004");
  DatumReader reader(unknown);
  EXPECT_EQ(get_answer(reader).message(), "answered with status 2");
}

}  // namespace
}  // namespace standpipe::avro

#include "rpc/avro/protocol.h"

#include <openssl/evp.h>

#include <gtest/gtest.h>

namespace standpipe::avro {
namespace {

ProtocolHash md5(std::string_view text) {
  ProtocolHash hash{};
  unsigned size = 0;
  EXPECT_EQ(
      EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(hash.data()), &size, EVP_md5(), nullptr),
      1);
  EXPECT_EQ(size, hash.size());
  return hash;
}

TEST(AvroProtocol, TheHashIsThatOfTheText) {
  EXPECT_EQ(md5(kSourceProtocolText), kSourceProtocolTextHash);
  EXPECT_EQ(md5(kSparkProtocolText), kSparkProtocolTextHash);
}

TEST(AvroProtocol, TakesClientsThatSayTheSameInOtherWords) {
  EXPECT_TRUE(check_client_protocol(kSourceProtocolText).ok());
  const Status status = check_client_protocol(
      R"({"protocol":"AvroSourceProtocol","doc":"*","types":[{"type":"enum","name":"Status","symbols":["OK"]},
          {"type":"record","name":"AvroFlumeEvent","namespace":"org.apache.flume.source.avro","doc":"[{",
           "fields":[{"name":"headers","type":{"type":"map","values":{"type":"string","avro.java.string":"String"},
                                               "avro.java.string":"String"}},
                     {"name":"body","type":"bytes"}]}],
          "messages":{"appendBatch":{"request":[{"name":"list","type":{"type":"array",
              "items":"org.apache.flume.source.avro.AvroFlumeEvent"}}],"response":"Status"}}})");
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST(AvroProtocol, RefusesOthers) {
  const auto refused = [](std::string text) { return check_client_protocol(text).message(); };
  EXPECT_NE(refused("").find("no JSON object"), std::string::npos);
  EXPECT_NE(refused("[]").find("no JSON object"), std::string::npos);
  EXPECT_NE(refused(R"({"protocol":"SparkFlumeProtocol"})").find("not AvroSourceProtocol"), std::string::npos);
  EXPECT_NE(refused(R"({"protocol":"AvroSourceProtocol"})").find("no types"), std::string::npos);
  EXPECT_NE(refused(R"({"protocol":"AvroSourceProtocol","types":[]})").find("no record"), std::string::npos);
  std::string text(kSourceProtocolText);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  EXPECT_NE(refused(with("\"bytes\"", "\"string\"")).find("body of bytes"), std::string::npos);
  EXPECT_NE(refused(with("\"values\":\"string\"", "\"values\":\"bytes\"")).find("a map of strings"), std::string::npos);
  EXPECT_NE(refused(with("\"event\",\"type\":\"AvroFlumeEvent\"", "\"event\",\"type\":\"Status\"")).find("append must"),
            std::string::npos);
  EXPECT_NE(refused(with("\"type\":\"array\"", "\"type\":\"map\"")).find("appendBatch must"), std::string::npos);
  EXPECT_FALSE(refused(std::string(60'000, '[')).empty());
  EXPECT_NE(refused(std::string(70'000, ' ')).find("longer than"), std::string::npos);
}

TEST(SparkProtocol, TakesClientsThatSayTheSameInOtherWords) {
  EXPECT_TRUE(check_spark_client(kSparkProtocolText).ok());
  const Status status = check_spark_client(
      R"({"protocol":"SparkFlumeProtocol","messages":{"ack":{"request":[{"name":"s",
          "type":{"type":"string","avro.java.string":"String"}}],"response":"null"}}})");
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST(SparkProtocol, RefusesOthers) {
  const auto refused = [](const std::string& text) { return check_spark_client(text).message(); };
  EXPECT_NE(refused(std::string(kSourceProtocolText)).find("not SparkFlumeProtocol"), std::string::npos);
  std::string text(kSparkProtocolText);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  EXPECT_NE(refused(with("\"int\"", "\"long\"")).find("getEventBatch must take an int"), std::string::npos);
  EXPECT_NE(refused(with(R"("ack":{"request":[{"name":"sequenceNumber","type":"string")",
                         R"("ack":{"request":[{"name":"sequenceNumber","type":"bytes")"))
                .find("ack must take a string"),
            std::string::npos);
}

}  // namespace
}  // namespace standpipe::avro

#include <gmock/gmock.h>

#include "codec/avro/container_reader.h"
#include "codec/avro/datum.h"
#include "codec/serializers/text_serializers.h"

namespace standpipe {
namespace {

std::string write_one(const SerializerFactory& factory, std::string_view body, const Headers& headers) {
  const auto serializer = factory();
  std::string out;
  EXPECT_TRUE(serializer->begin(out).ok());
  EXPECT_TRUE(serializer->append({body, &headers}, out).ok());
  EXPECT_TRUE(serializer->finish(out).ok());
  return out;
}

/// "name=value body" of each record.
std::vector<std::string> read_avro(const std::string& file) {
  auto reader = avro::ContainerReader::open([&](std::uint64_t offset, char* target, std::size_t size) {
    const std::size_t count = std::min<std::size_t>(size, file.size() - std::min<std::size_t>(file.size(), offset));
    file.copy(target, count, offset);
    return Result<std::size_t>(count);
  });
  std::vector<std::string> records;
  if (!reader.ok()) return {reader.status().message()};
  for (;;) {
    const auto datum = reader->next();
    if (!datum.ok()) return {datum.status().message()};
    if (!*datum) return records;
    avro::DatumReader fields(**datum);
    Headers headers;
    std::string_view body;
    EXPECT_TRUE(avro::get_event(fields, headers, body));
    std::string text;
    for (const auto& [name, value] : headers) text += name + "=" + value + " ";
    records.push_back(text.append(body));
  }
}

TEST(Serializers, TextIsTheBodyAndANewline) {
  EXPECT_EQ(write_one(*SerializerFactory::make("TEXT", {}), "one", {}), "one\n");
  EXPECT_EQ(write_one(*SerializerFactory::make("text", {{"appendNewline", "false"}}), "one", {}), "one");
}

TEST(Serializers, HeaderAndTextListsHeadersAsJavasHashMapDoes) {
  const auto factory =
      *SerializerFactory::make("org.apache.flume.serialization.HeaderAndBodyTextEventSerializer$Builder", {});
  EXPECT_EQ(write_one(factory, "x", {}), "{} x\n");
  // The orders below were printed by a JVM.
  EXPECT_EQ(write_one(factory, "x", {{"timestamp", "1"}, {"host", "h"}, {"basename", "b"}, {"file", "f"}}),
            "{basename=b, file=f, host=h, timestamp=1} x\n");
  EXPECT_EQ(write_one(factory, "x", {{"b", "2"}, {"a", "1"}, {"zeta", "3"}}), "{zeta=3, a=1, b=2} x\n");
  EXPECT_EQ(write_one(factory, "x", {{"größe", "0"}, {"日本", "1"}, {"😀", "2"}}), "{größe=0, 😀=2, 日本=1} x\n");
}

TEST(Serializers, AvroEventIsAContainerFileReadableAfterEachFlush) {
  for (const char* codec : {"null", "deflate", "snappy", "bzip2", "xz", "zstandard"}) {
    SCOPED_TRACE(codec);
    const auto factory =
        *SerializerFactory::make("AVRO_EVENT", {{"compressionCodec", codec}, {"syncIntervalBytes", "100"}});
    const auto serializer = factory();
    const Headers headers{{"h", "v"}};
    std::string out;
    ASSERT_TRUE(serializer->begin(out).ok());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(serializer->append({"body " + std::to_string(i), &headers}, out).ok());
    ASSERT_TRUE(serializer->flush(out).ok());
    const std::size_t flushed = out.size();
    ASSERT_TRUE(serializer->flush(out).ok());
    EXPECT_EQ(out.size(), flushed) << "an empty block";
    ASSERT_TRUE(serializer->append({"last", &headers}, out).ok());
    ASSERT_TRUE(serializer->finish(out).ok());
    EXPECT_EQ(read_avro(out.substr(0, flushed)).size(), 20u);
    EXPECT_EQ(read_avro(out).back(), "h=v last");
  }
}

TEST(Serializers, AnUnknownTypeOrPropertyIsNamed) {
  const auto unknown = SerializerFactory::make("com.acme.Mine", {});
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.status().message(), testing::HasSubstr("com.acme.Mine"));
  const auto property = SerializerFactory::make("TEXT", {{"apendNewline", "true"}});
  ASSERT_FALSE(property.ok());
  EXPECT_THAT(property.status().message(), testing::HasSubstr("apendNewline"));
}

}  // namespace
}  // namespace standpipe

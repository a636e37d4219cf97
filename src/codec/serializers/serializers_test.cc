#include <gmock/gmock.h>

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
  EXPECT_EQ(write_one(factory, "x", {{"b", "2"}, {"a", "1"}, {"zeta", "3"}, {"q1", "4"}}),
            "{zeta=3, q1=4, a=1, b=2} x\n");
  EXPECT_EQ(write_one(factory, "x", {{"größe", "0"}, {"日本", "1"}, {"😀", "2"}, {"k", "3"}}),
            "{größe=0, 😀=2, 日本=1, k=3} x\n");
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

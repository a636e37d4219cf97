#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>

#include "codec/avro/block_codec.h"
#include "codec/avro/container_reader.h"
#include "codec/avro/container_writer.h"
#include "codec/avro/datum.h"
#include "codec/avro/schema.h"

namespace standpipe::avro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Codec kAllCodecs[] = {Codec::null, Codec::deflate, Codec::snappy, Codec::bzip2, Codec::zstandard, Codec::xz};

std::string encoded(std::int64_t value) {
  std::string out;
  put_long(out, value);
  return out;
}

ContainerReader::ReadAt from(const std::string& file) {
  return [&file](std::uint64_t offset, char* target, std::size_t size) -> Result<std::size_t> {
    if (offset >= file.size()) return std::size_t{0};
    const std::size_t got = std::min<std::size_t>(size, file.size() - offset);
    std::memcpy(target, file.data() + offset, got);
    return got;
  };
}

std::string events_file(Codec codec, int events, std::size_t interval = 200) {
  ContainerWriter writer({.schema_json = std::string(kEventSchema), .codec = codec, .sync_interval = interval});
  std::string file;
  writer.header(file);
  for (int i = 0; i < events; ++i) {
    put_event(writer.pending(), {{"n", std::to_string(i)}}, "body " + std::to_string(i));
    EXPECT_TRUE(writer.appended(file).ok());
  }
  EXPECT_TRUE(writer.finish_block(file).ok());
  return file;
}

/// Bodies of all events in `file`, or the message of the first failure as the last one.
std::vector<std::string> bodies(const std::string& file) {
  std::vector<std::string> result;
  auto reader = ContainerReader::open(from(file));
  if (!reader.ok()) return {reader.status().to_string()};
  for (;;) {
    const auto datum = reader->next();
    if (!datum.ok()) {
      result.push_back(datum.status().to_string());
      return result;
    }
    if (!datum->has_value()) return result;
    Headers headers;
    std::string_view body;
    DatumReader event(**datum);
    EXPECT_TRUE(get_event(event, headers, body));
    result.emplace_back(body);
  }
}

TEST(AvroDatum, LongsAsTheSpecificationHasThem) {
  EXPECT_EQ(encoded(0), std::string(1, '\0'));
  EXPECT_EQ(encoded(-1), "\x01");
  EXPECT_EQ(encoded(1), "\x02");
  EXPECT_EQ(encoded(-64), "\x7f");
  EXPECT_EQ(encoded(64), "\x80\x01");
  for (const std::int64_t value : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                                   std::int64_t{-1}, std::int64_t{1} << 40}) {
    const std::string bytes = encoded(value);
    DatumReader reader(bytes);
    std::int64_t back = 0;
    ASSERT_TRUE(reader.get_long(back));
    EXPECT_EQ(back, value);
    EXPECT_EQ(reader.remaining(), 0u);
  }
}

TEST(AvroDatum, HostileBytesAreRefused) {
  std::int64_t number = 0;
  std::int32_t small = 0;
  std::string_view bytes;
  bool flag = false;
  EXPECT_FALSE(DatumReader(std::string(11, '\xff')).get_long(number));
  EXPECT_FALSE(DatumReader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02").get_long(number));
  EXPECT_FALSE(DatumReader("").get_long(number));
  const std::string wide = encoded(std::int64_t{1} << 32);
  EXPECT_FALSE(DatumReader(wide).get_int(small));
  EXPECT_FALSE(DatumReader("\x01").get_bytes(bytes));  // length -1
  EXPECT_FALSE(DatumReader("\x06"
                           "ab")
                   .get_bytes(bytes));  // 3 bytes wanted
  EXPECT_FALSE(DatumReader("\x02").get_boolean(flag));
  const std::string lowest = encoded(std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(DatumReader(lowest).get_block(number, number));
}

TEST(AvroDatum, EventRoundTrip) {
  std::string bytes;
  put_event(bytes, {{"a", "1"}, {"b", ""}}, "text");
  EXPECT_EQ(bytes, std::string("\x04\x02"
                               "a\x02"
                               "1\x02"
                               "b\x00\x00\x08text",
                               14));
  DatumReader reader(bytes);
  Headers headers;
  std::string_view body;
  ASSERT_TRUE(get_event(reader, headers, body));
  EXPECT_EQ(headers, (Headers{{"a", "1"}, {"b", ""}}));
  EXPECT_EQ(body, "text");
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    DatumReader shorter(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(get_event(shorter, headers, body)) << cut;
  }
}

TEST(AvroSchema, CanonicalFormAndFingerprint) {
  // The fingerprint of "int" that the specification's test cases give: 7275d51a3f395c8f.
  EXPECT_EQ(Schema::parse("\"int\"")->fingerprint(), 0x7275d51a3f395c8fu);
  EXPECT_EQ(Schema::parse("{\"type\":\"int\"}")->fingerprint_hex(), "8f5c393f1ad57572");
  const auto schema = Schema::parse(R"( {"type": "record", "name": "R", "namespace": "a.b", "doc": "d", "fields": [
      {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["X", "Y"]}, "default": "X"},
      {"name": "f", "type": ["null", {"type": "fixed", "name": "c.F", "size": 3}]},
      {"name": "g", "type": {"type": "array", "items": "E"}},
      {"name": "h", "type": {"type": "map", "values": {"type": "long", "logicalType": "x"}}},
      {"name": "next", "type": ["null", "R"]}]})");
  ASSERT_TRUE(schema.ok()) << schema.status().to_string();
  EXPECT_EQ(schema->canonical(),
            R"({"name":"a.b.R","type":"record","fields":[{"name":"e","type":{"name":"a.b.E","type":"enum",)"
            R"("symbols":["X","Y"]}},{"name":"f","type":["null",{"name":"c.F","type":"fixed","size":3}]},)"
            R"({"name":"g","type":{"type":"array","items":"a.b.E"}},{"name":"h","type":{"type":"map",)"
            R"("values":"long"}},{"name":"next","type":["null","a.b.R"]}]})");
  EXPECT_THAT(schema->json(), HasSubstr(R"({"type":"record","name":"R","namespace":"a.b","doc":"d","fields":[)"));
}

TEST(AvroSchema, RefusesWhatIsNone) {
  const auto message = [](std::string_view json) { return Schema::parse(json).status().message(); };
  EXPECT_THAT(message("{"), HasSubstr("not JSON"));
  EXPECT_THAT(message("\"nope\""), HasSubstr("unknown type 'nope'"));
  EXPECT_THAT(message("{\"name\":\"x\"}"), HasSubstr("without \"type\""));
  EXPECT_THAT(message(R"({"type":"fixed","name":"x","size":-1})"), HasSubstr("size"));
  EXPECT_THAT(message(R"({"type":"record","name":"x"})"), HasSubstr("no list of fields"));
  EXPECT_THAT(message(std::string(100'000, '[')), HasSubstr("deeper"));
  EXPECT_THAT(message("[\"\xff\"]"), HasSubstr("Avro schema"));
}

TEST(AvroSchema, SkipIsBoundedOnHostileSchemas) {
  const auto endless = Schema::parse(R"({"type":"record","name":"A","fields":[{"name":"a","type":"A"}]})");
  DatumReader nothing("");
  EXPECT_FALSE(endless->skip(nothing));
  std::string doubling = R"({"type":"record","name":"A0","fields":[]})";
  for (int i = 1; i < 15; ++i) {
    const std::string before = "A" + std::to_string(i - 1);
    doubling = R"({"type":"record","name":"A)" + std::to_string(i) + R"(","fields":[{"name":"x","type":)" + doubling +
               R"(},{"name":"y","type":")" + before + R"("},{"name":"z","type":")" + before + R"("}]})";
  }
  const auto bomb = Schema::parse(doubling);
  ASSERT_TRUE(bomb.ok()) << bomb.status().to_string();
  EXPECT_FALSE(bomb->skip(nothing));
  const std::string many_nulls = encoded(std::numeric_limits<std::int64_t>::max()) + std::string(1, '\0');
  DatumReader nulls(many_nulls);
  EXPECT_TRUE(Schema::parse(R"({"type":"array","items":"null"})")->skip(nulls));
}

TEST(AvroContainer, RoundTripThroughEveryCodec) {
  for (const Codec codec : kAllCodecs) {
    const auto result = bodies(events_file(codec, 100));
    ASSERT_EQ(result.size(), 100u) << to_string(codec) << ": " << result.back();
    EXPECT_EQ(result[99], "body 99");
  }
}

TEST(AvroContainer, MetadataAndCodecNames) {
  ContainerWriter writer({.schema_json = "\"long\"", .codec = Codec::null, .metadata = {{"file", "/a/b"}}});
  std::string file;
  writer.header(file);
  const auto reader = ContainerReader::open(from(file));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->metadata().at("file"), "/a/b");
  EXPECT_EQ(reader->sync(), writer.sync());
  EXPECT_EQ(*find_codec("zstd"), Codec::zstandard);
  EXPECT_THAT(find_codec("lzo").status().message(), HasSubstr("unknown Avro codec 'lzo'"));
}

TEST(AvroContainer, ResumesAtEveryRecord) {
  const std::string file = events_file(Codec::deflate, 40);
  auto reader = ContainerReader::open(from(file));
  for (int i = 0; i < 40; ++i) {
    const auto position = reader->position();
    const std::string datum(**reader->next());
    auto resumed = ContainerReader::open(from(file));
    ASSERT_TRUE(resumed->seek(position).ok());
    EXPECT_EQ(**resumed->next(), datum) << i;
  }
  auto at_end = ContainerReader::open(from(file));
  ASSERT_TRUE(at_end->seek(reader->position()).ok());
  EXPECT_FALSE(at_end->next()->has_value());
  EXPECT_EQ(at_end->seek({0, 1000}).code(), Code::corrupt);
}

TEST(AvroContainer, ContinuesAFile) {
  std::string file = events_file(Codec::null, 3);
  const auto reader = ContainerReader::open(from(file));
  ContainerWriter more({.schema_json = std::string(kEventSchema)});
  more.continue_with(reader->sync());
  std::string datum;
  put_event(datum, {}, "added");
  ASSERT_TRUE(more.append(datum, file).ok());
  ASSERT_TRUE(more.finish_block(file).ok());
  EXPECT_THAT(bodies(file), ElementsAre("body 0", "body 1", "body 2", "added"));
}

TEST(AvroContainer, EveryCutIsNoticedOrEndsAtABlock) {
  const std::string file = events_file(Codec::null, 30);
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto result = bodies(file.substr(0, size));
    const bool reported = !result.empty() && result.back().starts_with("corrupt: ");
    if (reported || result.size() < 30) continue;
    ADD_FAILURE() << "a file cut at " << size << " gave all records";
  }
}

TEST(AvroContainer, DamageCostsItsBlockOnly) {
  std::string file = events_file(Codec::snappy, 60);
  auto clean = ContainerReader::open(from(file));
  ASSERT_TRUE(clean->next().ok());
  const auto first = clean->position().block;
  file[first + 20] ^= 0x40;
  auto reader = ContainerReader::open(from(file));
  const auto datum = reader->next();
  ASSERT_FALSE(datum.ok());
  EXPECT_THAT(datum.status().message(), HasSubstr("Avro block at offset " + std::to_string(first)));
  const auto skipped = reader->skip_damage();
  ASSERT_TRUE(skipped.ok());
  EXPECT_GT(*skipped, 20u);
  int rest = 0;
  while (reader->next()->has_value()) ++rest;
  EXPECT_GT(rest, 40);
  EXPECT_LT(rest, 60);
}

TEST(AvroContainer, LimitsHoldAgainstBombs) {
  std::string block;
  for (const Codec codec : kAllCodecs) {
    if (codec == Codec::null) continue;
    ASSERT_TRUE(compress_block(codec, -1, std::string(10'000'000, 'a'), block).ok());
    std::string out;
    EXPECT_THAT(decompress_block(codec, block, 1'000'000, out).message(), HasSubstr("limit of")) << to_string(codec);
    EXPECT_TRUE(decompress_block(codec, block, 10'000'000, out).ok()) << to_string(codec);
    EXPECT_FALSE(decompress_block(codec, std::string_view(block).substr(0, block.size() / 2), 10'000'000, out).ok());
    EXPECT_FALSE(decompress_block(codec, "", 100, out).ok());
  }
  std::string file = events_file(Codec::null, 0);
  put_long(file, 1);
  put_long(file, std::int64_t{1} << 60);
  EXPECT_THAT(bodies(file).back(), HasSubstr("beyond the limit"));
}

TEST(AvroContainer, NotAContainer) {
  EXPECT_THAT(bodies("Objx").back(), HasSubstr("not an Avro container file"));
  EXPECT_THAT(bodies("").back(), HasSubstr("not an Avro container file"));
  EXPECT_THAT(bodies("Obj\1\2\2").back(), HasSubstr("damaged or cut off"));
}

}  // namespace
}  // namespace standpipe::avro

#include "codec/deserializers/deserializer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/avro/container_writer.h"
#include "codec/avro/datum.h"
#include "codec/utf8.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Bodies = std::vector<std::string>;

class DeserializerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Deserializer> open(const DeserializerFactory& factory, std::string_view content,
                                     Settings::Map values = {}, std::string charset = "UTF-8",
                                     OnMalformed policy = OnMalformed::fail) {
    auto deserializer = try_open(factory, content, std::move(values), std::move(charset), policy);
    EXPECT_TRUE(deserializer.ok()) << deserializer.status().to_string();
    return deserializer.ok() ? std::move(*deserializer) : nullptr;
  }
  Result<std::unique_ptr<Deserializer>> try_open(const DeserializerFactory& factory, std::string_view content,
                                                 Settings::Map values = {}, std::string charset = "UTF-8",
                                                 OnMalformed policy = OnMalformed::fail) {
    const std::string path = test_.directory.file("in");
    EXPECT_TRUE(write_file_atomically(real_file_system(), path, content).ok());
    file_ = real_file_system().open(path, FileSystem::Mode::read).value();
    auto settings = Settings::parse(*factory.info, std::move(values));
    EXPECT_TRUE(settings.ok());
    return factory.create(*settings, {.file = *file_,
                                      .size = content.size(),
                                      .name = "in",
                                      .charset = std::move(charset),
                                      .on_error = policy,
                                      .headers = std::make_shared<const Headers>(Headers{{"h", "1"}}),
                                      .budget = test_.budget,
                                      .log = test_.log});
  }
  // All events, read in batches of `batch`; a failure ends up in status_.
  Bodies read_all(Deserializer& deserializer, std::size_t batch_size = 3) {
    Bodies bodies;
    for (;;) {
      Batch batch;
      status_ = deserializer.read(batch, batch_size);
      for (std::size_t i = 0; i < batch.size(); ++i) bodies.emplace_back(batch[i].body);
      if (!batch.empty()) last_headers_ = *batch[0].headers;
      if (!status_.ok() || batch.empty()) return bodies;
    }
  }

  testing::TestEnvironment test_{"r1"};
  std::unique_ptr<File> file_;
  Status status_;
  Headers last_headers_;
};

TEST_F(DeserializerTest, LinesEndAtLineFeedsOnly) {
  auto lines = open(kLineDeserializer, "one\r\n\ntwo\xC3\xA9\nlast");
  EXPECT_EQ(read_all(*lines), (Bodies{"one\r", "", "two\xC3\xA9", "last"}));
  EXPECT_EQ(last_headers_, (Headers{{"h", "1"}}));
  EXPECT_EQ(lines->mark().offset, 16u);
  EXPECT_EQ(lines->mark().events, 4u);
}

TEST_F(DeserializerTest, LongLinesComeInPiecesAsInFlume) {
  auto lines = open(kLineDeserializer, "short\n1234567890abcdefghijXYZ\n1234567890\nend", {{"maxLineLength", "10"}});
  EXPECT_EQ(read_all(*lines), (Bodies{"short", "1234567890", "abcdefghij", "XYZ", "1234567890", "", "end"}));
}

TEST_F(DeserializerTest, LengthCountsUtf16Units) {
  // U+1F600 is two units; it does not fit where one is left.
  auto lines = open(kLineDeserializer,
                    "abc\xF0\x9F\x98\x80"
                    "def\n",
                    {{"maxLineLength", "4"}});
  EXPECT_EQ(read_all(*lines), (Bodies{"abc",
                                      "\xF0\x9F\x98\x80"
                                      "de",
                                      "f"}));
}

TEST_F(DeserializerTest, ACharacterLongerThanTheLimitComesWhole) {
  auto lines = open(kLineDeserializer, "a\xF0\x9F\x98\x80z", {{"maxLineLength", "1"}});
  EXPECT_EQ(read_all(*lines), (Bodies{"a", "\xF0\x9F\x98\x80", "z"}));
}

TEST_F(DeserializerTest, LinesLongerThanAChunkComeInWholePieces) {
  std::string text;
  for (int i = 0; text.size() < 700'000; ++i) text += "\xC3\xA9" + std::to_string(i);
  auto lines = open(kLineDeserializer, text + "\nnext\n");
  const Bodies bodies = read_all(*lines, 100);
  std::string joined;
  for (std::size_t i = 0; i + 1 < bodies.size(); ++i) {
    joined += bodies[i];
    if (i + 2 == bodies.size()) break;
    EXPECT_EQ(utf8::utf16_units(bodies[i]), 2048u) << i;
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(bodies.back(), "next");
}

TEST_F(DeserializerTest, ManyChunksAnySeek) {
  std::string text;
  Bodies expected;
  for (int i = 0; i < 60'000; ++i) {
    expected.push_back("line number " + std::to_string(i));
    text += expected.back() + "\n";
  }
  auto lines = open(kLineDeserializer, text);
  EXPECT_EQ(read_all(*lines, 1000), expected);
  ASSERT_TRUE(lines->seek({}).ok());
  Batch batch;
  ASSERT_TRUE(lines->read(batch, 25'001).ok());
  const DeserializerMark mark = lines->mark();
  EXPECT_EQ(mark.events, 25'001u);
  Batch more;
  ASSERT_TRUE(lines->read(more, 10).ok());
  ASSERT_TRUE(lines->seek(mark).ok());
  Batch again;
  ASSERT_TRUE(lines->read(again, 1).ok());
  EXPECT_EQ(again[0].body, expected[25'001]);
}

TEST_F(DeserializerTest, MalformedBytesFailReplacedOrDropped) {
  const std::string_view text =
      "good\nba\xFF"
      "d\xE2\x82\nend\n";
  auto fail = open(kLineDeserializer, text);
  EXPECT_EQ(read_all(*fail), (Bodies{"good"}));
  EXPECT_EQ(status_.code(), Code::corrupt);
  EXPECT_THAT(status_.message(), HasSubstr("in: line at offset 5"));
  auto replace = open(kLineDeserializer, text, {}, "UTF-8", OnMalformed::replace);
  EXPECT_EQ(read_all(*replace), (Bodies{"good",
                                        "ba\xEF\xBF\xBD"
                                        "d\xEF\xBF\xBD",
                                        "end"}));
  auto ignore = open(kLineDeserializer, text, {}, "UTF-8", OnMalformed::ignore);
  EXPECT_EQ(read_all(*ignore), (Bodies{"good", "bad", "end"}));
}

TEST_F(DeserializerTest, OtherCharsets) {
  auto latin = open(kLineDeserializer, "\xE9\n", {{"outputCharset", "UTF-16BE"}}, "ISO-8859-1");
  EXPECT_EQ(read_all(*latin), (Bodies{std::string("\0\xE9", 2)}));
  auto wide = open(kLineDeserializer, std::string_view("a\0\n\0\x0A\x0A\n\0", 8), {}, "UTF-16LE");
  EXPECT_EQ(read_all(*wide), (Bodies{"a", "\xE0\xA8\x8A"}));
  auto gbk = open(kLineDeserializer, "\xD6\xD0\n", {}, "GBK");
  EXPECT_EQ(read_all(*gbk), (Bodies{"\xE4\xB8\xAD"}));
  auto windows = open(kLineDeserializer, "\x80\n", {{"outputCharset", "US-ASCII"}}, "windows-1252");
  EXPECT_EQ(read_all(*windows), (Bodies{"?"}));
  EXPECT_EQ(try_open(kLineDeserializer, "", {}, "klingon").status().code(), Code::invalid);
}

TEST_F(DeserializerTest, BlobsAreWholeFilesOrPieces) {
  auto blob = open(kBlobDeserializer, "two\nlines\n");
  EXPECT_EQ(read_all(*blob), (Bodies{"two\nlines\n"}));
  auto pieces = open(kBlobDeserializer, "longer than 12", {{"maxBlobLength", "12"}});
  EXPECT_EQ(read_all(*pieces), (Bodies{"longer than ", "12"}));
}

TEST_F(DeserializerTest, ABudgetWithoutRoomIsNoDamage) {
  test_.budget.force_charge(test_.budget.limit());
  auto lines = open(kLineDeserializer, "one\n");
  EXPECT_TRUE(read_all(*lines).empty());
  EXPECT_EQ(status_.code(), Code::full);
  test_.budget.release(test_.budget.limit());
  EXPECT_EQ(read_all(*lines), (Bodies{"one"}));
}

TEST_F(DeserializerTest, AvroRecordsWithTheirSchema) {
  const std::string schema = R"({"type":"record","name":"R","fields":[{"name":"s","type":"string"}]})";
  avro::ContainerWriter writer({.schema_json = schema});
  std::string file;
  writer.header(file);
  for (const std::string_view text : {"hi", "you", "all"}) {
    std::string datum;
    avro::put_bytes(datum, text);
    ASSERT_TRUE(writer.append(datum, file).ok());
    if (text != "you") continue;
    ASSERT_TRUE(writer.finish_block(file).ok());
  }
  ASSERT_TRUE(writer.finish_block(file).ok());
  auto reader = open(kAvroDeserializer, file, {{"schemaType", "LITERAL"}});
  Batch first;
  ASSERT_TRUE(reader->read(first, 1).ok());
  const DeserializerMark mark = reader->mark();
  EXPECT_EQ(read_all(*reader), (Bodies{"\x06you",
                                       "\x06"
                                       "all"}));
  EXPECT_EQ(last_headers_, (Headers{{"flume.avro.schema.literal", schema}, {"h", "1"}}));
  ASSERT_TRUE(reader->seek(mark).ok());
  EXPECT_EQ(read_all(*reader), (Bodies{"\x06you",
                                       "\x06"
                                       "all"}));
  auto hash = open(kAvroDeserializer, file);
  read_all(*hash);
  EXPECT_EQ(last_headers_.get("flume.avro.schema.hash")->size(), 16u);
  EXPECT_FALSE(try_open(kAvroDeserializer, "not avro").ok());
}

TEST_F(DeserializerTest, FoundByAliasOrClassName) {
  EXPECT_EQ(find_deserializer("line"), &kLineDeserializer);
  EXPECT_EQ(find_deserializer("AVRO"), &kAvroDeserializer);
  EXPECT_EQ(find_deserializer("org.apache.flume.sink.solr.morphline.BlobDeserializer$Builder"), &kBlobDeserializer);
  EXPECT_EQ(find_deserializer("nothing"), nullptr);
}

}  // namespace
}  // namespace standpipe

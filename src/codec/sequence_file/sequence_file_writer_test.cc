#include "codec/sequence_file/sequence_file_writer.h"

#include <gmock/gmock.h>
#include <zlib.h>

namespace standpipe {
namespace {

constexpr SequenceFileWriter::Marker kMarker = {'0', '1', '2', '3', '4', '5', '6', '7',
                                                '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
constexpr std::string_view kMark = "0123456789abcdef";
using std::string_literals::operator""s;

std::string header(std::string_view value_class, const std::string& flags) {
  return "SEQ\x06\x21org.apache.hadoop.io.LongWritable"s + static_cast<char>(value_class.size()) +
         std::string(value_class) + flags + "\0\0\0\0"s + std::string(kMark);
}

TEST(HadoopVInt, MatchesTheValuesOfWritableUtils) {
  const auto encode = [](std::int64_t value) {
    std::string out;
    append_hadoop_vint(value, out);
    return out;
  };
  EXPECT_EQ(encode(0), "\0"s);
  EXPECT_EQ(encode(127), "\x7f");
  EXPECT_EQ(encode(128), "\x8f\x80"s);
  EXPECT_EQ(encode(256), "\x8e\x01\x00"s);
  EXPECT_EQ(encode(-112), "\x90");
  EXPECT_EQ(encode(-113), "\x87\x70"s);
  EXPECT_EQ(encode(1'000'000), "\x8d\x0f\x42\x40"s);
}

TEST(SequenceFileWriter, WritesRecordsOfBytes) {
  SequenceFileWriter writer({}, kMarker);
  std::string out;
  writer.header(out);
  EXPECT_EQ(out, header("org.apache.hadoop.io.BytesWritable", "\0\0"s));
  out.clear();
  ASSERT_TRUE(writer.append(258, "abc", out).ok());
  EXPECT_EQ(out, "\0\0\0\x0f\0\0\0\x08\0\0\0\0\0\0\x01\x02\0\0\0\x03"s + "abc");
}

TEST(SequenceFileWriter, WritesRecordsOfText) {
  SequenceFileWriter writer({.value = SequenceFileWriter::Value::text}, kMarker);
  std::string out;
  writer.header(out);
  EXPECT_EQ(out, header("org.apache.hadoop.io.Text", "\0\0"s));
  out.clear();
  ASSERT_TRUE(writer.append(1, "abc", out).ok());
  EXPECT_EQ(out, "\0\0\0\x0c\0\0\0\x08\0\0\0\0\0\0\0\x01\x03"s + "abc");
}

TEST(SequenceFileWriter, PutsAMarkerAfterEachSyncAndEachInterval) {
  SequenceFileWriter writer({.sync_interval = 200}, kMarker);
  std::string out;
  writer.header(out);
  out.clear();
  ASSERT_TRUE(writer.append(1, "x", out).ok());
  ASSERT_TRUE(writer.sync(out).ok());
  const std::size_t size = out.size();
  ASSERT_TRUE(writer.sync(out).ok());
  EXPECT_EQ(out.size(), size) << "nothing was written between";
  EXPECT_TRUE(out.ends_with("\xff\xff\xff\xff" + std::string(kMark)));
  out.clear();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(writer.append(1, std::string(40, 'y'), out).ok());
  EXPECT_NE(out.find(kMark), std::string::npos);
}

TEST(SequenceFileWriter, WritesBlocksOfFourSections) {
  SequenceFileWriter writer({.codec = *find_hadoop_codec("DefaultCodec")}, kMarker);
  std::string out;
  writer.header(out);
  EXPECT_EQ(out,
            header("org.apache.hadoop.io.BytesWritable", "\x01\x01\x2aorg.apache.hadoop.io.compress.DefaultCodec"s));
  out.clear();
  ASSERT_TRUE(writer.append(1, "ab", out).ok());
  ASSERT_TRUE(writer.append(2, "c", out).ok());
  EXPECT_EQ(out, "");
  ASSERT_TRUE(writer.sync(out).ok());
  const std::string start = "\xff\xff\xff\xff" + std::string(kMark) + "\x02";
  ASSERT_TRUE(out.starts_with(start));
  std::string_view rest = std::string_view(out).substr(start.size());
  std::vector<std::string> sections;
  while (!rest.empty()) {
    const auto size = static_cast<std::size_t>(rest[0]);  // small enough for one byte
    char room[200];
    uLongf got = sizeof room;
    ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(room), &got, reinterpret_cast<const Bytef*>(rest.data() + 1), size),
              Z_OK);
    sections.emplace_back(room, got);
    rest.remove_prefix(1 + size);
  }
  EXPECT_THAT(sections, testing::ElementsAre("\x08\x08"s, "\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02"s, "\x06\x05"s,
                                             "\0\0\0\x02"s + "ab" + "\0\0\0\x01"s + "c"));
}

}  // namespace
}  // namespace standpipe

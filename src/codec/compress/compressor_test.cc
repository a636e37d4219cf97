#include "codec/compress/compressor.h"

#include <bzlib.h>
#include <gmock/gmock.h>
#include <lz4.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

namespace standpipe {
namespace {

using ::testing::HasSubstr;

/// Compressible and not, 1 MB: several blocks and buffers.
std::string sample() {
  std::string text;
  std::uint32_t random = 12345;
  while (text.size() < 1'000'000) {
    random = random * 1664525 + 1013904223;
    text += "GET /path/" + std::to_string(random % 1000) + " ";
    text.push_back(static_cast<char>(random >> 16));
  }
  return text;
}

std::string compress(std::string_view codec, std::string_view raw, std::size_t piece, bool finish_each = false) {
  const auto compressor = make_compressor(find_hadoop_codec(codec)->codec);
  std::string out;
  while (!raw.empty()) {
    EXPECT_TRUE(compressor->write(raw.substr(0, piece), out).ok());
    raw.remove_prefix(std::min(piece, raw.size()));
    if (finish_each) {
      EXPECT_TRUE(compressor->finish(out).ok());
    }
  }
  EXPECT_TRUE(compressor->finish(out).ok());
  EXPECT_TRUE(compressor->finish(out).ok());  // nothing more comes
  return out;
}

std::string unzip(std::string bytes, int window) {
  std::string out;
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, window), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  char room[65536];
  while (stream.avail_in > 0) {
    stream.next_out = reinterpret_cast<Bytef*>(room);
    stream.avail_out = sizeof room;
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.append(room, sizeof room - stream.avail_out);
    if (result == Z_STREAM_END) {
      inflateReset(&stream);  // the next member
    } else if (result != Z_OK) {
      ADD_FAILURE() << "inflate " << result;
      break;
    }
  }
  inflateEnd(&stream);
  return out;
}

std::string unbzip(std::string bytes) {
  std::string out;
  char* next = bytes.data();
  auto left = static_cast<unsigned>(bytes.size());
  char room[65536];
  while (left > 0) {
    bz_stream stream{};
    EXPECT_EQ(BZ2_bzDecompressInit(&stream, 0, 0), BZ_OK);
    stream.next_in = next;
    stream.avail_in = left;
    int result = BZ_OK;
    while (result == BZ_OK) {
      stream.next_out = room;
      stream.avail_out = sizeof room;
      result = BZ2_bzDecompress(&stream);
      out.append(room, sizeof room - stream.avail_out);
    }
    EXPECT_EQ(result, BZ_STREAM_END);
    next = stream.next_in;
    left = stream.avail_in;
    BZ2_bzDecompressEnd(&stream);
    if (result != BZ_STREAM_END) break;
  }
  return out;
}

std::string unzstd(const std::string& bytes) {
  std::string out;
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::string room(65536, '\0');
  while (in.pos < in.size) {
    ZSTD_outBuffer buffer{room.data(), room.size(), 0};
    const std::size_t result = ZSTD_decompressStream(context, &buffer, &in);
    if (ZSTD_isError(result)) {
      ADD_FAILURE() << ZSTD_getErrorName(result);
      break;
    }
    out.append(room, 0, buffer.pos);
  }
  ZSTD_freeDCtx(context);
  return out;
}

std::uint32_t read_int(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  return value;
}

template <typename Decompress>
std::string unblock(std::string_view bytes, Decompress decompress) {
  std::string out;
  while (!bytes.empty()) {
    const std::uint32_t raw = read_int(bytes);
    const std::uint32_t packed = read_int(bytes.substr(4));
    std::string block(raw, '\0');
    EXPECT_TRUE(decompress(bytes.substr(8, packed), block));
    out += block;
    bytes.remove_prefix(8 + packed);
  }
  return out;
}

std::string decompress(std::string_view codec, const std::string& bytes) {
  if (codec == "gzip") return unzip(bytes, 31);
  if (codec == "deflate") return unzip(bytes, 15);
  if (codec == "bzip2") return unbzip(bytes);
  if (codec == "zstandard") return unzstd(bytes);
  if (codec == "snappy") {
    return unblock(bytes, [](std::string_view packed, std::string& block) {
      return snappy::RawUncompress(packed.data(), packed.size(), block.data());
    });
  }
  return unblock(bytes, [](std::string_view packed, std::string& block) {
    return LZ4_decompress_safe(packed.data(), block.data(), static_cast<int>(packed.size()),
                               static_cast<int>(block.size())) == static_cast<int>(block.size());
  });
}

class CompressorTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CompressorTest, GivesBackWhatWentIn) {
  const std::string text = sample();
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{700'000}, text.size()}) {
    EXPECT_EQ(decompress(GetParam(), compress(GetParam(), text, piece)), text) << piece;
  }
}

TEST_P(CompressorTest, MembersFollowOneAnother) {
  const std::string text = sample().substr(0, 30'000);
  EXPECT_EQ(decompress(GetParam(), compress(GetParam(), text, 7'000, true)), text);
}

TEST_P(CompressorTest, NothingInNothingOut) { EXPECT_EQ(compress(GetParam(), "", 1), ""); }

INSTANTIATE_TEST_SUITE_P(Codecs, CompressorTest,
                         ::testing::Values("gzip", "deflate", "bzip2", "zstandard", "snappy", "lz4"));

TEST(FindHadoopCodec, KnowsNamesAsFlumeDoes) {
  for (const char* name : {"gzip", "GZIP", "GzipCodec", "gzipcodec", "org.apache.hadoop.io.compress.GzipCodec"}) {
    ASSERT_TRUE(find_hadoop_codec(name).ok()) << name;
    EXPECT_EQ(find_hadoop_codec(name)->codec, HadoopCodec::gzip) << name;
  }
  EXPECT_EQ(find_hadoop_codec("None")->codec, HadoopCodec::none);
  EXPECT_EQ(find_hadoop_codec("DefaultCodec")->extension, ".deflate");
  EXPECT_THAT(find_hadoop_codec("lzo").status().message(), HasSubstr("lzop"));
  EXPECT_THAT(find_hadoop_codec("rar").status().message(), HasSubstr("GzipCodec"));
  EXPECT_FALSE(find_hadoop_codec("ORG.apache.hadoop.io.compress.GzipCodec").ok());
}

}  // namespace
}  // namespace standpipe

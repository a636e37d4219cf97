#include "codec/compress/compressor.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"
#include "codec/compress/compressors.h"

namespace standpipe {

namespace {

constexpr HadoopCodecInfo kCodecs[] = {
    {HadoopCodec::gzip, "org.apache.hadoop.io.compress.GzipCodec", ".gz"},
    {HadoopCodec::bzip2, "org.apache.hadoop.io.compress.BZip2Codec", ".bz2"},
    {HadoopCodec::deflate, "org.apache.hadoop.io.compress.DeflateCodec", ".deflate"},
    {HadoopCodec::default_codec, "org.apache.hadoop.io.compress.DefaultCodec", ".deflate"},
    {HadoopCodec::snappy, "org.apache.hadoop.io.compress.SnappyCodec", ".snappy"},
    {HadoopCodec::lz4, "org.apache.hadoop.io.compress.Lz4Codec", ".lz4"},
    {HadoopCodec::zstandard, "org.apache.hadoop.io.compress.ZStandardCodec", ".zst"},
#ifdef STANDPIPE_LZO
    {HadoopCodec::lzop, "com.hadoop.compression.lzo.LzopCodec", ".lzo"},
#endif
};

std::string_view simple_name(std::string_view class_name) { return class_name.substr(class_name.rfind('.') + 1); }

bool is_named(const HadoopCodecInfo& info, std::string_view name) {
  if (info.class_name == name) return true;
  std::string_view simple = simple_name(info.class_name);
  if (equals_ignoring_case(simple, name)) return true;
  simple.remove_suffix(std::string_view("Codec").size());
  return equals_ignoring_case(simple, name);
}

}  // namespace

Result<HadoopCodecInfo> find_hadoop_codec(std::string_view name) {
  if (name.empty() || equals_ignoring_case(name, "none")) return HadoopCodecInfo{HadoopCodec::none, {}, {}};
  if (equals_ignoring_case(name, "zstd")) name = "zstandard";
  for (const HadoopCodecInfo& info : kCodecs) {
    if (is_named(info, name)) return info;
  }
  const std::string_view simple = simple_name(name);
  if (equals_ignoring_case(simple, "lzo") || equals_ignoring_case(simple, "LzoCodec")) {
    return Status(Code::invalid, fmt::format("codec {}: raw LZO files are not written; lzop writes LZO that hadoop-lzo "
                                             "and the lzop tool read",
                                             name));
  }
  std::string known = "None";
  for (const HadoopCodecInfo& info : kCodecs) known.append(", ").append(simple_name(info.class_name));
  return Status(Code::invalid, fmt::format("there is no codec '{}'; there are: {}", name, known));
}

std::unique_ptr<Compressor> make_compressor(HadoopCodec codec) {
  switch (codec) {
    case HadoopCodec::gzip: return make_zlib_compressor(ZlibFormat::gzip);
    case HadoopCodec::deflate:
    case HadoopCodec::default_codec: return make_zlib_compressor(ZlibFormat::zlib);
    case HadoopCodec::bzip2: return make_bzip2_compressor();
    case HadoopCodec::snappy: return make_snappy_compressor();
    case HadoopCodec::lz4: return make_lz4_compressor();
    case HadoopCodec::zstandard: return make_zstd_compressor();
    case HadoopCodec::lzop: return make_lzop_compressor();
    case HadoopCodec::none: break;
  }
  CHECK(false && "no compressor for this codec");
  return nullptr;
}

}  // namespace standpipe

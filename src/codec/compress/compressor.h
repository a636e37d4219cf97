#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "standpipe/status.h"

namespace standpipe {

/// The compressions that Hadoop writes, in Hadoop's own framing.
enum class HadoopCodec : unsigned char { none, gzip, bzip2, deflate, default_codec, snappy, lz4, zstandard, lzop };

struct HadoopCodecInfo {
  HadoopCodec codec;
  std::string_view class_name;  ///< what a SequenceFile's header names
  std::string_view extension;   ///< ".gz"
};

/// Looks a codec up as Flume does: the simple class name with or without "Codec" in any case, or the full class name;
/// "zstd" too. "" and "None" are HadoopCodec::none. Code::invalid lists what there is; lzo is refused by name.
Result<HadoopCodecInfo> find_hadoop_codec(std::string_view name);

/// Compresses a stream of bytes. What goes in comes out in pieces, appended to the caller's buffer; finish() ends one
/// complete member (or stream) that can be read back by itself, and the next write() begins another: files are
/// concatenations of members. One thread at a time.
class Compressor {
 public:
  virtual ~Compressor() = default;
  virtual Status write(std::string_view raw, std::string& out) = 0;
  /// Nothing when nothing was written since the last one.
  virtual Status finish(std::string& out) = 0;
};

/// Never null for a codec that find_hadoop_codec gives, other than none.
std::unique_ptr<Compressor> make_compressor(HadoopCodec codec);

}  // namespace standpipe

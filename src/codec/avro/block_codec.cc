#include "codec/avro/block_codec.h"

#include <bzlib.h>
#include <lzma.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <memory>

namespace standpipe::avro {

namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::uint64_t kXzMemory = 256u << 20;

Status failed(Codec codec, std::string_view what) {
  return {Code::io, std::string(to_string(codec)) + " cannot compress a block: " + std::string(what)};
}

Status damaged(Codec codec, std::string_view what) {
  return {Code::corrupt, "a block compressed with " + std::string(to_string(codec)) + " " + std::string(what)};
}

Status too_large(Codec codec, std::size_t limit) {
  return damaged(codec, "grows beyond the limit of " + std::to_string(limit) + " bytes");
}

/// Makes room behind `used` bytes of `out`; false at the limit.
bool grow(std::string& out, std::size_t used, std::size_t limit) {
  if (used >= limit) return false;
  out.resize(std::min(limit, std::max(used * 2, used + kChunk)));
  return true;
}

Bytef* bytes_of(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

bool fits_int(std::size_t size) { return size <= static_cast<std::size_t>(std::numeric_limits<int>::max()); }

// -- deflate, without zlib's own header

Status deflate_block(int level, std::string_view raw, std::string& out) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return failed(Codec::deflate, "bad level or no memory");
  }
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> owner(&stream, &deflateEnd);
  out.resize(deflateBound(&stream, raw.size()));
  stream.next_in = bytes_of(raw);
  stream.avail_in = static_cast<uInt>(raw.size());
  stream.next_out = bytes_of(out);
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return failed(Codec::deflate, "no room");
  out.resize(stream.total_out);
  return {};
}

Status inflate_block(std::string_view block, std::size_t limit, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return failed(Codec::deflate, "no memory");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner(&stream, &inflateEnd);
  stream.next_in = bytes_of(block);
  stream.avail_in = static_cast<uInt>(block.size());
  out.clear();
  std::size_t used = 0;
  for (int result = Z_OK; result != Z_STREAM_END;) {
    if (!grow(out, used, limit)) return too_large(Codec::deflate, limit);
    stream.next_out = bytes_of(out) + used;
    stream.avail_out = static_cast<uInt>(out.size() - used);
    result = inflate(&stream, Z_NO_FLUSH);
    const std::size_t now = out.size() - stream.avail_out;
    if (result != Z_OK && result != Z_STREAM_END) return damaged(Codec::deflate, "is damaged");
    if (result == Z_OK && now == used && stream.avail_in == 0) return damaged(Codec::deflate, "ends early");
    used = now;
  }
  out.resize(used);
  return {};
}

// -- snappy, with the CRC-32 of the raw bytes behind it

std::uint32_t checksum(std::string_view raw) {
  return static_cast<std::uint32_t>(crc32(0, bytes_of(raw), static_cast<uInt>(raw.size())));
}

Status snappy_compress(std::string_view raw, std::string& out) {
  out.resize(snappy::MaxCompressedLength(raw.size()) + kChecksumBytes);
  std::size_t used = 0;
  snappy::RawCompress(raw.data(), raw.size(), out.data(), &used);
  const std::uint32_t sum = checksum(raw);
  for (int shift = 24; shift >= 0; shift -= 8) out[used++] = static_cast<char>(sum >> shift);
  out.resize(used);
  return {};
}

Status snappy_decompress(std::string_view block, std::size_t limit, std::string& out) {
  if (block.size() < kChecksumBytes) return damaged(Codec::snappy, "is shorter than its checksum");
  const std::string_view body = block.substr(0, block.size() - kChecksumBytes);
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) return damaged(Codec::snappy, "is damaged");
  // Snappy can't expand by more than this: a length beyond it is a lie that should not cost memory.
  if (size > limit || size / 64 > body.size()) return too_large(Codec::snappy, std::min(limit, body.size() * 64));
  out.resize(size);
  if (!snappy::RawUncompress(body.data(), body.size(), out.data())) return damaged(Codec::snappy, "is damaged");
  std::uint32_t stated = 0;
  for (const char c : block.substr(body.size())) stated = stated << 8 | static_cast<unsigned char>(c);
  if (stated != checksum(out)) return damaged(Codec::snappy, "has a wrong checksum");
  return {};
}

// -- bzip2

Status bzip2_compress(int level, std::string_view raw, std::string& out) {
  out.resize(raw.size() + raw.size() / 100 + 700);
  auto used = static_cast<unsigned>(out.size());
  const int result = BZ2_bzBuffToBuffCompress(out.data(), &used, const_cast<char*>(raw.data()),
                                              static_cast<unsigned>(raw.size()), level < 1 ? 9 : level, 0, 0);
  if (result != BZ_OK) return failed(Codec::bzip2, "error " + std::to_string(result));
  out.resize(used);
  return {};
}

Status bzip2_decompress(std::string_view block, std::size_t limit, std::string& out) {
  bz_stream stream{};
  if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) return failed(Codec::bzip2, "no memory");
  const std::unique_ptr<bz_stream, decltype(&BZ2_bzDecompressEnd)> owner(&stream, &BZ2_bzDecompressEnd);
  stream.next_in = const_cast<char*>(block.data());
  stream.avail_in = static_cast<unsigned>(block.size());
  out.clear();
  std::size_t used = 0;
  for (int result = BZ_OK; result != BZ_STREAM_END;) {
    if (!grow(out, used, limit)) return too_large(Codec::bzip2, limit);
    stream.next_out = out.data() + used;
    stream.avail_out = static_cast<unsigned>(out.size() - used);
    result = BZ2_bzDecompress(&stream);
    const std::size_t now = out.size() - stream.avail_out;
    if (result != BZ_OK && result != BZ_STREAM_END) return damaged(Codec::bzip2, "is damaged");
    if (result == BZ_OK && now == used && stream.avail_in == 0) return damaged(Codec::bzip2, "ends early");
    used = now;
  }
  out.resize(used);
  return {};
}

// -- zstandard

Status zstd_compress(int level, std::string_view raw, std::string& out) {
  out.resize(ZSTD_compressBound(raw.size()));
  const std::size_t used = ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), level < 0 ? 3 : level);
  if (ZSTD_isError(used) != 0) return failed(Codec::zstandard, ZSTD_getErrorName(used));
  out.resize(used);
  return {};
}

Status zstd_decompress(std::string_view block, std::size_t limit, std::string& out) {
  const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(), &ZSTD_freeDStream);
  if (stream == nullptr) return failed(Codec::zstandard, "no memory");
  ZSTD_inBuffer input{block.data(), block.size(), 0};
  out.clear();
  std::size_t used = 0;
  for (std::size_t result = 1; result != 0;) {
    if (!grow(out, used, limit)) return too_large(Codec::zstandard, limit);
    ZSTD_outBuffer output{out.data(), out.size(), used};
    result = ZSTD_decompressStream(stream.get(), &output, &input);
    if (ZSTD_isError(result) != 0) return damaged(Codec::zstandard, ZSTD_getErrorName(result));
    if (result != 0 && output.pos == used && input.pos == input.size) return damaged(Codec::zstandard, "ends early");
    used = output.pos;
  }
  out.resize(used);
  return {};
}

// -- xz

Status xz_compress(int level, std::string_view raw, std::string& out) {
  out.resize(lzma_stream_buffer_bound(raw.size()));
  std::size_t used = 0;
  const auto preset = static_cast<std::uint32_t>(level < 0 ? LZMA_PRESET_DEFAULT : level);
  const lzma_ret result = lzma_easy_buffer_encode(preset, LZMA_CHECK_CRC64, nullptr, bytes_of(raw), raw.size(),
                                                  bytes_of(out), &used, out.size());
  if (result != LZMA_OK) return failed(Codec::xz, "error " + std::to_string(result));
  out.resize(used);
  return {};
}

Status xz_decompress(std::string_view block, std::size_t limit, std::string& out) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kXzMemory, 0) != LZMA_OK) return failed(Codec::xz, "no memory");
  const std::unique_ptr<lzma_stream, decltype(&lzma_end)> owner(&stream, &lzma_end);
  stream.next_in = bytes_of(block);
  stream.avail_in = block.size();
  out.clear();
  std::size_t used = 0;
  for (lzma_ret result = LZMA_OK; result != LZMA_STREAM_END;) {
    if (!grow(out, used, limit)) return too_large(Codec::xz, limit);
    stream.next_out = bytes_of(out) + used;
    stream.avail_out = out.size() - used;
    result = lzma_code(&stream, LZMA_FINISH);
    if (result != LZMA_OK && result != LZMA_STREAM_END) return damaged(Codec::xz, "is damaged");
    used = out.size() - stream.avail_out;
  }
  out.resize(used);
  return {};
}

}  // namespace

Status compress_block(Codec codec, int level, std::string_view raw, std::string& out) {
  if (!fits_int(raw.size())) return failed(codec, "it is larger than 2 GiB");
  switch (codec) {
    case Codec::null: out = raw; return {};
    case Codec::deflate: return deflate_block(level, raw, out);
    case Codec::snappy: return snappy_compress(raw, out);
    case Codec::bzip2: return bzip2_compress(level, raw, out);
    case Codec::zstandard: return zstd_compress(level, raw, out);
    case Codec::xz: return xz_compress(level, raw, out);
  }
  return failed(codec, "unknown codec");
}

Status decompress_block(Codec codec, std::string_view block, std::size_t limit, std::string& out) {
  if (!fits_int(block.size())) return damaged(codec, "is larger than 2 GiB");
  // One more than allowed, so that a block of exactly the limit has room to report its end.
  const std::size_t room = limit + 1;
  Status status;
  switch (codec) {
    case Codec::null: out = block; break;
    case Codec::deflate: status = inflate_block(block, room, out); break;
    case Codec::snappy: status = snappy_decompress(block, limit, out); break;
    case Codec::bzip2: status = bzip2_decompress(block, room, out); break;
    case Codec::zstandard: status = zstd_decompress(block, room, out); break;
    case Codec::xz: status = xz_decompress(block, room, out); break;
  }
  if (status.ok() && out.size() > limit) status = too_large(codec, limit);
  return status;
}

}  // namespace standpipe::avro

#include <algorithm>
#include <limits>

#include <bzlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/check.h"
#include "codec/compress/compressors.h"

namespace standpipe {

namespace {

constexpr std::size_t kRoom = 64 * 1024;
// The libraries count in 32 bits.
constexpr std::size_t kMostAtOnce = 1u << 30;

/// Grows `out` by room for a library to write into and cuts it to what was written.
template <typename Step>
auto with_room(std::string& out, Step step) {
  const std::size_t before = out.size();
  out.resize(before + kRoom);
  std::size_t written = 0;
  auto result = step(out.data() + before, written);
  out.resize(before + written);
  return result;
}

class ZlibCompressor final : public Compressor {
 public:
  explicit ZlibCompressor(ZlibFormat format) {
    // 31: a gzip header round it, 15: a zlib one, both with the largest window, as Hadoop's codecs.
    const int window = format == ZlibFormat::gzip ? 31 : 15;
    CHECK(deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~ZlibCompressor() override { deflateEnd(&stream_); }

  Status write(std::string_view raw, std::string& out) override {
    while (!raw.empty()) {
      const std::size_t size = std::min(raw.size(), kMostAtOnce);
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
      stream_.avail_in = static_cast<uInt>(size);
      while (stream_.avail_in > 0) run(Z_NO_FLUSH, out);
      raw.remove_prefix(size);
      open_ = true;
    }
    return {};
  }

  Status finish(std::string& out) override {
    if (!open_) return {};
    while (run(Z_FINISH, out) != Z_STREAM_END) {
    }
    open_ = false;
    return deflateReset(&stream_) == Z_OK ? Status() : Status(Code::io, "zlib refuses to begin another stream");
  }

 private:
  int run(int mode, std::string& out) {
    return with_room(out, [&](char* room, std::size_t& written) {
      stream_.next_out = reinterpret_cast<Bytef*>(room);
      stream_.avail_out = kRoom;
      const int result = deflate(&stream_, mode);
      CHECK(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
      written = kRoom - stream_.avail_out;
      return result;
    });
  }

  z_stream stream_{};
  bool open_ = false;
};

class Bzip2Compressor final : public Compressor {
 public:
  ~Bzip2Compressor() override {
    if (open_) BZ2_bzCompressEnd(&stream_);
  }

  Status write(std::string_view raw, std::string& out) override {
    if (raw.empty()) return {};
    if (!open_) {
      stream_ = {};
      if (BZ2_bzCompressInit(&stream_, 9, 0, 0) != BZ_OK) return {Code::full, "bzip2: no memory for its tables"};
      open_ = true;
    }
    while (!raw.empty()) {
      const std::size_t size = std::min(raw.size(), kMostAtOnce);
      stream_.next_in = const_cast<char*>(raw.data());
      stream_.avail_in = static_cast<unsigned>(size);
      while (stream_.avail_in > 0) run(BZ_RUN, out);
      raw.remove_prefix(size);
    }
    return {};
  }

  Status finish(std::string& out) override {
    if (!open_) return {};
    while (run(BZ_FINISH, out) != BZ_STREAM_END) {
    }
    BZ2_bzCompressEnd(&stream_);
    open_ = false;
    return {};
  }

 private:
  int run(int mode, std::string& out) {
    return with_room(out, [&](char* room, std::size_t& written) {
      stream_.next_out = room;
      stream_.avail_out = kRoom;
      const int result = BZ2_bzCompress(&stream_, mode);
      CHECK(result >= 0);
      written = kRoom - stream_.avail_out;
      return result;
    });
  }

  bz_stream stream_{};
  bool open_ = false;
};

class ZstdCompressor final : public Compressor {
 public:
  ZstdCompressor() : context_(ZSTD_createCCtx()) { CHECK(context_ != nullptr); }
  ~ZstdCompressor() override { ZSTD_freeCCtx(context_); }
  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;

  Status write(std::string_view raw, std::string& out) override {
    if (raw.empty()) return {};
    open_ = true;
    ZSTD_inBuffer in{raw.data(), raw.size(), 0};
    while (in.pos < in.size) TRY(run(in, ZSTD_e_continue, out).status());
    return {};
  }

  Status finish(std::string& out) override {
    if (!open_) return {};
    ZSTD_inBuffer in{nullptr, 0, 0};
    for (bool more = true; more;) {
      TRY_ASSIGN(more, run(in, ZSTD_e_end, out));
    }
    open_ = false;
    return {};
  }

 private:
  /// Whether there is more to come out.
  Result<bool> run(ZSTD_inBuffer& in, ZSTD_EndDirective mode, std::string& out) {
    const std::size_t left = with_room(out, [&](char* room, std::size_t& written) {
      ZSTD_outBuffer buffer{room, kRoom, 0};
      const std::size_t result = ZSTD_compressStream2(context_, &buffer, &in, mode);
      written = buffer.pos;
      return result;
    });
    if (ZSTD_isError(left)) return Status(Code::io, std::string("zstd: ") + ZSTD_getErrorName(left));
    return left > 0;
  }

  ZSTD_CCtx* context_;
  bool open_ = false;
};

}  // namespace

std::unique_ptr<Compressor> make_zlib_compressor(ZlibFormat format) { return std::make_unique<ZlibCompressor>(format); }
std::unique_ptr<Compressor> make_bzip2_compressor() { return std::make_unique<Bzip2Compressor>(); }
std::unique_ptr<Compressor> make_zstd_compressor() { return std::make_unique<ZstdCompressor>(); }

}  // namespace standpipe

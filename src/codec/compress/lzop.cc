#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "codec/compress/compressors.h"

#ifdef STANDPIPE_LZO
#include <lzo/lzo1x.h>

#include "base/check.h"
#endif

namespace standpipe {

#ifdef STANDPIPE_LZO

namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;
constexpr std::uint32_t kAdlerOfRaw = 0x00000001;

void append_int(std::uint32_t value, int bytes, std::string& out) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xFF));
}

std::uint32_t adler(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      lzo_adler32(1, reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<lzo_uint>(bytes.size())));
}

/// The file format of the lzop tool, as hadoop-lzo's LzopCodec writes it: a header, blocks of [raw length][compressed
/// length][checksum of the raw bytes][bytes], and a zero length as the end.
class LzopCompressor final : public Compressor {
 public:
  LzopCompressor() : work_(LZO1X_1_MEM_COMPRESS) { CHECK(lzo_init() == LZO_E_OK); }

  Status write(std::string_view raw, std::string& out) override {
    if (raw.empty()) return {};
    if (!open_) header(out);
    open_ = true;
    while (!raw.empty()) {
      const std::size_t size = std::min(raw.size(), kBlockBytes - pending_.size());
      pending_.append(raw.substr(0, size));
      raw.remove_prefix(size);
      if (pending_.size() == kBlockBytes) TRY(block(out));
    }
    return {};
  }

  Status finish(std::string& out) override {
    if (!open_) return {};
    if (!pending_.empty()) TRY(block(out));
    append_int(0, 4, out);
    open_ = false;
    return {};
  }

 private:
  static void header(std::string& out) {
    static constexpr std::array<unsigned char, 9> kMagic = {0x89, 'L', 'Z', 'O', 0x00, 0x0d, 0x0a, 0x1a, 0x0a};
    out.append(reinterpret_cast<const char*>(kMagic.data()), kMagic.size());
    const std::size_t checked = out.size();
    append_int(0x1010, 2, out);       // version of the format
    append_int(0x2080, 2, out);       // version of the library
    append_int(0x0940, 2, out);       // version needed to extract
    append_int(1, 1, out);            // LZO1X-1
    append_int(5, 1, out);            // its level
    append_int(kAdlerOfRaw, 4, out);  // flags
    append_int(0x81A4, 4, out);       // a regular file, rw-r--r--
    append_int(0, 4, out);            // time, low
    append_int(0, 4, out);            // and high
    append_int(0, 1, out);            // no file name
    append_int(adler(std::string_view(out).substr(checked)), 4, out);
  }

  Status block(std::string& out) {
    lzo_uint size = 0;
    std::string packed(pending_.size() + pending_.size() / 16 + 64 + 3, '\0');
    const int result = lzo1x_1_compress(reinterpret_cast<const unsigned char*>(pending_.data()),
                                        static_cast<lzo_uint>(pending_.size()),
                                        reinterpret_cast<unsigned char*>(packed.data()), &size, work_.data());
    if (result != LZO_E_OK) return {Code::io, "lzo: a block could not be compressed"};
    packed.resize(size);
    append_int(static_cast<std::uint32_t>(pending_.size()), 4, out);
    const bool smaller = packed.size() < pending_.size();  // else the block is stored raw: equal lengths say so
    const std::string& bytes = smaller ? packed : pending_;
    append_int(static_cast<std::uint32_t>(bytes.size()), 4, out);
    append_int(adler(pending_), 4, out);
    out.append(bytes);
    pending_.clear();
    return {};
  }

  std::vector<unsigned char> work_;
  std::string pending_;
  bool open_ = false;
};

}  // namespace

std::unique_ptr<Compressor> make_lzop_compressor() { return std::make_unique<LzopCompressor>(); }

#else

std::unique_ptr<Compressor> make_lzop_compressor() { return nullptr; }

#endif

}  // namespace standpipe

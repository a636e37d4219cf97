#include <algorithm>

#include <lz4.h>
#include <snappy.h>

#include "codec/compress/compressors.h"

namespace standpipe {

namespace {

// Hadoop's default buffers. A reader holds one decompressed chunk of at most this size, and an older one refuses more.
constexpr std::size_t kBufferBytes = 256 * 1024;

void append_int(std::uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xFF));
}

void put_int(std::uint32_t value, char* target) {
  for (int shift = 24; shift >= 0; shift -= 8) *target++ = static_cast<char>(value >> shift & 0xFF);
}

/// Hadoop's block stream: [raw length][chunk length][chunk], lengths big-endian, one chunk a block here. Blocks stand
/// alone, so that the end of a member needs no mark.
template <typename Chunk>
class BlockStream final : public Compressor {
 public:
  Status write(std::string_view raw, std::string& out) override {
    while (!raw.empty()) {
      if (pending_.empty() && raw.size() >= Chunk::kRawBytes) {  // whole blocks straight from the caller's memory
        TRY(write_block(raw.substr(0, Chunk::kRawBytes), out));
        raw.remove_prefix(Chunk::kRawBytes);
        continue;
      }
      const std::size_t size = std::min(raw.size(), Chunk::kRawBytes - pending_.size());
      pending_.append(raw.substr(0, size));
      raw.remove_prefix(size);
      if (pending_.size() == Chunk::kRawBytes) TRY(flush_block(out));
    }
    return {};
  }

  Status finish(std::string& out) override { return pending_.empty() ? Status() : flush_block(out); }

 private:
  Status flush_block(std::string& out) {
    TRY(write_block(pending_, out));
    pending_.clear();
    return {};
  }

  Status write_block(std::string_view raw, std::string& out) {
    append_int(static_cast<std::uint32_t>(raw.size()), out);
    const std::size_t at = out.size();
    out.resize(at + 4 + Chunk::most(raw.size()));
    const std::size_t size = Chunk::compress(raw, out.data() + at + 4, out.size() - at - 4);
    if (size == 0) return {Code::io, "a block could not be compressed"};
    put_int(static_cast<std::uint32_t>(size), out.data() + at);
    out.resize(at + 4 + size);
    return {};
  }

  std::string pending_;
};

struct SnappyChunk {
  // Hadoop leaves room in its buffer for incompressible data: size / 6 + 32.
  static constexpr std::size_t kRawBytes = kBufferBytes - (kBufferBytes / 6 + 32);
  static std::size_t most(std::size_t raw) { return snappy::MaxCompressedLength(raw); }
  static std::size_t compress(std::string_view raw, char* target, std::size_t /*room*/) {
    std::size_t size = 0;
    snappy::RawCompress(raw.data(), raw.size(), target, &size);
    return size;
  }
};

struct Lz4Chunk {
  // Hadoop's room for incompressible data: size / 255 + 16.
  static constexpr std::size_t kRawBytes = kBufferBytes - (kBufferBytes / 255 + 16);
  static std::size_t most(std::size_t raw) {
    return static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(raw)));
  }
  static std::size_t compress(std::string_view raw, char* target, std::size_t room) {
    const int size = LZ4_compress_default(raw.data(), target, static_cast<int>(raw.size()), static_cast<int>(room));
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }
};

}  // namespace

std::unique_ptr<Compressor> make_snappy_compressor() { return std::make_unique<BlockStream<SnappyChunk>>(); }
std::unique_ptr<Compressor> make_lz4_compressor() { return std::make_unique<BlockStream<Lz4Chunk>>(); }

}  // namespace standpipe

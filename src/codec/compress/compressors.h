#pragma once

#include "codec/compress/compressor.h"

// The compressors one by one; others use make_compressor().
namespace standpipe {

enum class ZlibFormat : unsigned char { zlib, gzip };

std::unique_ptr<Compressor> make_zlib_compressor(ZlibFormat format);
std::unique_ptr<Compressor> make_bzip2_compressor();
std::unique_ptr<Compressor> make_zstd_compressor();
std::unique_ptr<Compressor> make_snappy_compressor();
std::unique_ptr<Compressor> make_lz4_compressor();
/// Null where the LZO library was not there at build time.
std::unique_ptr<Compressor> make_lzop_compressor();

}  // namespace standpipe

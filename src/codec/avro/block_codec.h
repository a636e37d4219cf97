#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "codec/avro/container_writer.h"
#include "standpipe/status.h"

namespace standpipe::avro {

/// Replaces `out` by `raw` compressed as a block of a container file. `level` -1: the codec's default.
Status compress_block(Codec codec, int level, std::string_view raw, std::string& out);

/// Replaces `out` by the decompressed block; Code::corrupt when the bytes are damaged or would grow beyond `limit`.
Status decompress_block(Codec codec, std::string_view block, std::size_t limit, std::string& out);

}  // namespace standpipe::avro

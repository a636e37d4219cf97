// Whatever the pieces, the limit and the slab: a stream split by LineSplitter equals the same text split at once.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/lines/line_splitter.h"

using standpipe::Batch;
using standpipe::LineOptions;
using standpipe::LineSplitter;

namespace {

void collect(const Batch& batch, std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < batch.size(); ++i) lines.emplace_back(batch[i].body);
}

std::vector<std::string> split(std::string_view text, std::size_t piece, std::size_t slab, const LineOptions& options) {
  LineSplitter splitter(options, nullptr, slab);
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto room = splitter.space();
    const std::size_t size = std::min({room.size(), piece, text.size()});
    std::memcpy(room.data(), text.data(), size);
    splitter.added(size);
    text.remove_prefix(size);
    for (std::size_t taken = 4; taken >= 4;) {
      Batch batch;
      taken = splitter.take(batch, Batch::kNoHeaders, 4);
      collect(batch, lines);
    }
  }
  Batch last;
  splitter.finish(last, Batch::kNoHeaders);
  collect(last, lines);
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  LineOptions options;
  options.strip_carriage_return = (data[0] & 1) != 0;
  options.max_length = data[1] % 40;
  options.overlong = (data[0] & 2) != 0 ? LineOptions::Overlong::truncate : LineOptions::Overlong::split;
  const std::string_view text(reinterpret_cast<const char*>(data) + 4, size - 4);
  const auto whole = split(text, text.size() + 1, text.size() + 64, options);
  const auto pieces = split(text, 1 + data[2] % 50, 1 + data[3], options);
  // Where a limit cuts, a carriage return at the cut may or may not have been seen as the line's end.
  if (options.max_length == 0) CHECK(whole == pieces);
  for (const std::string& line : pieces) {
    CHECK(options.max_length == 0 || line.size() <= options.max_length + 1);
    CHECK(line.find('\n') == std::string::npos);
  }
  return 0;
}

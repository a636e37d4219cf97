// taildir's two position files: no input crashes; what was read is written and read again unchanged.

#include <cstdint>

#include "base/check.h"
#include "sources/taildir/position_file.h"

using namespace standpipe::taildir;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto positions = parse_positions(text); positions.ok()) {
    const auto again = parse_positions(format_positions(*positions));
    CHECK(again.ok() && *again == *positions);
  }
  if (const auto knowledge = parse_knowledge(text); knowledge.ok()) {
    const auto again = parse_knowledge(format_knowledge(*knowledge));
    CHECK(again.ok() && *again == *knowledge);
  }
  // Any bytes as a path come back as valid text.
  const auto any = parse_positions(format_positions({{1, 2, std::string(text)}}));
  CHECK(any.ok() && any->size() == 1);
  return 0;
}

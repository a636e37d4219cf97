// spooldir's tracker: no input crashes or makes the reader ask for more memory than there are bytes.

#include <cstdint>

#include "sources/spooldir/tracker_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto position = standpipe::spooldir::parse_tracker({reinterpret_cast<const char*>(data), size});
  if (!position.ok()) position.status().ignore();
  return 0;
}

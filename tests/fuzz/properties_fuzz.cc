// The whole way from bytes to a graph and its rendering: nothing that a file holds may crash, hang or exhaust the
// checker, and what the parser read must survive being written and read again.

#include <cstdint>
#include <cstdlib>

#include "config/check.h"
#include "config/known/known.h"
#include "config/load.h"
#include "config/properties.h"

using namespace standpipe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Diagnostics diagnostics;
  for (const PropertyLine& line : parse_properties(bytes, 0, "fuzz", diagnostics)) {
    Diagnostics none;
    const auto again = parse_properties(format_property(line.key, line.value), 0, "again", none);
    if (again.size() != 1 || again[0].key != line.key || again[0].value != line.value) std::abort();
  }
  const ConfigText text{"fuzz", std::string(bytes)};
  const Configuration loaded = load_configuration({&text, 1}, Catalog(known_components()), {});
  for (const AgentGraph& graph : loaded.agents) render_flow(graph);
  render(loaded.diagnostics);
  return 0;
}

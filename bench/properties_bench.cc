#include <string>

#include <benchmark/benchmark.h>

#include "config/properties.h"

namespace standpipe {
namespace {

// What a configuration file of `components` components looks like: plain lines, a comment, an escape, a continuation.
std::string file_of(std::int64_t components) {
  std::string text = "# an agent\na1.channels = c1\n";
  for (std::int64_t i = 0; i < components; ++i) {
    const std::string prefix = "a1.sinks.k" + std::to_string(i) + ".";
    text += prefix + "type = hdfs\n" + prefix + "channel = c1\n" + prefix + "hdfs.path = file:///data/%Y-%m-%d/%H\n" +
            prefix + "hdfs.filePrefix : caf\\u00e9\n! a remark\n" + prefix + "hdfs.rollInterval = 30\\\n    0\n" +
            prefix + "hdfs.idleTimeout=60\r\n";
  }
  return text;
}

void parse(benchmark::State& state) {
  const std::string text = file_of(state.range(0));
  std::size_t lines = 0;
  for (auto _ : state) {
    Diagnostics diagnostics;
    lines = parse_properties(text, 0, "a.conf", diagnostics).size();
    benchmark::DoNotOptimize(lines);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
  state.SetItemsProcessed(static_cast<std::int64_t>(lines) * state.iterations());
}
BENCHMARK(parse)->Arg(5)->Arg(100)->Arg(5000);

}  // namespace
}  // namespace standpipe

BENCHMARK_MAIN();

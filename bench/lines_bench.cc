#include <cstring>
#include <string>

#include <benchmark/benchmark.h>

#include "codec/lines/line_splitter.h"

namespace standpipe {
namespace {

std::string text_of(std::size_t line_length) {
  std::string text;
  while (text.size() < (256u << 10)) text += std::string(line_length, 'x') + "\n";
  return text;
}

// The floor: how fast the feeds alone can be counted, as `wc -l` does.
void count_feeds(benchmark::State& state) {
  const std::string text = text_of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    std::size_t lines = 0;
    for_each_line(text, [&](std::size_t, std::size_t) { return ++lines != 0; });
    benchmark::DoNotOptimize(lines);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}
BENCHMARK(count_feeds)->Arg(20)->Arg(100)->Arg(300);

// A stream into batches of 100, copy into the slab included.
void split_into_batches(benchmark::State& state) {
  const std::string text = text_of(static_cast<std::size_t>(state.range(0)));
  std::int64_t lines = 0;
  for (auto _ : state) {
    LineSplitter splitter({.max_length = 1 << 20});
    for (std::size_t at = 0; at < text.size();) {
      const std::span<char> room = splitter.space();
      const std::size_t size = std::min(room.size(), text.size() - at);
      std::memcpy(room.data(), text.data() + at, size);
      splitter.added(size);
      at += size;
      for (std::size_t taken = 100; taken == 100;) {
        Batch batch;
        batch.reserve(100);
        taken = splitter.take(batch, Batch::kNoHeaders, 100);
        lines += static_cast<std::int64_t>(taken);
      }
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
  state.SetItemsProcessed(lines);
}
BENCHMARK(split_into_batches)->Arg(20)->Arg(100)->Arg(300);

}  // namespace
}  // namespace standpipe

BENCHMARK_MAIN();

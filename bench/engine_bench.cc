// What the engine itself costs: from deliver() through a memory channel to a committed lease, nothing read or written.
// Each iteration hands over one batch that exists already as text in one slab, as a file source would.

#include <cstring>
#include <thread>

#include <benchmark/benchmark.h>

#include "base/clock.h"
#include "channels/memory/memory_channel.h"
#include "core/ingest.h"
#include "core/sink_runner.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

constexpr std::size_t kLine = 300;

struct Flow {
  explicit Flow(std::size_t channels = 1) {
    IngestPlan plan;
    plan.selector = make_replicating_selector(channels);
    for (std::size_t i = 0; i < channels; ++i) {
      auto channel = kMemoryChannel.create(settings(), world.environment).value();
      if (!channel->start().ok()) std::abort();
      plan.channels.push_back(
          {std::string(1, static_cast<char>('a' + i)), std::shared_ptr<Channel>(std::move(channel))});
    }
    named = plan.channels;
    ingest.emplace(world.environment, engine, std::move(plan));
  }

  static Settings settings() {
    return Settings::parse(*kMemoryChannel.info,
                           {{"capacity", "100000"}, {"transactionCapacity", "10000"}, {"byteCapacity", "0"}})
        .value();
  }

  testing::TestEnvironment world{"r1"};
  EngineThread engine{world.system_clock};
  std::vector<NamedChannel> named;
  std::optional<SourceIngest> ingest;
};

std::shared_ptr<Slab> make_slab(std::size_t events) {
  auto slab = Slab::make(events * kLine);
  std::memset(slab->data(), 'x', events * kLine);
  return slab;
}

Batch make_batch(const std::shared_ptr<Slab>& slab, std::size_t events) {
  Batch batch;
  batch.reserve(events);
  batch.pin(slab);
  for (std::size_t i = 0; i < events; ++i) batch.add({slab->data() + i * kLine, kLine});
  return batch;
}

/// One thread does both sides.
void deliver_take_commit(benchmark::State& state) {
  const auto events = static_cast<std::size_t>(state.range(0));
  Flow flow(static_cast<std::size_t>(state.range(1)));
  const auto slab = make_slab(events);
  for (auto _ : state) {
    if (!flow.ingest->deliver(make_batch(slab, events)).wait().ok()) std::abort();
    for (const NamedChannel& channel : flow.named) {
      Lease lease = channel.channel->take(events).value();
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < lease.size(); ++i) bytes += lease[i].body.size();
      benchmark::DoNotOptimize(bytes);
      if (!lease.commit().ok()) std::abort();
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * events));
}
BENCHMARK(deliver_take_commit)->ArgNames({"batch", "channels"})->ArgsProduct({{1, 100, 1000}, {1, 2}});

class CountingSink final : public BatchSink {
 public:
  using BatchSink::BatchSink;
  Status write(const Lease& lease, std::stop_token) override {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < lease.size(); ++i) bytes += lease[i].body.size();
    benchmark::DoNotOptimize(bytes);
    return {};
  }
};

/// A source thread and a sink runner, as in an agent.
void source_to_sink_runner(benchmark::State& state) {
  const auto events = static_cast<std::size_t>(state.range(0));
  Flow flow;
  testing::TestEnvironment sink_world("k1");
  auto runner = SinkRunner::for_sink("k1", std::make_unique<CountingSink>(sink_world.environment, events),
                                     flow.named.front(), sink_world.environment);
  runner->start();
  const auto slab = make_slab(events);
  for (auto _ : state) {
    if (!flow.ingest->deliver(make_batch(slab, events)).wait().ok()) std::abort();
  }
  while (flow.named.front().channel->size() > 0) std::this_thread::yield();
  runner->stop();
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * events));
}
BENCHMARK(source_to_sink_runner)->ArgName("batch")->Arg(1)->Arg(100)->Arg(1000)->UseRealTime();

}  // namespace
}  // namespace standpipe

BENCHMARK_MAIN();

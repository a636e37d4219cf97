// How fast the bucketing sinks write lines of 300 bytes that are in memory already: 512 MiB a run, into $TMPDIR.
// Compare with `dd conv=fdatasync` (hdfs) and `cat F > G` (file_roll, hdfs without sync) on the same disk.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "sinks/file_roll/file_roll_sink.h"
#include "sinks/hdfs/hdfs_sink.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

constexpr std::size_t kLine = 299;
constexpr std::size_t kBatch = 1000;
constexpr std::size_t kTotal = 512u << 20;

class NothingToSettle final : public LeaseBackend {
 public:
  Status commit(std::size_t, std::size_t) override { return {}; }
  void give_back(std::size_t, std::size_t) override {}
};

/// The same batches again and again, until enough bytes were taken.
class EndlessOutlet final : public Outlet {
 public:
  EndlessOutlet() {
    for (auto& batch : batches_) batch = make();
  }
  Result<Lease> take(std::size_t) override {
    if (taken_ >= kTotal) return Lease();
    taken_ += kBatch * (kLine + 1);
    std::vector<BatchSpan> spans;
    spans.push_back({batches_[turn_++ % 32], 0, kBatch});
    return Lease(std::move(spans), std::make_unique<NothingToSettle>());
  }

 private:
  static BatchPtr make() {
    auto batch = std::make_shared<Batch>();
    const auto slab = Slab::make(kBatch * (kLine + 1));
    std::fill_n(slab->data(), slab->capacity(), 'x');
    batch->pin(slab);
    const auto block = batch->add_headers({{"timestamp", "1700000000000"}, {"host", "h1"}});
    for (std::size_t i = 0; i < kBatch; ++i) batch->add({slab->data() + i * (kLine + 1), kLine}, block);
    return batch;
  }
  BatchPtr batches_[32];
  std::size_t turn_ = 0;
  std::size_t taken_ = 0;
};

void drain(benchmark::State& state, const SinkFactory& factory, const char* folder_key, Settings::Map values) {
  for (auto _ : state) {
    testing::TestEnvironment world("k1");
    values[folder_key] =
        std::string(folder_key == std::string_view("hdfs.path") ? "file://" : "") + world.directory.path();
    const auto settings = Settings::parse(*factory.info, values);
    CHECK(settings.ok());
    auto sink = factory.create(*settings, world.environment);
    CHECK(sink.ok() && (*sink)->start().ok());
    EndlessOutlet outlet;
    for (bool more = true; more;) more = (*sink)->process(outlet, {})->worked;
    (*sink)->stop();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kTotal));
}

const Settings::Map kHdfs = {{"hdfs.fileType", "DataStream"},
                             {"hdfs.rollInterval", "0"},
                             {"hdfs.rollCount", "0"},
                             {"hdfs.rollSize", "0"},
                             {"hdfs.batchSize", "1000"}};

void hdfs_synced(benchmark::State& state) { drain(state, kHdfsSink, "hdfs.path", kHdfs); }
void hdfs_written(benchmark::State& state) {
  Settings::Map values = kHdfs;
  values["hdfs.fileSync"] = "false";
  drain(state, kHdfsSink, "hdfs.path", values);
}
void file_roll(benchmark::State& state) {
  drain(state, kFileRollSink, "sink.directory", {{"sink.rollInterval", "0"}, {"sink.batchSize", "1000"}});
}

BENCHMARK(hdfs_synced)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(hdfs_written)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(file_roll)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace standpipe

BENCHMARK_MAIN();

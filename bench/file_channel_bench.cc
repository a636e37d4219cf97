// What a durable put costs: clients that each wait for their receipt, events of 500 bytes, beside bare loops that write
// and sync the same bytes on the same disk. Run it with --benchmark_enable_random_interleaving
// --benchmark_repetitions=5, TMPDIR on the disk to be measured.
//
// items_per_second counts events (or, for the loops, events' worth of bytes); CPU is that of the whole process.

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

#include <benchmark/benchmark.h>

#include "channels/file/file_channel.h"
#include "core/wakers.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

constexpr std::size_t kBody = 500;

/// The machine's files, with a device that takes longer to sync.
class SlowSyncs final : public FileSystem {
 public:
  explicit SlowSyncs(std::chrono::microseconds delay) : delay_(delay) {}

  Result<std::unique_ptr<File>> open(const std::string& path, Mode mode, unsigned permissions) override {
    TRY_ASSIGN(auto file, inner_.open(path, mode, permissions));
    if (delay_.count() == 0) return file;
    return std::unique_ptr<File>(std::make_unique<SlowFile>(std::move(file), delay_));
  }
  Result<FileInfo> info(const std::string& path, bool follow) override { return inner_.info(path, follow); }
  Result<std::vector<std::string>> list(const std::string& path) override { return inner_.list(path); }
  Status make_directories(const std::string& path) override { return inner_.make_directories(path); }
  Status rename(const std::string& from, const std::string& to) override { return inner_.rename(from, to); }
  Status rename_new(const std::string& from, const std::string& to) override { return inner_.rename_new(from, to); }
  Status remove(const std::string& path) override { return inner_.remove(path); }
  Status remove_directory(const std::string& path) override { return inner_.remove_directory(path); }
  Status sync_directory(const std::string& path) override { return inner_.sync_directory(path); }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, std::string_view owner) override {
    return inner_.lock(path, owner);
  }
  Result<std::uint64_t> free_space(const std::string& path) override { return inner_.free_space(path); }

 private:
  class SlowFile final : public File {
   public:
    SlowFile(std::unique_ptr<File> inner, std::chrono::microseconds delay) : inner_(std::move(inner)), delay_(delay) {}
    Result<std::size_t> read_at(std::uint64_t offset, char* target, std::size_t size) override {
      return inner_->read_at(offset, target, size);
    }
    Status write(std::string_view bytes) override { return inner_->write(bytes); }
    Status write_at(std::uint64_t offset, std::string_view bytes) override { return inner_->write_at(offset, bytes); }
    Status sync() override {
      std::this_thread::sleep_for(delay_);
      return inner_->sync();
    }
    Status truncate(std::uint64_t size) override { return inner_->truncate(size); }
    Status reserve(std::uint64_t size) override { return inner_->reserve(size); }
    Result<FileInfo> info() override { return inner_->info(); }
    Status close() override { return inner_->close(); }

   private:
    std::unique_ptr<File> inner_;
    const std::chrono::microseconds delay_;
  };

  FileSystem& inner_ = real_file_system();
  const std::chrono::microseconds delay_;
};

struct Setup {
  explicit Setup(std::chrono::microseconds delay, bool encrypted = false) : files(delay), world("c1", clock, files) {
    const std::string folder = world.directory.file("channel");
    Settings::Map values = {
        {"checkpointDir", folder + "/checkpoint"}, {"dataDirs", folder + "/data"}, {"capacity", "2000000000"}};
    if (encrypted) {
      values["encryption.keyProvider"] = "COMMAND";
      values["encryption.activeKey"] = "k1";
      values["encryption.keyProvider.keys"] = "k1";
      values["encryption.keyProvider.keys.k1.command"] = "echo " + std::string(64, '7');
    }
    channel =
        kFileChannel.create(Settings::parse(*kFileChannel.info, std::move(values)).value(), world.environment).value();
    if (!channel->start().ok()) std::abort();
  }

  SystemClock clock;
  SlowSyncs files;
  testing::TestEnvironment world;
  std::unique_ptr<Channel> channel;
};

std::unique_ptr<Setup> setup;  // of the benchmark that runs: made and dropped by its first client

BatchPtr make_batch(std::size_t events) {
  Batch batch;
  const auto slab = Slab::make(events * kBody);
  std::memset(slab->data(), 'x', events * kBody);
  batch.pin(slab);
  for (std::size_t i = 0; i < events; ++i) batch.add({slab->data() + i * kBody, kBody});
  return std::make_shared<const Batch>(std::move(batch));
}

void put_until_done(benchmark::State& state, std::size_t events) {
  const BatchPtr batch = make_batch(events);
  for (auto _ : state) {
    auto put = setup->channel->reserve(*batch);  // not before the loop: it begins when all clients are there
    if (!put.ok() || !(*put)->store(batch).wait().ok()) std::abort();
    (*put)->publish();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * events));
}

void put_only(benchmark::State& state) {
  if (state.thread_index() == 0) {
    setup = std::make_unique<Setup>(std::chrono::microseconds(state.range(1)), state.range(2) != 0);
  }
  put_until_done(state, static_cast<std::size_t>(state.range(0)));
  if (state.thread_index() == 0) {
    state.counters["syncs/put"] = static_cast<double>(setup->world.count("SyncCount")) *
                                  static_cast<double>(state.range(0)) /
                                  static_cast<double>(setup->world.count(counter_names::kPutSuccess));
    setup.reset();
  }
}

void drain_until_stopped(std::stop_token stop) {
  Signal events;
  setup->channel->add_event_waker(events);
  while (!stop.stop_requested()) {
    events.arm();
    Lease lease = setup->channel->take(1000).value();
    if (lease.empty()) events.wait(setup->clock, stop, Clock::Steady::max());
    if (!lease.commit().ok()) std::abort();
  }
  setup->channel->remove_event_waker(events);
}

/// One more thread takes and commits all the time, as a null sink does.
void put_and_drain(benchmark::State& state) {
  static std::jthread* drain = nullptr;
  if (state.thread_index() == 0) {
    setup = std::make_unique<Setup>(std::chrono::microseconds(state.range(1)), state.range(2) != 0);
    drain = new std::jthread(&drain_until_stopped);
  }
  put_until_done(state, static_cast<std::size_t>(state.range(0)));
  if (state.thread_index() == 0) {
    state.counters["left"] = static_cast<double>(setup->channel->size());
    delete drain;
    setup.reset();
  }
}

/// One thread runs many clients, as a network loop does: each puts again as soon as its receipt is there.
class Clients final : public Executor {
 public:
  Clients(std::size_t count, std::size_t events) : batch_(make_batch(events)), puts_(count) {}

  void post(std::function<void()> task) override {
    {
      std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }
  /// Until every client has its receipt once more.
  void run_round() {
    for (std::size_t client = 0; client < puts_.size(); ++client) {
      if (puts_[client] == nullptr) begin(client);
    }
    for (std::size_t done = 0; done < puts_.size();) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !tasks_.empty(); });
        running_.swap(tasks_);
      }
      done += running_.size();
      for (const auto& task : running_) task();
      running_.clear();
    }
  }

 private:
  void begin(std::size_t client) {
    auto put = setup->channel->reserve(*batch_);
    if (!put.ok()) std::abort();
    puts_[client] = std::move(*put);
    puts_[client]->store(batch_).then(*this, [this, client](const Status& status) {
      if (!status.ok()) std::abort();
      puts_[client]->publish();
      begin(client);
    });
  }

  const BatchPtr batch_;
  std::vector<std::unique_ptr<Put>> puts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> tasks_;
  std::vector<std::function<void()>> running_;
};

void put_from_one_thread(benchmark::State& state) {
  setup = std::make_unique<Setup>(std::chrono::microseconds(state.range(1)));
  const auto clients = static_cast<std::size_t>(state.range(2));
  {
    Clients loop(clients, static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) loop.run_round();
    setup->channel->stop();  // the last puts complete before the clients go
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * clients) * state.range(0));
  setup.reset();
}

class LoopFile {
 public:
  LoopFile(int flags, bool written_before) {
    descriptor_ = ::open((directory_.file("loop")).c_str(), O_RDWR | O_CREAT | flags, 0644);
    if (descriptor_ < 0) std::abort();
    const std::string zeros(1 << 20, '\0');
    for (std::uint64_t at = 0; written_before && at < kSize; at += zeros.size()) write(zeros.data(), zeros.size());
    if (::fdatasync(descriptor_) != 0) std::abort();
    at_ = 0;
  }
  ~LoopFile() { ::close(descriptor_); }
  void write(const char* bytes, std::size_t size) {
    if (at_ + size > kSize) at_ = 0;
    if (::pwrite(descriptor_, bytes, size, static_cast<off_t>(at_)) != static_cast<ssize_t>(size)) std::abort();
    at_ += size;
  }
  void sync() const {
    if (::fdatasync(descriptor_) != 0) std::abort();
  }

 private:
  static constexpr std::uint64_t kSize = 512u << 20;
  testing::TemporaryDirectory directory_;
  int descriptor_;
  std::uint64_t at_ = 0;
};

/// dd oflag=dsync bs=<batch>, into a file that grows.
void loop_dsync(benchmark::State& state) {
  const std::string bytes(static_cast<std::size_t>(state.range(0)) * kBody, 'x');
  LoopFile file(O_DSYNC, false);
  for (auto _ : state) file.write(bytes.data(), bytes.size());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

/// The same over blocks that were written before: what the device can do at best.
void loop_overwrite(benchmark::State& state) {
  const std::string bytes(static_cast<std::size_t>(state.range(0)) * kBody, 'x');
  LoopFile file(0, true);
  for (auto _ : state) {
    file.write(bytes.data(), bytes.size());
    file.sync();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

/// dd conv=fdatasync: one sync behind 256 MiB.
void loop_stream(benchmark::State& state) {
  const std::string bytes(static_cast<std::size_t>(state.range(0)) * kBody, 'x');
  const std::size_t writes = (256u << 20) / bytes.size();
  for (auto _ : state) {
    LoopFile file(0, false);
    for (std::size_t i = 0; i < writes; ++i) file.write(bytes.data(), bytes.size());
    file.sync();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * writes) * state.range(0));
}

BENCHMARK(loop_dsync)->ArgName("batch")->Arg(1)->Arg(100)->Arg(1000)->UseRealTime();
BENCHMARK(loop_overwrite)->ArgName("batch")->Arg(1)->Arg(100)->Arg(1000)->UseRealTime();
BENCHMARK(loop_stream)->ArgName("batch")->Arg(1000)->UseRealTime();
BENCHMARK(put_only)
    ->ArgNames({"batch", "sync_us", "encrypted"})
    ->ArgsProduct({{1, 100, 1000}, {0, 1000}, {0, 1}})
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK(put_only)
    ->ArgNames({"batch", "sync_us", "encrypted"})
    ->ArgsProduct({{1, 100}, {0, 1000}, {0, 1}})
    ->Threads(16)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK(put_from_one_thread)
    ->ArgNames({"batch", "sync_us", "clients"})
    ->ArgsProduct({{1, 100}, {0, 1000}, {16}})
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK(put_and_drain)
    ->ArgNames({"batch", "sync_us", "encrypted"})
    ->ArgsProduct({{1000}, {0}, {0, 1}})
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK(put_and_drain)
    ->ArgNames({"batch", "sync_us", "encrypted"})
    ->ArgsProduct({{100}, {0}, {0, 1}})
    ->Threads(16)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

}  // namespace
}  // namespace standpipe

BENCHMARK_MAIN();

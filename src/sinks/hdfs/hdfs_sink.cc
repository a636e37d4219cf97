#include "sinks/hdfs/hdfs_sink.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/clock.h"
#include "io/file_system.h"
#include "sinks/hdfs/bucket_set.h"
#include "store/local_store.h"

namespace standpipe {

namespace {

using hdfs::BucketSet;
using hdfs::Config;

// What one sync serves at most: enough that its cost disappears, little enough that a turn stays short.
constexpr std::size_t kTurnBytes = 16u << 20;
constexpr std::size_t kTurnLeases = 512;

class HdfsSink final : public Sink {
 public:
  HdfsSink(Config config, Environment& environment)
      : config_(std::move(config)),
        environment_(environment),
        folder_(config_.folder),
        prefix_(config_.prefix),
        suffix_(config_.suffix),
        batch_empty_(environment.counters.counter(counter_names::kBatchEmpty)),
        batch_underflow_(environment.counters.counter(counter_names::kBatchUnderflow)),
        batch_complete_(environment.counters.counter(counter_names::kBatchComplete)),
        drain_attempt_(environment.counters.counter(counter_names::kDrainAttempt)),
        drain_success_(environment.counters.counter(counter_names::kDrainSuccess)),
        write_fail_(environment.counters.counter(counter_names::kEventWriteFail)) {}
  ~HdfsSink() override { stop(); }

  Status start() override;
  Result<Turn> process(Outlet& outlet, std::stop_token stop) override;
  void stop() override;

 private:
  /// What is there only between start() and stop().
  struct Running {
    Running(const Config& config, Environment& environment)
        : store(environment.files, config.sync ? LocalStore::Durability::synced : LocalStore::Durability::written),
          journal(environment.files, environment.state_dir, config.sync),
          finisher(store, journal, config, environment),
          buckets(store, journal, finisher, config, environment) {}
    LocalStore store;
    hdfs::OpenFileJournal journal;
    hdfs::FileFinisher finisher;
    BucketSet buckets;
  };

  /// Takes leases and sorts their events into buckets until the turn is full or the channel empty.
  Result<std::size_t> gather(Outlet& outlet, std::stop_token stop);
  std::size_t sort(const std::shared_ptr<Lease>& lease);
  Result<BucketSet::Bucket*> bucket_of(const Headers& headers, std::int64_t now_ms);
  Status settle();
  void count_lease(std::size_t size);
  std::optional<Clock::Steady> next_due() const;

  const Config config_;
  Environment& environment_;
  PathExpander folder_;
  PathExpander prefix_;
  PathExpander suffix_;
  std::unique_ptr<Running> running_;

  Counter& batch_empty_;
  Counter& batch_underflow_;
  Counter& batch_complete_;
  Counter& drain_attempt_;
  Counter& drain_success_;
  Counter& write_fail_;
};

Status HdfsSink::start() {
  stop();
  auto running = std::make_unique<Running>(config_, environment_);
  TRY(running->journal.open());
  running->finisher.recover_orphans();
  running_ = std::move(running);
  return {};
}

Result<Turn> HdfsSink::process(Outlet& outlet, std::stop_token stop) {
  if (running_ == nullptr) return Status(Code::stopped, "the hdfs sink is not started");
  const Clock::Steady now = environment_.clock.steady_now();
  running_->finisher.retry_due(now);
  running_->buckets.close_due(now);
  const auto gathered = gather(outlet, stop);
  // What was gathered before a failure of the channel is settled all the same.
  TRY(settle());
  TRY(gathered.status());
  return Turn{.worked = *gathered > 0, .wake_by = next_due()};
}

Result<std::size_t> HdfsSink::gather(Outlet& outlet, std::stop_token stop) {
  std::size_t events = 0;
  std::size_t bytes = 0;
  for (std::size_t leases = 0; leases < kTurnLeases && bytes < kTurnBytes && !stop.stop_requested(); ++leases) {
    TRY_ASSIGN(Lease taken, outlet.take(config_.batch_size));
    count_lease(taken.size());
    if (taken.empty()) break;
    const auto lease = std::make_shared<Lease>(std::move(taken));
    events += lease->size();
    bytes += sort(lease);
  }
  return events;
}

std::size_t HdfsSink::sort(const std::shared_ptr<Lease>& lease) {
  // Equal header blocks lie at equal addresses within a lease only.
  folder_.forget_address();
  prefix_.forget_address();
  suffix_.forget_address();
  const std::int64_t now_ms = environment_.clock.now_ms();
  std::size_t bytes = 0;
  std::size_t first = 0;
  while (first < lease->size()) {
    const Headers* headers = (*lease)[first].headers;
    std::size_t last = first;
    for (; last < lease->size(); ++last) {
      const EventRef event = (*lease)[last];
      if (event.headers != headers) break;
      bytes += event.body.size();
    }
    const auto bucket = bucket_of(*headers, now_ms);
    if (bucket.ok()) {
      running_->buckets.append(**bucket, lease, first, last);
    } else {
      write_fail_.add();
      environment_.log.error(bucket.status().message());
    }
    first = last;
  }
  return bytes;
}

Result<BucketSet::Bucket*> HdfsSink::bucket_of(const Headers& headers, std::int64_t now_ms) {
  TRY_ASSIGN(const std::string_view folder, folder_.expand(headers, now_ms));
  TRY_ASSIGN(const std::string_view prefix, prefix_.expand(headers, now_ms));
  TRY_ASSIGN(const std::string_view suffix, suffix_.expand(headers, now_ms));
  return running_->buckets.find({folder, prefix, suffix});
}

Status HdfsSink::settle() {
  TRY_ASSIGN(const std::size_t committed, running_->buckets.settle());
  drain_success_.add(static_cast<std::int64_t>(committed));
  const auto failures = running_->buckets.take_failures();
  if (failures.empty()) return {};
  write_fail_.add(static_cast<std::int64_t>(failures.size()));
  return failures.front().why.with_context(failures.front().stream + ": ");
}

void HdfsSink::count_lease(std::size_t size) {
  drain_attempt_.add(static_cast<std::int64_t>(size));
  (size == 0 ? batch_empty_ : size < config_.batch_size ? batch_underflow_ : batch_complete_).add();
}

std::optional<Clock::Steady> HdfsSink::next_due() const {
  const auto roll = running_->buckets.next_due();
  const auto retry = running_->finisher.next_due();
  if (!roll || !retry) return roll ? roll : retry;
  return std::min(*roll, *retry);
}

void HdfsSink::stop() {
  if (running_ == nullptr) return;
  running_->buckets.close_all();
  const Status settled = settle();
  if (!settled.ok()) environment_.log.error("while stopping: " + settled.message());
  running_.reset();
}

Result<std::unique_ptr<Sink>> create(const Settings& settings, Environment& environment) {
  TRY_ASSIGN(Config config, Config::parse(settings, environment));
  return std::unique_ptr<Sink>(std::make_unique<HdfsSink>(std::move(config), environment));
}

}  // namespace

const SinkFactory kHdfsSink{&kHdfsSinkInfo, &create};

}  // namespace standpipe

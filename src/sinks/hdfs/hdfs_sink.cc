#include "sinks/hdfs/hdfs_sink.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/parked_streams.h"
#include "io/file_system.h"
#include "sinks/hdfs/bucket_set.h"
#include "store/local_store.h"

namespace standpipe {

namespace {

using hdfs::BucketSet;
using hdfs::Config;
using hdfs::LeasedRun;

// What one sync serves at most: enough that its cost disappears, little enough that a turn stays short.
constexpr std::size_t kTurnBytes = 16u << 20;
constexpr std::size_t kTurnLeases = 512;

// The stream of events that belong to no bucket.
constexpr std::string_view kNowhere = "";

class HdfsSink final : public Sink {
 public:
  HdfsSink(Config config, Environment& environment)
      : config_(std::move(config)),
        environment_(environment),
        folder_(config_.folder),
        prefix_(config_.prefix),
        suffix_(config_.suffix),
        drain_(environment.counters),
        poison_(environment.counters.counter(counter_names::kPoison)),
        quarantined_(environment.counters.counter(counter_names::kQuarantined)) {}
  ~HdfsSink() override { stop(); }

  Status start() override;
  Result<Turn> process(Outlet& outlet, std::stop_token stop) override;
  const Status* held_up() const override { return running_ == nullptr ? nullptr : running_->parked.why_first(); }
  void stop() override;

 private:
  /// What is there only between start() and stop().
  struct Running {
    Running(const Config& config, Environment& environment)
        : store(environment.files, config.sync ? LocalStore::Durability::synced : LocalStore::Durability::written),
          journal(environment.files, environment.state_dir, config.sync),
          finisher(store, journal, config, environment),
          buckets(store, journal, finisher, config, environment),
          parked(environment.clock) {}
    LocalStore store;
    hdfs::OpenFileJournal journal;
    hdfs::FileFinisher finisher;
    BucketSet buckets;
    ParkedStreams parked;
  };
  /// What became of the events of one turn.
  struct Outcome {
    std::size_t taken = 0;
    std::size_t committed = 0;
    std::size_t failed = 0;  // not for poison
    Status why;              // of the last of them
  };

  /// Takes leases and sorts their events into buckets until the turn is full or the channel empty.
  Status gather(Outlet& outlet, std::stop_token stop);
  std::size_t sort(const std::shared_ptr<Lease>& lease);
  void place(const std::shared_ptr<Lease>& lease, std::size_t first, std::size_t last, std::int64_t now_ms);
  Result<BucketSet::Bucket*> bucket_of(const Headers& headers, std::int64_t now_ms);
  void forget_addresses();
  Status settle();

  /// Failed events wait in their lease, each bucket by itself; poison may go to the quarantine instead.
  void park_failures();
  void park(const std::string& stream, const LeasedRun& run, const Status& why);
  bool quarantine(const LeasedRun& run, const Status& why);
  Status write_again(const Lease& lease, ParkedStreams::Range range);
  void report(const std::string& stream, const Status& why);
  std::optional<Clock::Steady> next_due() const;

  const Config config_;
  Environment& environment_;
  PathExpander folder_;
  PathExpander prefix_;
  PathExpander suffix_;
  std::unique_ptr<Running> running_;
  Outcome outcome_;
  LogLimiter warnings_{60'000};

  DrainCounters drain_;
  Counter& poison_;
  Counter& quarantined_;
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
  outcome_ = {};
  running_->finisher.retry_due(now);
  running_->buckets.close_due(now);
  running_->parked.retry_due(
      [&](std::string_view, const Lease& lease, ParkedStreams::Range range) { return write_again(lease, range); });
  const Status gathered = gather(outlet, stop);
  // What was gathered before a failure of the channel is settled all the same.
  const Status settled = settle();
  if (outcome_.taken > 0 && outcome_.committed == 0 && outcome_.failed > 0) {
    // Nothing works: the runner backs off, or a group's next member takes over.
    running_->parked.give_back_all();
    gathered.ignore();  // one failure is enough for the runner
    settled.ignore();
    return outcome_.why;
  }
  TRY(settled);
  TRY(gathered);
  return Turn{.worked = outcome_.taken > 0, .wake_by = next_due()};
}

Status HdfsSink::gather(Outlet& outlet, std::stop_token stop) {
  std::size_t bytes = 0;
  for (std::size_t leases = 0; leases < kTurnLeases && bytes < kTurnBytes && !stop.stop_requested(); ++leases) {
    if (!running_->parked.has_room()) break;
    TRY_ASSIGN(Lease taken, outlet.take(config_.batch_size));
    drain_.batch(taken.size(), config_.batch_size);
    drain_.attempted(taken.size());
    if (taken.empty()) break;
    const auto lease = std::make_shared<Lease>(std::move(taken));
    outcome_.taken += lease->size();
    bytes += sort(lease);
  }
  return {};
}

void HdfsSink::forget_addresses() {
  folder_.forget_address();
  prefix_.forget_address();
  suffix_.forget_address();
}

std::size_t HdfsSink::sort(const std::shared_ptr<Lease>& lease) {
  forget_addresses();  // equal header blocks lie at equal addresses within a lease only
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
    place(lease, first, last, now_ms);
    first = last;
  }
  return bytes;
}

/// [first, last) have one header block, so they share a bucket.
void HdfsSink::place(const std::shared_ptr<Lease>& lease, std::size_t first, std::size_t last, std::int64_t now_ms) {
  const auto bucket = bucket_of(*(*lease)[first].headers, now_ms);
  if (!bucket.ok()) return park(std::string(kNowhere), {lease, first, last}, bucket.status());
  const std::string& stream = BucketSet::key(**bucket);
  if (running_->parked.streams() > 0 && running_->parked.is_parked(stream)) {
    return running_->parked.hold(stream, lease, {{first, last}});
  }
  running_->buckets.append(**bucket, *lease, lease, first, last);
  if (running_->buckets.has_failures()) park_failures();  // at once, so that later events queue behind
}

Result<BucketSet::Bucket*> HdfsSink::bucket_of(const Headers& headers, std::int64_t now_ms) {
  TRY_ASSIGN(const std::string_view folder, folder_.expand(headers, now_ms));
  TRY_ASSIGN(const std::string_view prefix, prefix_.expand(headers, now_ms));
  TRY_ASSIGN(const std::string_view suffix, suffix_.expand(headers, now_ms));
  return running_->buckets.find({folder, prefix, suffix});
}

Status HdfsSink::settle() {
  const auto committed = running_->buckets.settle();
  park_failures();
  TRY(committed.status());
  outcome_.committed += *committed;
  drain_.succeeded(*committed);
  return {};
}

void HdfsSink::park_failures() {
  for (const hdfs::FailedRuns& failed : running_->buckets.take_failures()) {
    bool first = true;
    for (const LeasedRun& run : failed.runs) {
      if (run.lease == nullptr) continue;
      // Of a poisoned bucket only the first event is at fault; what comes behind it waits for its turn.
      const bool at_fault = std::exchange(first, false) || failed.why.code() != Code::poison;
      if (at_fault) {
        park(failed.stream, run, failed.why);
      } else if (running_->parked.is_parked(failed.stream)) {
        running_->parked.hold(failed.stream, run.lease, {{run.first, run.last}});
      } else if (run.first < run.last) {
        place(run.lease, run.first, run.last, environment_.clock.now_ms());
      }
    }
  }
}

void HdfsSink::park(const std::string& stream, const LeasedRun& run, const Status& why) {
  const bool poisoned = why.code() == Code::poison;
  if (poisoned) {
    poison_.add(static_cast<std::int64_t>(run.last - run.first));
    if (quarantine(run, why)) return report(stream, why);
  } else {
    drain_.write_failed();
    outcome_.failed += run.last - run.first;
    outcome_.why = why;
    outcome_.why.ignore();  // report() tells it; the runner is told the last one of a turn in which nothing worked
  }
  report(stream, why);
  running_->parked.fail(stream, run.lease, {{run.first, run.last}}, why);
}

bool HdfsSink::quarantine(const LeasedRun& run, const Status& why) {
  if (environment_.quarantine == nullptr) return false;
  for (std::size_t i = run.first; i < run.last; ++i) {
    if (!environment_.quarantine->put((*run.lease)[i], why).ok()) return false;
  }
  quarantined_.add(static_cast<std::int64_t>(run.last - run.first));
  outcome_.committed += run.last - run.first;
  const Status committed = run.lease->commit(run.first, run.last);
  if (!committed.ok()) environment_.log.warn("events in the dead-letter file will come again: " + committed.message());
  return true;
}

void HdfsSink::report(const std::string& stream, const Status& why) {
  const auto held = warnings_.pass(environment_.clock.now_ms());
  if (!held) return;
  const std::string where = stream == kNowhere ? "no folder" : BucketSet::display(stream);
  const std::string_view what = why.code() != Code::poison ? "they are tried again"
                                : environment_.quarantine != nullptr
                                    ? "they went to the dead-letter file"
                                    : "they stay and block their folder: repair the cause, or set "
                                      "onPoison = quarantine";
  environment_.log.error(fmt::format("events for {} can't be written: {}; {} ({} such messages held back)", where,
                                     why.message(), what, *held));
}

Status HdfsSink::write_again(const Lease& lease, ParkedStreams::Range range) {
  forget_addresses();
  TRY_ASSIGN(BucketSet::Bucket* const bucket, bucket_of(*lease[range.first].headers, environment_.clock.now_ms()));
  running_->buckets.append(*bucket, lease, nullptr, range.first, range.last);
  const auto committed = running_->buckets.settle();
  Status why;
  for (const hdfs::FailedRuns& failed : running_->buckets.take_failures()) {
    for (const LeasedRun& run : failed.runs) {
      if (run.lease != nullptr) park(failed.stream, run, failed.why);  // another bucket's, closed by time
    }
    if (failed.stream == BucketSet::key(*bucket) && why.ok()) why = failed.why;
  }
  why.ignore();  // where the channel's own failure comes first
  TRY(committed.status());
  if (why.ok()) {
    outcome_.committed += range.last - range.first;
    drain_.succeeded(range.last - range.first);
  } else {
    report(BucketSet::key(*bucket), why);
  }
  return why;
}

std::optional<Clock::Steady> HdfsSink::next_due() const {
  std::optional<Clock::Steady> next;
  for (const auto& due : {running_->buckets.next_due(), running_->finisher.next_due(), running_->parked.next_due()}) {
    if (due && (!next || *due < *next)) next = due;
  }
  return next;
}

void HdfsSink::stop() {
  if (running_ == nullptr) return;
  running_->buckets.close_all();
  const Status settled = settle();
  if (!settled.ok()) environment_.log.error("while stopping: " + settled.message());
  running_->parked.give_back_all();
  running_.reset();
}

Result<std::unique_ptr<Sink>> create(const Settings& settings, Environment& environment) {
  TRY_ASSIGN(Config config, Config::parse(settings, environment));
  return std::unique_ptr<Sink>(std::make_unique<HdfsSink>(std::move(config), environment));
}

}  // namespace

const SinkFactory kHdfsSink{&kHdfsSinkInfo, &create};

}  // namespace standpipe

#include "channels/file/file_channel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "channels/file/age_marks.h"
#include "channels/file/backlog_reader.h"
#include "channels/file/consumption_log.h"
#include "channels/file/damaged_bytes.h"
#include "channels/file/data_directory.h"
#include "channels/file/default_folders.h"
#include "channels/file/file_channel_options.h"
#include "channels/file/recovery.h"
#include "core/wakers.h"

namespace standpipe {

using namespace file_channel;

namespace {

constexpr std::chrono::seconds kConsumptionSync{1};
constexpr std::chrono::minutes kComplainEvery{1};
constexpr std::uint64_t kConsumptionLimit = 4u << 20;

/// Sabotage only.
IntervalSet everything() {
  IntervalSet all;
  all.add({0, std::uint64_t{1} << 62});
  return all;
}

constexpr std::string_view kDamaged = "EventDamagedCount";
constexpr std::string_view kDamagedBytes = "DamagedBytes";
constexpr std::string_view kTakenOver = "EventTakenOverCount";
constexpr std::string_view kDamagedKept = "DamagedBytesKept";
constexpr std::string_view kMissing = "EventMissingCount";
constexpr std::string_view kSyncs = "SyncCount";
constexpr std::string_view kSyncFailures = "SyncFailCount";
constexpr std::string_view kSegments = "SegmentCount";
constexpr std::string_view kDiskFull = "DiskFull";

}  // namespace

struct FileChannel::Shared {
  Shared(Options chosen, Environment& environment)
      : options(std::move(chosen)),
        put_attempt(environment.counters.counter(counter_names::kPutAttempt)),
        put_success(environment.counters.counter(counter_names::kPutSuccess)),
        take_attempt(environment.counters.counter(counter_names::kTakeAttempt)),
        take_success(environment.counters.counter(counter_names::kTakeSuccess)),
        damaged(environment.counters.counter(kDamaged)),
        damaged_bytes(environment.counters.counter(kDamagedBytes)),
        damaged_kept(environment.counters.counter(kDamagedKept)),
        missing(environment.counters.counter(kMissing)),
        taken_over(environment.counters.counter(kTakenOver)),
        syncs(environment.counters.counter(kSyncs)),
        sync_failures(environment.counters.counter(kSyncFailures)) {}

  Options current() const {
    std::lock_guard lock(mutex);
    return options;
  }

  mutable std::mutex mutex;
  Options options;
  WakerList space_wakers;
  WakerList event_wakers;
  Counter& put_attempt;
  Counter& put_success;
  Counter& take_attempt;
  Counter& take_success;
  Counter& damaged;
  Counter& damaged_bytes;
  Counter& damaged_kept;
  Counter& missing;
  Counter& taken_over;
  Counter& syncs;
  Counter& sync_failures;
};

// -- from start() to stop() -------------------------------------------------------------------------------------------

/// One start of the channel: what was recovered, the writers' threads and the housekeeper's. Puts and leases share it.
class FileChannel::Life : public std::enable_shared_from_this<FileChannel::Life> {
 public:
  static Result<std::shared_ptr<Life>> begin(std::shared_ptr<Shared> shared, Environment& environment);
  ~Life() { end(); }

  void end();
  /// Takes over all but the folders.
  void apply(const Options& options);
  bool open() const { return open_.load(std::memory_order_acquire); }

  Result<std::unique_ptr<Put>> reserve(const Batch& batch);
  Result<Lease> take(std::size_t max_events);
  Status commit(const std::vector<Range>& numbers);
  void give_back(std::vector<NumberedEvents> events);
  void take_back(Range numbers);

  std::size_t segment_count();
  /// Of the oldest event, up to a second more; of those from before the start since their segment was begun.
  std::int64_t oldest_age_ms();
  void note_time(std::uint64_t first) { ages_.note(first, environment_.clock.now_ms()); }
  bool disk_full() const;
  EventQueue& queue() { return queue_; }
  MemoryBudget& budget() { return environment_.budget; }
  Form form() const { return keys_.active() == nullptr ? Form::clear : Form::encrypted; }
  Shared& shared() { return *shared_; }

 private:
  Life(std::shared_ptr<Shared> shared, Environment& environment, Options options, KeyRing keys, Recovered recovered);

  Status start();
  Result<DataDirectory*> choose_directory();
  Result<bool> load();
  void report(const std::string& path, const Damage& damage);
  void report_missing(const std::vector<Range>& missing);
  void mark_dirty();

  void keep_house(std::stop_token stop);
  void housekeeping(Clock::Steady now);
  Status take_snapshot();
  void delete_segments(const IntervalSet& gone);
  void complain(const Status& status);

  std::shared_ptr<Shared> shared_;
  Environment& environment_;
  const Options options_;
  const KeyRing keys_;
  std::vector<DirectoryGuard> guards_;
  const std::uint64_t channel_id_;
  EventQueue queue_;
  AgeMarks ages_;
  ConsumptionLog consumption_;
  std::atomic<std::uint64_t> next_segment_;
  WriterContext writer_context_;
  std::vector<std::unique_ptr<DataDirectory>> directories_;
  std::atomic<std::size_t> turn_{0};
  std::mutex reader_mutex_;
  std::unique_ptr<BacklogReader> reader_;
  std::atomic<bool> open_{false};

  std::mutex house_mutex_;
  std::condition_variable_any house_changed_;
  std::atomic<bool> dirty_{false};  // something went since the last snapshot
  Clock::Steady snapshot_due_{};
  Clock::Steady complained_{};
  std::jthread housekeeper_;
};

class FileChannel::FilePut final : public Put {
 public:
  FilePut(std::shared_ptr<Life> life, DataDirectory& directory, std::size_t events)
      : life_(std::move(life)), directory_(directory), events_(events) {}

  ~FilePut() override {
    if (published_) return;
    if (batch_ == nullptr) {
      life_->queue().release(events_);
      life_->shared().space_wakers.wake_all();
    } else if (events_ > 0) {
      life_->take_back({first_, first_ + events_});
    }
  }

  Receipt store(BatchPtr batch) override {
    CHECK(batch_ == nullptr && batch->size() == events_);
    batch_ = std::move(batch);
    if (events_ == 0) return Receipt::completed();
    DataDirectory::Stored stored = directory_.store(EncodedPut(*batch_, life_->form(), life_->budget()));
    first_ = stored.first;
    life_->note_time(first_);
    return std::move(stored.receipt);
  }

  void publish() override {
    CHECK(batch_ != nullptr && !published_);
    published_ = true;
    if (events_ == 0) return;
    life_->queue().publish(first_, std::move(batch_));
    life_->shared().put_success.add(static_cast<std::int64_t>(events_));
    life_->shared().event_wakers.wake_all();
  }

 private:
  std::shared_ptr<Life> life_;
  DataDirectory& directory_;
  const std::size_t events_;
  BatchPtr batch_;
  std::uint64_t first_ = 0;
  bool published_ = false;
};

class FileChannel::FileLease final : public LeaseBackend {
 public:
  FileLease(std::shared_ptr<Life> life, std::vector<NumberedEvents> events)
      : life_(std::move(life)), events_(std::move(events)) {}

  Status commit(std::size_t first, std::size_t last) override {
    std::vector<Range> numbers;
    for (const NumberedEvents& part : covered(first, last)) {
      if (!numbers.empty() && numbers.back().end == part.first) {
        numbers.back().end = part.end();
      } else {
        numbers.push_back({part.first, part.end()});
      }
    }
    return life_->commit(numbers);
  }
  void give_back(std::size_t first, std::size_t last) override { life_->give_back(covered(first, last)); }

 private:
  /// What stands under the positions [first, last) of the lease.
  std::vector<NumberedEvents> covered(std::size_t first, std::size_t last) const {
    std::vector<NumberedEvents> result;
    std::size_t position = 0;
    for (const NumberedEvents& events : events_) {
      const std::size_t from = std::max(first, position);
      const std::size_t to = std::min(last, position + events.count);
      const std::size_t skipped = from - position;
      if (from < to) result.push_back({events.first + skipped, events.batch, events.at + skipped, to - from});
      position += events.count;
      if (position >= last) break;
    }
    return result;
  }

  std::shared_ptr<Life> life_;
  std::vector<NumberedEvents> events_;
};

FileChannel::Life::Life(std::shared_ptr<Shared> shared, Environment& environment, Options options, KeyRing keys,
                        Recovered recovered)
    : shared_(std::move(shared)),
      environment_(environment),
      options_(std::move(options)),
      keys_(std::move(keys)),
      guards_(std::move(recovered.guards)),
      channel_id_(recovered.channel_id),
      queue_(options_.limits, std::move(recovered.gone), recovered.next, environment.budget),
      consumption_(environment.files, environment.log, options_.folders.checkpoint, channel_id_, recovered.generation),
      next_segment_(recovered.next_segment),
      writer_context_{.files = environment.files,
                      .clock = environment.clock,
                      .log = environment.log,
                      .channel_id = channel_id_,
                      .keys = keys_,
                      .segment_size = options_.segment_size,
                      .minimum_free = options_.minimum_free,
                      .queue = queue_,
                      .next_segment = next_segment_,
                      .lost =
                          [this](const std::vector<Range>& numbers) {
                            for (const Range& range : numbers) queue_.take_back(range);
                            consumption_.append(numbers);
                            mark_dirty();
                          },
                      .usable_again = [this] { shared_->space_wakers.wake_all(); },
                      .syncs = shared_->syncs,
                      .sync_failures = shared_->sync_failures} {
  std::vector<Segment> before;
  for (const auto& segments : recovered.segments) before.insert(before.end(), segments.begin(), segments.end());
  std::sort(before.begin(), before.end(), [](const Segment& a, const Segment& b) { return a.first < b.first; });
  for (const Segment& segment : before) ages_.note(segment.first, segment.made_ms);
  std::vector<const SegmentList*> lists;
  for (std::size_t i = 0; i < options_.folders.data.size(); ++i) {
    directories_.push_back(
        std::make_unique<DataDirectory>(writer_context_, options_.folders.data[i], std::move(recovered.segments[i])));
    lists.push_back(&directories_.back()->segments());
  }
  const DirectoryReader::Context reading{environment.files, channel_id_, keys_, environment.budget};
  reader_ = std::make_unique<BacklogReader>(
      reading, lists, [this](const std::string& path, const Damage& damage) { report(path, damage); });
}

Result<std::shared_ptr<FileChannel::Life>> FileChannel::Life::begin(std::shared_ptr<Shared> shared,
                                                                    Environment& environment) {
  Options options = shared->current();
  TRY_ASSIGN(options.folders, choose_folders(options.folders, environment));
  TRY_ASSIGN(KeyRing keys, load_keys(options.keys, environment.files));
  TRY_ASSIGN(Recovered recovered, recover(options.folders, keys, environment, &options.from_flume));
  shared->taken_over.add(static_cast<std::int64_t>(recovered.taken_over.events));
  shared->damaged.add(static_cast<std::int64_t>(recovered.taken_over.damaged));
  std::shared_ptr<Life> life(
      new Life(std::move(shared), environment, std::move(options), std::move(keys), std::move(recovered)));
  TRY(life->start());
  return life;
}

Status FileChannel::Life::start() {
  const Owner owner{channel_id_, environment_.agent, environment_.component};
  for (std::size_t i = 0; i < guards_.size(); ++i) {
    const auto known = guards_[i].read_owner();
    if (!known.ok() || !*known) TRY(guards_[i].claim(owner, i > 0));
  }
  for (const auto& directory : directories_) TRY(directory->start());
  // A full disk must not keep sinks from emptying the channel.
  if (Status taken = take_snapshot(); taken.ok()) {
    delete_segments(queue_.gone());
  } else {
    if (taken.code() != Code::full) return taken;
    complain(taken);
  }
  const std::int64_t waiting = queue_.size();
  if (waiting > 0) environment_.log.info(fmt::format("{} events wait from before", waiting));
  snapshot_due_ = environment_.clock.steady_now() + options_.checkpoint_interval;
  open_.store(true, std::memory_order_release);
  housekeeper_ = std::jthread([this](std::stop_token stop) { keep_house(stop); });
  return {};
}

void FileChannel::Life::end() {
  const bool was_open = open_.exchange(false);
  for (const auto& directory : directories_) directory->stop();
  if (housekeeper_.joinable()) {
    housekeeper_.request_stop();
    housekeeper_.join();
  }
  if (was_open && (options_.checkpoint_on_close || consumption_.behind())) {
    Status taken = take_snapshot();
    if (!taken.ok()) complain(taken);
  }
  if (was_open) consumption_.sync().ignore();  // power loss may repeat the last second, as at any time
  guards_.clear();
}

void FileChannel::Life::apply(const Options& options) {
  queue_.set_limits(options.limits);
  writer_context_.segment_size = options.segment_size;
  writer_context_.minimum_free = options.minimum_free;
}

Result<DataDirectory*> FileChannel::Life::choose_directory() {
  DataDirectory* chosen = nullptr;
  Status refusal;
  std::size_t least = 0;
  const std::size_t turn = directories_.size() == 1 ? 0 : turn_.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    DataDirectory& directory = *directories_[(turn + i) % directories_.size()];
    Status usable = directory.usable();
    if (!usable.ok()) {
      refusal = std::move(usable);
      continue;
    }
    const std::size_t waiting = directories_.size() == 1 ? 0 : directory.waiting();
    if (chosen == nullptr || waiting < least) {
      chosen = &directory;
      least = waiting;
    }
  }
  if (chosen == nullptr) return refusal;
  refusal.ignore();  // another one takes it
  return chosen;
}

Result<std::unique_ptr<Put>> FileChannel::Life::reserve(const Batch& batch) {
  shared_->put_attempt.add(static_cast<std::int64_t>(batch.size()));
  if (!can_be_recorded(batch)) return Status(Code::poison, "an event is larger than a record can be (1 GiB)");
  TRY_ASSIGN(DataDirectory* const directory, choose_directory());
  if (!batch.empty()) TRY(queue_.reserve(batch.size()));
  return std::unique_ptr<Put>(std::make_unique<FilePut>(shared_from_this(), *directory, batch.size()));
}

Result<Lease> FileChannel::Life::take(std::size_t max_events) {
  std::vector<NumberedEvents> taken;
  std::size_t count = queue_.take(max_events, taken);
  const auto limit = std::min(max_events, static_cast<std::size_t>(queue_.limits().transaction_events));
  while (count < limit) {
    const auto more = load();
    if (!more.ok() && count == 0) return more.status();
    if (!more.ok()) more.status().ignore();  // it comes again when what was taken is done with
    if (!more.ok() || !*more) break;
    count += queue_.take(limit - count, taken);
  }
  shared_->take_attempt.add(count == 0 ? 1 : static_cast<std::int64_t>(count));  // an empty take counts, as with Flume
  if (count == 0) return Lease();
  std::vector<BatchSpan> spans;
  spans.reserve(taken.size());
  for (const NumberedEvents& events : taken) spans.push_back({events.batch, events.at, events.count});
  return Lease(std::move(spans), std::make_unique<FileLease>(shared_from_this(), std::move(taken)));
}

/// Brings a chunk of what is on disk into memory, when that comes next.
Result<bool> FileChannel::Life::load() {
  if (!queue_.wanted_from_disk()) return false;
  std::lock_guard lock(reader_mutex_);
  const auto wanted = queue_.wanted_from_disk();
  if (!wanted) return true;  // another taker has just loaded it
  TRY_ASSIGN(const BacklogReader::Loaded loaded, reader_->read(*wanted));
  queue_.loaded(loaded);
  if (!loaded.missing.empty()) report_missing(loaded.missing);
  return true;
}

void FileChannel::Life::report(const std::string& path, const Damage& damage) {
  // Nobody waits for it any more: taken, or given up by a repair.
  if (damage.numbers.size() > 0 && queue_.gone().covers(damage.numbers)) return;
  shared_->damaged_bytes.add(static_cast<std::int64_t>(damage.bytes));
  shared_->damaged.add(static_cast<std::int64_t>(damage.numbers.size()));
  environment_.log.error(fmt::format(
      "{}: damage at {}, {} bytes ({}){}", path, damage.offset, damage.bytes, damage.what,
      damage.numbers.size() == 0 ? std::string()
                                 : fmt::format(", events {} to {}", damage.numbers.first, damage.numbers.end - 1)));
  const auto kept = keep_damaged_bytes(environment_.files, path, damage.offset, damage.bytes);
  if (!kept.ok() && kept.status().code() == Code::not_found) return kept.status().ignore();  // the file is gone
  if (!kept.ok()) environment_.log.warn("what is damaged can't be copied: " + kept.status().message());
  if (kept.ok()) shared_->damaged_kept.add(static_cast<std::int64_t>(*kept));
}

void FileChannel::Life::report_missing(const std::vector<Range>& missing) {
  std::uint64_t count = 0;
  for (const Range& range : missing) count += range.size();
  shared_->missing.add(static_cast<std::int64_t>(count));
  environment_.log.warn(
      fmt::format("{} events, from {} on, are not on disk: they were never acknowledged, or were lost to damage", count,
                  missing.front().first));
  consumption_.append(missing);
  mark_dirty();
  shared_->space_wakers.wake_all();
}

Status FileChannel::Life::commit(const std::vector<Range>& numbers) {
  if (!open()) return {Code::stopped, "the channel was stopped: the events come again"};
  queue_.commit(numbers);
  consumption_.append(numbers);
  mark_dirty();
  std::uint64_t count = 0;
  for (const Range& range : numbers) count += range.size();
  shared_->take_success.add(static_cast<std::int64_t>(count));
  shared_->space_wakers.wake_all();
  return {};
}

void FileChannel::Life::give_back(std::vector<NumberedEvents> events) {
  queue_.give_back(std::move(events));
  shared_->event_wakers.wake_all();
}

void FileChannel::Life::take_back(Range numbers) {
  queue_.take_back(numbers);
  if (!open()) return;  // after the stop it is as if the process had ended in between
  consumption_.append({{numbers}});
  mark_dirty();
  shared_->space_wakers.wake_all();
}

std::size_t FileChannel::Life::segment_count() {
  std::size_t count = 0;
  for (const auto& directory : directories_) count += directory->segments().size();
  return count;
}

std::int64_t FileChannel::Life::oldest_age_ms() {
  const auto oldest = queue_.oldest();
  const std::int64_t stored = oldest ? ages_.stored_at(*oldest) : 0;
  return stored == 0 ? 0 : std::max<std::int64_t>(0, environment_.clock.now_ms() - stored);
}

bool FileChannel::Life::disk_full() const {
  return std::any_of(directories_.begin(), directories_.end(),
                     [](const auto& directory) { return directory->usable().code() == Code::full; });
}

// -- the housekeeper --------------------------------------------------------------------------------------------------

void FileChannel::Life::mark_dirty() {
  if (dirty_.load(std::memory_order_relaxed) || dirty_.exchange(true)) return;
  std::lock_guard lock(house_mutex_);
  house_changed_.notify_all();
}

void FileChannel::Life::keep_house(std::stop_token stop) {
  Clock& clock = environment_.clock;
  while (!stop.stop_requested()) {
    {
      // Idle: nothing to sync, nothing to save, so no wake-up.
      std::unique_lock lock(house_mutex_);
      house_changed_.wait(lock, stop, [this] { return dirty_.load(); });
    }
    clock.sleep_for(kConsumptionSync, stop);
    housekeeping(clock.steady_now());
  }
}

void FileChannel::Life::housekeeping(Clock::Steady now) {
  const IntervalSet gone = queue_.gone();  // before the sync, which makes it durable
  Status synced = consumption_.sync();
  const bool full = consumption_.size() >= kConsumptionLimit || consumption_.behind();
  if (full || now >= snapshot_due_) {
    snapshot_due_ = now + shared_->current().checkpoint_interval;
    dirty_ = false;
    synced = take_snapshot();
    // It must come again, also when nothing else happens.
    if (!synced.ok()) mark_dirty();
  }
  if (!synced.ok()) return complain(synced);
  delete_segments(gone);
}

Status FileChannel::Life::take_snapshot() {
  TRY(consumption_.begin());
  // In this order: what goes from here on is in the new file, what went before is in this copy.
  Snapshot snapshot;
  snapshot.channel_id = channel_id_;
  snapshot.generation = consumption_.generation();
  snapshot.next = queue_.next();
  snapshot.gone = queue_.gone().ranges();
  for (const auto& directory : directories_) {
    Snapshot::DirectoryState state{directory->folder(), {}};
    for (const Segment& segment : directory->segments().all())
      state.segments.push_back({segment.id, segment.first, segment.end});
    snapshot.directories.push_back(std::move(state));
  }
  return consumption_.save(snapshot);
}

/// `gone` must be durable: a gap may not be mistaken for damage.
void FileChannel::Life::delete_segments(const IntervalSet& gone) {
  for (const auto& directory : directories_) {
    for (const Segment& segment :
         directory->segments().without_events(FAILPOINT("file.delete_early") ? everything() : gone)) {
      Status removed = environment_.files.remove(segment.path);
      if (!removed.ok() && removed.code() != Code::not_found) {
        complain(removed);
        continue;
      }
      directory->segments().remove(segment.id);
    }
  }
}

void FileChannel::Life::complain(const Status& status) {
  const Clock::Steady now = environment_.clock.steady_now();
  status.ignore();
  if (complained_ != Clock::Steady{} && now < complained_ + kComplainEvery) return;
  complained_ = now;
  environment_.log.error("what sinks have taken can't be made durable, a crash now may repeat it: " +
                         status.to_string());
}

// -- the channel ------------------------------------------------------------------------------------------------------

FileChannel::FileChannel(std::shared_ptr<Shared> shared, Environment& environment)
    : environment_(environment), shared_(std::move(shared)) {
  CounterGroup& counters = environment_.counters;
  counters.gauge(counter_names::kChannelSize, [this] { return static_cast<double>(size()); });
  counters.gauge(counter_names::kChannelCapacity, [this] { return static_cast<double>(capacity()); });
  counters.gauge(counter_names::kChannelFill,
                 [this] { return static_cast<double>(size()) / static_cast<double>(capacity()) * 100.0; });
  counters.gauge(kSegments, [this] {
    const auto now = life();
    return now == nullptr ? 0.0 : static_cast<double>(now->segment_count());
  });
  counters.gauge(counter_names::kOldestEventAge, [this] {
    const auto now = life();
    return now == nullptr ? 0.0 : static_cast<double>(now->oldest_age_ms());
  });
  counters.gauge(kDiskFull, [this] {
    const auto now = life();
    return now != nullptr && now->disk_full() ? 1.0 : 0.0;
  });
}

FileChannel::~FileChannel() {
  environment_.counters.clear_gauges();
  stop();
}

std::shared_ptr<FileChannel::Life> FileChannel::life() const {
  std::lock_guard lock(mutex_);
  return life_;
}

Status FileChannel::start() {
  if (life() != nullptr) return {};
  TRY_ASSIGN(auto made, Life::begin(shared_, environment_));
  {
    std::lock_guard lock(mutex_);
    life_ = std::move(made);
  }
  // Who waits must look again: for room, or for what was left from before.
  shared_->space_wakers.wake_all();
  shared_->event_wakers.wake_all();
  return {};
}

void FileChannel::stop() {
  const auto ending = life();
  if (ending == nullptr) return;
  ending->end();
  {
    std::lock_guard lock(mutex_);
    life_.reset();
  }
  shared_->space_wakers.wake_all();
  shared_->event_wakers.wake_all();
}

Result<std::unique_ptr<Put>> FileChannel::reserve(const Batch& batch) {
  const auto now = life();
  if (now == nullptr || !now->open()) return Status(Code::stopped, "the channel is stopped");
  return now->reserve(batch);
}

Result<Lease> FileChannel::take(std::size_t max_events) {
  const auto now = life();
  if (now == nullptr || !now->open()) return Lease();
  return now->take(max_events);
}

void FileChannel::add_space_waker(Waker& waker) { shared_->space_wakers.add(waker); }
void FileChannel::remove_space_waker(Waker& waker) { shared_->space_wakers.remove(waker); }
void FileChannel::add_event_waker(Waker& waker) { shared_->event_wakers.add(waker); }
void FileChannel::remove_event_waker(Waker& waker) { shared_->event_wakers.remove(waker); }

std::int64_t FileChannel::size() const {
  const auto now = life();
  return now == nullptr ? 0 : now->queue().size();
}

std::int64_t FileChannel::capacity() const { return shared_->current().limits.events; }
std::int64_t FileChannel::transaction_capacity() const { return shared_->current().limits.transaction_events; }
std::chrono::milliseconds FileChannel::keep_alive() const { return shared_->current().keep_alive; }

Status FileChannel::reconfigure(const Settings& settings) {
  TRY_ASSIGN(Options wanted, read_options(settings, environment_));
  {
    std::lock_guard lock(shared_->mutex);
    Options& options = shared_->options;
    const bool same_folders =
        wanted.folders.checkpoint == options.folders.checkpoint && wanted.folders.data == options.folders.data;
    if (!same_folders) return {Code::invalid, "other folders need a channel that is made anew"};
    if (wanted.keys != options.keys) return {Code::invalid, "other keys need a channel that is made anew"};
    options = std::move(wanted);
  }
  if (const auto now = life(); now != nullptr) now->apply(shared_->current());
  shared_->space_wakers.wake_all();
  return {};
}

namespace {
Result<std::unique_ptr<Channel>> create(const Settings& settings, Environment& environment) {
  TRY_ASSIGN(Options options, read_options(settings, environment));
  auto shared = std::make_shared<FileChannel::Shared>(std::move(options), environment);
  return std::unique_ptr<Channel>(std::make_unique<FileChannel>(std::move(shared), environment));
}
}  // namespace

const ChannelFactory kFileChannel{&file_channel::kInfo, &create};

}  // namespace standpipe

#include "channels/file/life.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "channels/file/damaged_bytes.h"
#include "channels/file/default_folders.h"
#include "channels/file/known_folders.h"

namespace standpipe::file_channel {

// -- puts and leases --------------------------------------------------------------------------------------------------

class FilePut final : public Put {
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

class FileLease final : public LeaseBackend {
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

// -- from start to end ------------------------------------------------------------------------------------------------

Life::Life(std::shared_ptr<Shared> shared, Environment& environment, Options options, KeyRing keys, Recovered recovered)
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
                            std::shared_lock lock(notes_);
                            for (const Range& range : numbers) queue_.take_back(range);
                            consumption_.append(numbers);
                            mark_dirty();
                          },
                      .segment_made = [this] { mark_dirty(); },
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

Result<std::shared_ptr<Life>> Life::begin(std::shared_ptr<Shared> shared, Environment& environment) {
  Options options = shared->current();
  TRY_ASSIGN(options.folders, choose_folders(options.folders, environment));
  TRY_ASSIGN(KeyRing keys, load_keys(options.keys, environment.files));
  TRY_ASSIGN(Recovered recovered, recover(options.folders, keys, environment, &options.from_flume));
  shared->taken_over.add(static_cast<std::int64_t>(recovered.taken_over.events));
  shared->damaged.add(static_cast<std::int64_t>(recovered.taken_over.damaged));
  const std::vector<Range> lost = recovered.lost;
  std::shared_ptr<Life> life(
      new Life(std::move(shared), environment, std::move(options), std::move(keys), std::move(recovered)));
  TRY(life->start());
  life->report_missing(lost);
  return life;
}

Status Life::start() {
  const Owner owner{channel_id_, environment_.agent, environment_.component};
  for (std::size_t i = 0; i < guards_.size(); ++i) {
    const auto known = guards_[i].read_owner();
    if (!known.ok() || !*known) TRY(guards_[i].claim(owner, i > 0));
  }
  Status begun = begin_writing();
  if (begun.ok()) begun = begin_recording();
  if (!begun.ok()) {
    for (const auto& directory : directories_) directory->stop();
    delete_segments({});  // the empty ones of starts before, or each try would leave one more
    return begun;
  }
  const std::int64_t waiting = queue_.size();
  if (waiting > 0) environment_.log.info(fmt::format("{} events wait from before", waiting));
  snapshot_due_ = environment_.clock.steady_now() + options_.checkpoint_interval;
  open_.store(true, std::memory_order_release);
  housekeeper_ = std::jthread([this](std::stop_token stop) { keep_house(stop); });
  return {};
}

/// One directory that works is enough: the others are tried again, and what waits in them can be taken.
Status Life::begin_writing() {
  Status refusal;
  bool any = false;
  for (const auto& directory : directories_) {
    Status started = directory->start();
    // A full disk must not keep sinks from emptying the channel.
    any = any || started.ok() || started.code() == Code::full;
    refusal = std::move(started);
  }
  if (!any) return refusal;
  refusal.ignore();  // the directory has said it
  return {};
}

Status Life::begin_recording() {
  Status taken = take_snapshot();
  dirty_ = false;
  if (!taken.ok() && taken.code() != Code::full) return taken;
  if (taken.ok()) {
    delete_segments(queue_.gone());
  } else {
    mark_dirty();
    complain(taken);
  }
  return {};
}

void Life::end() {
  bool was_open = false;
  {
    std::lock_guard lock(notes_);  // a commit that came before is in the log, one that comes later is refused
    was_open = open_.exchange(false);
  }
  for (const auto& directory : directories_) directory->stop();
  if (housekeeper_.joinable()) {
    housekeeper_.request_stop();
    housekeeper_.join();
  }
  if (was_open && (shared_->current().checkpoint_on_close || consumption_.behind())) {
    Status taken = take_snapshot();
    if (!taken.ok()) complain(taken);
  }
  if (was_open) consumption_.sync().ignore();  // power loss may repeat the last second, as at any time
  guards_.clear();
}

void Life::apply(const Options& options) {
  queue_.set_limits(options.limits);
  writer_context_.segment_size = options.segment_size;
  writer_context_.minimum_free = options.minimum_free;
}

Result<DataDirectory*> Life::choose_directory() {
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

Result<std::unique_ptr<Put>> Life::reserve(const Batch& batch) {
  shared_->put_attempt.add(static_cast<std::int64_t>(batch.size()));
  if (!can_be_recorded(batch)) return Status(Code::poison, "an event is larger than a record can be (1 GiB)");
  TRY_ASSIGN(DataDirectory* const directory, choose_directory());
  if (!batch.empty()) TRY(queue_.reserve(batch.size()));
  return std::unique_ptr<Put>(std::make_unique<FilePut>(shared_from_this(), *directory, batch.size()));
}

Result<Lease> Life::take(std::size_t max_events) {
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
Result<bool> Life::load() {
  if (!queue_.wanted_from_disk()) return false;
  std::lock_guard lock(reader_mutex_);
  const auto wanted = queue_.wanted_from_disk();
  if (!wanted) return true;  // another taker has just loaded it
  TRY_ASSIGN(const BacklogReader::Loaded loaded, reader_->read(*wanted));
  {
    std::shared_lock notes(notes_);
    queue_.loaded(loaded);
    consumption_.append(loaded.missing);
  }
  report_missing(loaded.missing);
  return true;
}

void Life::report(const std::string& path, const Damage& damage) {
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

void Life::report_missing(const std::vector<Range>& missing) {
  if (missing.empty()) return;
  const std::uint64_t count = count_of(missing);
  shared_->missing.add(static_cast<std::int64_t>(count));
  environment_.log.warn(
      fmt::format("{} events, from {} on, are not on disk: they were never acknowledged, or were lost to damage", count,
                  missing.front().first));
  mark_dirty();
  shared_->space_wakers.wake_all();
}

Status Life::commit(const std::vector<Range>& numbers) {
  {
    std::shared_lock lock(notes_);
    if (!open()) return {Code::stopped, "the channel was stopped: the events come again"};
    queue_.commit(numbers);
    consumption_.append(numbers);
  }
  mark_dirty();
  shared_->take_success.add(static_cast<std::int64_t>(count_of(numbers)));
  shared_->space_wakers.wake_all();
  return {};
}

void Life::give_back(std::vector<NumberedEvents> events) {
  queue_.give_back(std::move(events));
  shared_->event_wakers.wake_all();
}

void Life::take_back(Range numbers) {
  {
    std::shared_lock lock(notes_);
    queue_.take_back(numbers);
    if (!open()) return;  // after the stop it is as if the process had ended in between
    consumption_.append({{numbers}});
  }
  mark_dirty();
  shared_->space_wakers.wake_all();
}

std::size_t Life::segment_count() {
  std::size_t count = 0;
  for (const auto& directory : directories_) count += directory->segments().size();
  return count;
}

std::int64_t Life::oldest_age_ms() {
  const auto oldest = queue_.oldest();
  const std::int64_t stored = oldest ? ages_.stored_at(*oldest) : 0;
  return stored == 0 ? 0 : std::max<std::int64_t>(0, environment_.clock.now_ms() - stored);
}

Status Life::trouble() const {
  for (const auto& directory : directories_) {
    Status usable = directory->usable();
    if (!usable.ok() && usable.code() != Code::stopped) return usable.with_context("takes no events: ");
  }
  if (consumption_.behind()) {
    return {Code::io, "what sinks have taken can't be written to " + options_.folders.checkpoint +
                          ", a crash now would repeat it"};
  }
  return {};
}

bool Life::disk_full() const {
  return std::any_of(directories_.begin(), directories_.end(),
                     [](const auto& directory) { return directory->usable().code() == Code::full; });
}

}  // namespace standpipe::file_channel

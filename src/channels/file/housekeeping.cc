// The part of a channel's life that runs beside puts and takes: what went is made durable once a second, snapshots are
// taken, segments without events are deleted.

#include "base/failpoint.h"
#include "channels/file/life.h"

namespace standpipe::file_channel {

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

}  // namespace

void Life::mark_dirty() {
  if (dirty_.load(std::memory_order_relaxed) || dirty_.exchange(true)) return;
  std::lock_guard lock(house_mutex_);
  house_changed_.notify_all();
}

void Life::keep_house(std::stop_token stop) {
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

void Life::housekeeping(Clock::Steady now) {
  dirty_ = false;                    // before the look: what goes from here on asks for another one
  const IntervalSet gone = noted();  // before the sync, which makes it durable
  Status synced = consumption_.sync();
  const bool full = consumption_.size() >= kConsumptionLimit || consumption_.behind();
  const bool snapshot = full || now >= snapshot_due_;
  if (snapshot) {
    snapshot_due_ = now + shared_->current().checkpoint_interval;
    synced.ignore();  // the snapshot has everything
    synced = take_snapshot();
  }
  // Without a good one it must come again, also when nothing else happens.
  if (!snapshot || !synced.ok()) mark_dirty();
  if (synced.ok()) return delete_segments(gone);
  complain(synced);
  // A full disk would stay full: room for the note comes from what the note is about. The oldest segments go, so that
  // a start sees by what is left that they are gone.
  IntervalSet oldest;
  oldest.add({0, gone.end_of(0)});
  delete_segments(oldest);
}

/// What is gone and in the consumption log.
IntervalSet Life::noted() const {
  std::lock_guard lock(notes_);
  return queue_.gone();
}

Status Life::take_snapshot() {
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

/// `gone` should be durable: a gap is reported as if it were damage.
void Life::delete_segments(const IntervalSet& gone) {
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

void Life::complain(const Status& status) {
  const Clock::Steady now = environment_.clock.steady_now();
  status.ignore();
  if (complained_ != Clock::Steady{} && now < complained_ + kComplainEvery) return;
  complained_ = now;
  environment_.log.error("what sinks have taken can't be made durable, a crash now may repeat it: " + status.message());
}

}  // namespace standpipe::file_channel

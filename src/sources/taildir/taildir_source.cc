#include "sources/taildir/taildir_source.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/failpoint.h"

namespace standpipe {

using namespace std::chrono_literals;
using taildir::FileSet;
using taildir::SavedState;

namespace {
// A channel on a disk that stalls for seconds must not stop the reading: what is not read may be rotated away. A writer
// that we follow line by line fills batches of a few lines, some hundred a second.
constexpr std::size_t kMaxFlights = 4096;
constexpr std::size_t kMaxFlightBytes = 8u << 20;
// With notices from the kernel looking around is only a safety net.
constexpr std::chrono::milliseconds kLookInterval = 2s;
constexpr std::chrono::milliseconds kPollInterval = 50ms;
// A deleted file is read to its end; who still writes into it has so long to do so.
constexpr std::chrono::milliseconds kDeletedGrace = 1s;
constexpr std::chrono::milliseconds kNoRoomPause = 20ms;
// Receipts of an earlier life of a file, and of a sabotaged build, change no position.
constexpr std::uint32_t kNoLife = ~0u;
}  // namespace

TaildirSource::TaildirSource(Options options, Environment& environment)
    : options_(std::move(options)),
      environment_(environment),
      events_received_(environment.counters.counter(counter_names::kEventReceived)),
      events_accepted_(environment.counters.counter(counter_names::kEventAccepted)),
      batches_received_(environment.counters.counter(counter_names::kAppendBatchReceived)),
      batches_accepted_(environment.counters.counter(counter_names::kAppendBatchAccepted)),
      channel_write_fail_(environment.counters.counter(counter_names::kChannelWriteFail)),
      read_fail_(environment.counters.counter(counter_names::kEventReadFail)),
      processing_fail_(environment.counters.counter(counter_names::kGenericProcessingFail)),
      lag_(std::make_shared<std::atomic<std::int64_t>>(0)),
      open_files_(std::make_shared<std::atomic<std::int64_t>>(0)) {
  environment.counters.gauge("TaildirLag", [lag = lag_] { return static_cast<double>(lag->load()); });
  environment.counters.gauge("OpenFiles", [open = open_files_] { return static_cast<double>(open->load()); });
}

TaildirSource::~TaildirSource() { stop(); }

// -- start and stop

Status TaildirSource::check_directories() {
  for (const taildir::FileGroup& group : options_.groups) {
    const auto info = environment_.files.info(group.directory);
    if (!info.ok() || info->type != FileInfo::Type::directory) {
      return {Code::not_found, fmt::format("Directory does not exist: {} (filegroups.{}); make it, or change the group",
                                           group.directory, group.name)};
    }
  }
  return {};
}

Status TaildirSource::start(Ingest& ingest) {
  stop();
  TRY(check_directories());
  const std::size_t slash = options_.position_file.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    TRY(environment_.files.make_directories(options_.position_file.substr(0, slash)));
  }
  ingest_ = &ingest;
  in_flight_ = std::make_unique<Deliveries>();
  reader_ = std::make_unique<taildir::TailReader>(
      options_.reader, environment_.budget,
      [this](TailFile& file, Batch batch, const Mark& end) { deliver(file, std::move(batch), end); });
  FileSet::Options set = options_.set;
  set.on_new = [this](TailFile& file) { begin(file); };
  set.on_unreadable = [this](const Status& status) { tell_read_failure(status); };
  files_ = std::make_unique<FileSet>(options_.groups, std::move(set), environment_);
  watch_ = taildir::DirectoryWatch::open(in_flight_->bell());
  polling_ = watch_ == nullptr;
  // Watched before it is listed: what comes in between is told twice rather than never.
  for (const std::string& directory : files_->directories()) polling_ |= !polling_ && !watch_->watch(directory);
  if (polling_) environment_.log.warn("no inotify here (fs.inotify.max_user_instances or _watches?): polling instead");

  saved_ = SavedState::load(environment_, options_.position_file);
  const Status scanned = files_->scan(true);
  if (scanned.ok()) adopt_rotated();
  const std::uint64_t positions_hash = saved_->positions_hash();
  saved_.reset();
  TRY(scanned);
  writer_ = std::make_unique<taildir::PositionWriter>(environment_.files, options_.position_file, positions_hash,
                                                      [this](const Status& status) { positions_failed(status); });
  look_interval_ = polling_ ? kPollInterval : std::clamp(options_.idle_timeout / 2, kPollInterval, kLookInterval);
  next_look_ = environment_.clock.steady_now() + look_interval_;
  next_write_ = environment_.clock.steady_now() + options_.write_interval;
  return {};
}

void TaildirSource::stop() {
  watch_ = nullptr;
  writer_ = nullptr;
  ready_.clear();
  failed_.clear();
  files_ = nullptr;
  reader_ = nullptr;
  ingest_ = nullptr;
  in_flight_ = nullptr;
  backoff_ = 0ms;
  retry_at_ = {};
  open_files_->store(0);
}

// Truncated under a writer that kept its offset, while nobody looked.
bool TaildirSource::starts_with_hole(const TailFile& file) {
  constexpr std::uint64_t kProof = taildir::Fingerprint::kTailBytes;
  const auto start = taildir::read_fingerprint(*file.file, kProof, kProof);
  return start.ok() && *start == taildir::Fingerprint::of(std::string(kProof, '\0'));
}

// A file that was not known: where to begin.
void TaildirSource::begin(TailFile& file) {
  positions_changed_ = true;
  if (saved_.has_value()) {
    Mark mark;
    begun_ = saved_->find(file, mark);
    if (begun_ == SavedState::Found::unknown && options_.skip_to_end) {
      const auto tail = taildir::read_fingerprint(*file.file, file.size, taildir::Fingerprint::kTailBytes);
      mark = {file.size, tail.ok() ? *tail : taildir::Fingerprint{}};
    }
    file.read = mark;
    file.progress = DeliveryProgress<Mark>(mark);
    if (auto head = taildir::read_fingerprint(*file.file,
                                              std::min<std::uint64_t>(mark.offset, taildir::Fingerprint::kHeadBytes),
                                              taildir::Fingerprint::kHeadBytes);
        head.ok()) {
      file.head = *head;
    }
    // Empty now, of another content before: its writer may go on behind a hole.
    file.skip_nuls = mark.offset == 0 && (begun_ == SavedState::Found::replaced || starts_with_hole(file));
  }
  environment_.log.info(
      fmt::format("Opening file: {}, inode: {}, pos: {}", file.path, file.id.inode, file.read.offset));
  if (file.has_unread()) {
    enqueue(file);
  } else if (saved_.has_value()) {
    // Thousands of old files need no descriptor until they grow.
    files_->close(file);
  }
}

// Files that were renamed out of their pattern while nobody looked, with something unread.
void TaildirSource::adopt_rotated() {
  const std::map<taildir::FileIdentity, taildir::Knowledge> missing = saved_->missing();
  if (missing.empty()) return;
  for (const std::string& directory : files_->directories()) {
    const auto names = environment_.files.list(directory);
    if (!names.ok()) continue;
    for (const std::string& name : *names) {
      const auto info = environment_.files.info(directory + "/" + name, false);
      if (!info.ok() || info->type != FileInfo::Type::file) continue;
      const auto known = missing.find({info->device, info->inode});
      if (known == missing.end()) continue;
      TailFile* file = files_->adopt(directory, name, known->second.path);
      if (file == nullptr) continue;
      // Another content under an old number: not ours.
      if (begun_ != SavedState::Found::resumed) file->read.offset = file->size;
      file->progress = DeliveryProgress<Mark>(file->read);
      // Its writer may still hold it open.
      if (begun_ == SavedState::Found::resumed && file->file == nullptr) files_->open(*file);
    }
  }
}

void TaildirSource::enqueue(TailFile& file) {
  // Opened now, not when its turn comes: while a full channel makes us wait the file may go.
  if (file.file == nullptr && files_->open_files() < options_.set.max_open) files_->open(file);
  if (file.queued) return;
  file.queued = true;
  ready_.push_back(&file);
}

// -- handing over

void TaildirSource::deliver(TailFile& file, Batch batch, const Mark& end) {
  const std::uint64_t ticket = file.progress.add(file.read, end);
  file.read = end;
  batches_received_.add();
  events_received_.add(static_cast<std::int64_t>(batch.size()));
  hand_over(file, ticket, std::move(batch));
}

void TaildirSource::hand_over(TailFile& file, std::uint64_t ticket, Batch batch) {
  Ticket note{&file, file.life, ticket};
  ++file.flights;
  if (FAILPOINT("taildir.position_before_receipt")) {
    file.progress.complete(ticket, true);
    positions_changed_ = true;
    note.life = kNoLife;
  }
  const auto landed = in_flight_->deliver(*ingest_, std::move(batch), note);
  FAILPOINT("taildir.after_deliver");
  if (landed.has_value()) settle(*landed);
}

void TaildirSource::settle(const Deliveries::Landed& landed) {
  const auto [in, life, range] = landed.ticket;
  TailFile& file = *in;
  --file.flights;
  const bool stored = landed.status.ok();
  if (stored) {
    batches_accepted_.add();
    events_accepted_.add(static_cast<std::int64_t>(landed.events));
    backoff_ = 0ms;
  } else {
    channel_write_fail_.add();
    back_off(landed.status);
  }
  if (life != file.life) {
    if (!stored && life != kNoLife) lost(file);
    return;
  }
  if (file.progress.complete(range, stored)) positions_changed_ = true;
  if (!stored) failed_.push_back(&file);
}

void TaildirSource::settle_all() {
  if (unwritten_.exchange(false)) positions_changed_ = true;
  for (const Deliveries::Landed& landed : in_flight_->landed()) settle(landed);
}

void TaildirSource::back_off(const Status& status) {
  const Steady now = environment_.clock.steady_now();
  if (now < retry_at_) return;  // several receipts fail together
  backoff_ = std::min(backoff_ + options_.backoff_step, options_.backoff_limit);
  retry_at_ = now + backoff_;
  environment_.log.warn(
      fmt::format("The channel is full or unexpected failure. The source will try again after {} ms ({})",
                  backoff_.count(), status.message()));
}

// One range that the channel refused is read and handed over again.
bool TaildirSource::retry_one() {
  TailFile& file = *failed_.front();
  failed_.pop_front();
  const auto range = file.progress.retry();
  if (!range.has_value()) return true;  // of an earlier life
  Batch batch;
  const auto outcome = reader_->reread(file, range->begin, range->end, batch);
  if (outcome.ok() && *outcome == Outcome::read) {
    hand_over(file, range->ticket, std::move(batch));
    return true;
  }
  file.progress.complete(range->ticket, false);
  failed_.push_back(&file);
  if (outcome.ok() && *outcome == Outcome::replaced) {
    restart(file, "was truncated or replaced");
  } else if (outcome.ok()) {
    no_room_ = true;
  } else {
    read_fail_.add();
    back_off(outcome.status());
  }
  return false;
}

// -- reading

bool TaildirSource::work(Steady now) {
  no_room_ = false;
  if (now < retry_at_ || in_flight_->count() >= kMaxFlights || in_flight_->bytes() >= kMaxFlightBytes) return false;
  if (!failed_.empty()) return retry_one();
  if (ready_.empty()) return false;
  TailFile& file = *ready_.front();
  ready_.pop_front();
  file.queued = false;
  take_turn(file, now);
  return !no_room_;
}

void TaildirSource::take_turn(TailFile& file, Steady now) {
  // A path that leads elsewhere now is found by the next look around.
  if (file.file == nullptr && !files_->open(file)) return;
  const std::uint64_t before = file.read.offset + file.partial;
  const auto outcome = reader_->read(file);
  if (!outcome.ok()) return read_failed(file, outcome.status());
  if (file.read.offset + file.partial != before) file.last_growth = now;
  switch (*outcome) {
    case Outcome::more: enqueue(file); break;
    case Outcome::replaced:
      restart(file,
              file.size < file.read.offset ? "is smaller than its position" : "has other content before its position");
      break;
    case Outcome::no_room:
      no_room_ = true;
      enqueue(file);
      break;
    case Outcome::read:
    case Outcome::nothing: break;
  }
  if (file.head.size < taildir::Fingerprint::kHeadBytes && file.head.size < file.read.offset) {
    const std::uint64_t size = std::min<std::uint64_t>(file.read.offset, taildir::Fingerprint::kHeadBytes);
    if (const auto head = taildir::read_fingerprint(*file.file, size, size); head.ok()) file.head = *head;
  }
}

void TaildirSource::restart(TailFile& file, std::string_view why) {
  environment_.log.info(fmt::format("{} {} ({}, size {}): truncated or replaced. Restarting from pos 0, inode: {}",
                                    file.path, why, file.read.offset, file.size, file.id.inode));
  if (file.progress.has_failed()) lost(file);
  ++file.life;
  file.progress = DeliveryProgress<Mark>();
  file.read = {};
  file.partial = 0;
  file.chunk = 0;
  file.head = {};
  file.skip_nuls = true;
  positions_changed_ = true;
  enqueue(file);
}

void TaildirSource::lost(const TailFile& file) {
  read_fail_.add();
  environment_.log.error(file.path +
                         ": truncated or replaced while the channel refused its lines: some are lost. Use a channel "
                         "with more capacity, or rotate by renaming");
}

void TaildirSource::read_failed(TailFile& file, const Status& status) {
  tell_read_failure(status);
  if (!file.gone && file.settled()) files_->close(file);  // the next look around opens it again
}

void TaildirSource::tell_read_failure(const Status& status) {
  status.ignore();  // those that the limit holds back are counted
  read_fail_.add();
  if (const auto held = error_limit_.pass(environment_.clock.now_ms())) {
    environment_.log.error(
        fmt::format("Unable to tail files: {} ({} more since the last such line)", status.message(), *held));
  }
}

// -- looking after

void TaildirSource::take_changes() {
  if (!in_flight_->rung()) return;
  const taildir::DirectoryWatch::Changes changes = watch_->take();
  for (const auto& change : changes.changes) {
    // Who had the name until now is read to its end at once, also when the name went away or leads elsewhere.
    if (TailFile* file = files_->find(change.directory, change.name); file != nullptr) enqueue(*file);
    if (!change.content_only) {
      files_->look_at(change.directory, change.name);
      positions_changed_ = true;
    }
    if (TailFile* file = files_->find(change.directory, change.name); file != nullptr) enqueue(*file);
  }
  if (changes.overflow) next_look_ = {};
}

void TaildirSource::look_around(Steady now) {
  if (now < next_look_) return;
  if (watch_ != nullptr) {
    for (const std::string& directory : files_->directories()) watch_->watch(directory);
  }
  if (const Status status = files_->scan(false); !status.ok()) {
    if (const auto held = error_limit_.pass(environment_.clock.now_ms())) environment_.log.error(status.message());
  }
  bool grew = false;
  for (std::size_t i = 0; i < files_->files().size(); ++i) {
    TailFile& file = *files_->files()[i];
    if (file.gone) {
      if (file.file == nullptr) continue;
      if (const auto info = file.file->info(); info.ok()) file.size = info->size;
    } else {
      const std::size_t slash = file.path.rfind('/');
      files_->look_at(slash == 0 ? "/" : file.path.substr(0, slash), file.path.substr(slash + 1));
    }
    if (file.size != file.read.offset + file.partial) {
      enqueue(file);
      grew = true;
    }
    close_quiet(file, now);
  }
  forget_finished();
  files_->limit_open();
  publish_gauges();
  // Never more than a hundredth of the time on looking, and hardly any while nothing happens.
  const auto cost = std::chrono::duration_cast<std::chrono::milliseconds>(environment_.clock.steady_now() - now);
  if (polling_) look_interval_ = grew ? kPollInterval : std::min<std::chrono::milliseconds>(look_interval_ * 2, 1s);
  next_look_ = now + std::max(look_interval_, cost * 100);
}

void TaildirSource::close_quiet(TailFile& file, Steady now) {
  if (file.file == nullptr || file.queued || !file.settled()) return;
  std::chrono::milliseconds patience = options_.idle_timeout;
  if (file.gone) {
    const auto info = file.file->info();
    if (!info.ok() || info->links == 0) patience = std::min(patience, kDeletedGrace);
  }
  if (now - file.last_growth < patience) return;
  if (file.partial > 0) {
    // The unterminated last line counts as one when nobody goes on with it, as in Flume.
    const auto outcome = reader_->read_rest(file);
    if (!outcome.ok()) read_failed(file, outcome.status());
    if (!outcome.ok() || *outcome == Outcome::read || *outcome == Outcome::more) return;
    if (*outcome == Outcome::replaced) return restart(file, "is not what was read");
    if (*outcome == Outcome::no_room) return;
  }
  environment_.log.info(fmt::format("Closed file: {}, inode: {}, pos: {}", file.path, file.id.inode, file.read.offset));
  files_->close(file);
}

void TaildirSource::forget_finished() {
  std::vector<TailFile*> finished;
  for (const auto& file : files_->files()) {
    if (file->gone && file->file == nullptr && file->settled() && !file->queued) finished.push_back(file.get());
  }
  for (TailFile* file : finished) {
    std::erase(failed_, file);
    files_->forget(*file);
    positions_changed_ = true;
  }
}

// On the writer's thread.
void TaildirSource::positions_failed(const Status& status) {
  processing_fail_.add();
  if (position_limit_.pass(environment_.clock.now_ms())) {
    environment_.log.error(
        fmt::format("Failed writing positionFile: {}; tried again every {} ms. Reading goes on; after a crash all that "
                    "was delivered since the last good one comes again",
                    status.message(), options_.write_interval.count()));
  }
  unwritten_ = true;
}

void TaildirSource::write_positions(Steady now, bool last) {
  if (!positions_changed_ || (!last && now < next_write_)) return;
  positions_changed_ = false;
  next_write_ = now + options_.write_interval;
  std::vector<taildir::Position> positions;
  std::vector<taildir::Knowledge> knowledge;
  for (const auto& file : files_->files()) {
    const Mark& mark = file->progress.committed();
    if (!file->gone) positions.push_back({file->id.inode, mark.offset, file->path});
    if (file->gone && mark.offset == file->size) continue;
    knowledge.push_back(
        {file->id.device, file->id.inode, mark.offset, file->size, file->head, mark.tail, file->gone, file->path});
  }
  writer_->post({taildir::format_positions(positions), std::move(knowledge)});
}

void TaildirSource::publish_gauges() {
  std::int64_t lag = 0;
  for (const auto& file : files_->files()) {
    const std::uint64_t committed = file->progress.committed().offset;
    if (file->size > committed) lag += static_cast<std::int64_t>(file->size - committed);
  }
  lag_->store(lag);
  open_files_->store(static_cast<std::int64_t>(files_->open_files()));
  if (reader_->overlong_lines() == overlong_reported_) return;
  if (const auto held = overlong_limit_.pass(environment_.clock.now_ms())) {
    environment_.log.warn(fmt::format("{} lines were longer than maxLineLength ({} bytes)",
                                      reader_->overlong_lines() - overlong_reported_,
                                      options_.reader.lines.max_length));
    overlong_reported_ = reader_->overlong_lines();
  }
}

void TaildirSource::wait(Steady now, std::stop_token stop) {
  Steady until = next_look_;
  if (positions_changed_) until = std::min(until, next_write_);
  if (now < retry_at_) until = std::min(until, retry_at_);
  if (no_room_) until = std::min(until, now + kNoRoomPause);
  in_flight_->wait(environment_.clock, stop, until);
}

Status TaildirSource::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const Steady now = environment_.clock.steady_now();
    settle_all();
    take_changes();
    look_around(now);
    const bool worked = work(now);
    write_positions(now, false);
    if (!worked) wait(now, stop);
  }
  drain();
  return {};
}

void TaildirSource::drain() {
  in_flight_->drain([this](const Deliveries::Landed& landed) { settle(landed); });
  settle_all();
  write_positions(environment_.clock.steady_now(), true);
}

}  // namespace standpipe

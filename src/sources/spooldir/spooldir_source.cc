#include "sources/spooldir/spooldir_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"

namespace standpipe {

using namespace std::chrono_literals;

namespace {
constexpr std::size_t kMaxFlights = 256;
constexpr std::size_t kMaxFlightBytes = 8u << 20;
// Small files: reading on while the receipts of earlier ones are outstanding.
constexpr std::size_t kMaxActive = 32;
constexpr std::chrono::milliseconds kFirstBackoff = 250ms;
constexpr std::chrono::milliseconds kNoRoomPause = 20ms;
// A position is stored at most so often; what lies behind it comes again after a crash.
constexpr std::chrono::milliseconds kStoreInterval = 100ms;
// A disk that fails for a moment costs nothing; a file that can't be read at all must not hold up the others for long.
constexpr int kMaxReadFailures = 8;
}  // namespace

SpooldirSource::SpooldirSource(Options options, Environment& environment)
    : options_(std::move(options)),
      environment_(environment),
      events_received_(environment.counters.counter(counter_names::kEventReceived)),
      events_accepted_(environment.counters.counter(counter_names::kEventAccepted)),
      batches_received_(environment.counters.counter(counter_names::kAppendBatchReceived)),
      batches_accepted_(environment.counters.counter(counter_names::kAppendBatchAccepted)),
      channel_write_fail_(environment.counters.counter(counter_names::kChannelWriteFail)),
      read_fail_(environment.counters.counter(counter_names::kEventReadFail)),
      processing_fail_(environment.counters.counter(counter_names::kGenericProcessingFail)) {}

SpooldirSource::~SpooldirSource() { stop(); }

// -- start and stop

Status SpooldirSource::start(Ingest& ingest) {
  stop();
  directory_ = std::make_unique<spooldir::SpoolDirectory>(options_.directory, environment_);
  TRY(directory_->check());
  ingest_ = &ingest;
  in_flight_ = std::make_unique<Deliveries>();
  tracker_ = std::make_unique<spooldir::TrackerFile>(
      environment_.files, fmt::format("{}/{}", options_.directory.tracker_directory, spooldir::TrackerFile::kName));
  restore();
  return {};
}

void SpooldirSource::restore() {
  auto position = tracker_->load();
  if (position.ok()) {
    restored_ = std::move(*position);
    tracked_ = restored_.has_value();
    return;
  }
  // Flume stays on it for ever; the file it told about is read from its start: again, rather than not at all.
  environment_.log.error(fmt::format("{}: the file in work is read from its beginning", position.status().message()));
  processing_fail_.add();
  tracked_ = true;
}

void SpooldirSource::stop() {
  active_.clear();
  unfinished_.clear();
  restored_.reset();
  tracker_ = nullptr;
  directory_ = nullptr;
  ingest_ = nullptr;
  in_flight_ = nullptr;
  failures_ = 0;
  backoff_ = 0ms;
  retry_at_ = {};
  next_list_ = {};
  tracked_ = false;
  exhausted_ = false;
  stored_number_ = kNoNumber;
}

Status SpooldirSource::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const Steady now = environment_.clock.steady_now();
    settle_all();
    if (retire_finished()) continue;
    store_position(false);
    switch (step(now)) {
      case Step::worked: break;
      case Step::blocked:
        wait(now < retry_at_ ? retry_at_ : in_flight_->count() > 0 ? Steady::max() : now + kNoRoomPause, stop);
        break;
      case Step::idle: wait(in_flight_->count() > 0 ? now + kStoreInterval : next_list_, stop); break;
    }
  }
  drain();
  return {};
}

void SpooldirSource::wait(Steady until, std::stop_token stop) { in_flight_->wait(environment_.clock, stop, until); }

void SpooldirSource::drain() {
  in_flight_->drain([this](const Deliveries::Landed& landed) { settle(landed); });
  while (retire_finished()) {
  }
  store_position(true);
}

// -- reading

SpooldirSource::Step SpooldirSource::step(Steady now) {
  if (now < retry_at_ || in_flight_->count() >= kMaxFlights || in_flight_->bytes() >= kMaxFlightBytes)
    return Step::blocked;
  if (failures_ > 0) {
    for (const auto& spooled : active_) {
      if (spooled->progress.has_failed()) return retry_one(*spooled);
    }
  }
  if (!active_.empty() && !active_.back()->read_whole) return read(*active_.back());
  if (active_.size() >= kMaxActive) return Step::blocked;
  return open_next(now);
}

SpooldirSource::Step SpooldirSource::open_next(Steady now) {
  // Listing again for every file, as Flume does, would make a full folder quadratic.
  const bool refresh = now >= next_list_;
  if (exhausted_ && !refresh) return Step::idle;
  exhausted_ = false;
  if (refresh) {
    next_list_ = now + options_.poll_delay;
    finish_unfinished();
  }
  auto candidate = directory_->next(refresh);
  if (!candidate.ok()) {
    read_fail_.add();
    if (const auto held = error_limit_.pass(environment_.clock.now_ms()))
      environment_.log.error(candidate.status().message());
    return Step::idle;
  }
  if (!candidate->has_value()) {
    exhausted_ = true;
    next_list_ = std::max(next_list_, now + options_.poll_delay);
    return Step::idle;
  }
  const std::string path = (*candidate)->path;
  const Status opened = open(std::move(**candidate));
  if (opened.ok()) return Step::worked;
  read_fail_.add();
  if (opened.code() == Code::corrupt || opened.code() == Code::invalid) {
    report(path, "undecodable", opened.message());
  } else if (const auto held = error_limit_.pass(environment_.clock.now_ms())) {
    // Gone, or not ours to read: looked at again with the next listing; the others are not held up.
    environment_.log.warn(fmt::format("Could not find file: {}", opened.message()));
  }
  return Step::worked;
}

Status SpooldirSource::open(spooldir::Candidate candidate) {
  auto spooled = std::make_unique<Spooled>();
  spooled->number = next_number_++;
  spooled->path = std::move(candidate.path);
  TRY_ASSIGN(spooled->file, environment_.files.open(spooled->path, FileSystem::Mode::read));
  TRY_ASSIGN(spooled->info, spooled->file->info());
  Headers headers;
  if (!options_.path_header.empty()) headers.set(options_.path_header, spooled->path);
  if (!options_.basename_header.empty()) {
    headers.set(options_.basename_header, std::string_view(spooled->path).substr(spooled->path.rfind('/') + 1));
  }
  spooled->headers = std::make_shared<const Headers>(std::move(headers));
  TRY_ASSIGN(spooled->reader, make_reader(*spooled));
  if (restored_.has_value() && restored_->file == spooled->path) {
    TRY(resume(*spooled));
    restored_.reset();
  }
  directory_->hold(spooled->path);
  active_.push_back(std::move(spooled));
  return {};
}

// Goes to where an earlier run stopped; a position that the file can't have is no reason to leave it out.
Status SpooldirSource::resume(Spooled& spooled) {
  const bool possible = restored_->offset <= spooled.info.size;
  if (!possible || !spooled.reader->seek({restored_->offset, 0, 0}).ok()) {
    environment_.log.warn(fmt::format("{}: the tracker's position {} is not in it: read from its beginning",
                                      spooled.path, restored_->offset));
    TRY_ASSIGN(spooled.reader, make_reader(spooled));
  }
  spooled.progress = DeliveryProgress<DeserializerMark>(spooled.reader->mark());
  stored_number_ = spooled.number;
  stored_offset_ = spooled.reader->mark().offset;
  return {};
}

Result<std::unique_ptr<Deserializer>> SpooldirSource::make_reader(Spooled& spooled) {
  return options_.deserializer->create(options_.deserializer_settings, {.file = *spooled.file,
                                                                        .size = spooled.info.size,
                                                                        .name = spooled.path,
                                                                        .charset = options_.charset,
                                                                        .on_error = options_.on_error,
                                                                        .headers = spooled.headers,
                                                                        .budget = environment_.budget,
                                                                        .log = environment_.log});
}

SpooldirSource::Step SpooldirSource::read(Spooled& spooled) {
  const DeserializerMark begin = spooled.reader->mark();
  if (spooled.read_failures > 0) {
    if (const Status status = spooled.reader->seek(begin); !status.ok()) return read_failed(spooled, status);
  }
  Batch batch;
  const Status status = spooled.reader->read(batch, options_.batch_size);
  if (!status.ok() && status.code() == Code::full && batch.empty()) return Step::blocked;
  FAILPOINT("spooldir.after_read");
  // A file without a byte is one event without a byte, as in Flume: a marker file is seen.
  if (batch.empty() && spooled.info.size == 0) {
    batch.add({}, spooled.headers->empty() ? Batch::kNoHeaders : batch.add_headers(spooled.headers));
  }
  if (!batch.empty()) {
    // `begin` of the empty file and its end are the same place.
    const std::uint64_t ticket = spooled.progress.add(begin, spooled.reader->mark());
    batches_received_.add();
    events_received_.add(static_cast<std::int64_t>(batch.size()));
    if (spooled.info.size == 0) spooled.read_whole = true;
    deliver(spooled, ticket, std::move(batch));
  } else if (status.ok()) {
    spooled.read_whole = true;
  }
  if (!status.ok() && status.code() != Code::full) return read_failed(spooled, status);
  spooled.read_failures = 0;
  return Step::worked;
}

SpooldirSource::Step SpooldirSource::read_failed(Spooled& spooled, const Status& status) {
  read_fail_.add();
  const bool try_again = status.code() == Code::io && ++spooled.read_failures < kMaxReadFailures;
  if (!try_again) {
    environment_.log.error(status.message());
    spooled.read_whole = true;
    spooled.damaged = true;
    return Step::worked;
  }
  back_off();
  if (spooled.read_failures == 1) environment_.log.error(fmt::format("{}; tried again", status.message()));
  return Step::blocked;
}

// Reads the range that the channel refused with a reader of its own: the other one is far ahead.
SpooldirSource::Step SpooldirSource::retry_one(Spooled& spooled) {
  const auto range = spooled.progress.retry();
  --failures_;
  Batch batch;
  Status status;
  if (spooled.info.size == 0) {
    batch.add({}, spooled.headers->empty() ? Batch::kNoHeaders : batch.add_headers(spooled.headers));
  } else {
    auto reader = make_reader(spooled);
    status = reader.status();
    if (status.ok()) status = (*reader)->seek(range->begin);
    const std::uint64_t wanted = range->end.events - range->begin.events;
    if (status.ok()) status = (*reader)->read(batch, wanted);
    if (batch.size() == wanted) status = {};
  }
  if (status.ok()) {
    deliver(spooled, range->ticket, std::move(batch));
    return Step::worked;
  }
  spooled.progress.complete(range->ticket, false);
  ++failures_;
  if (status.code() == Code::full) return Step::blocked;
  read_fail_.add();
  if (back_off()) environment_.log.error(fmt::format("{}; tried again", status.message()));
  return Step::blocked;
}

// -- handing over

void SpooldirSource::deliver(Spooled& spooled, std::uint64_t ticket, Batch batch) {
  Ticket note{spooled.number, ticket};
  if (FAILPOINT("spooldir.position_before_receipt")) {
    spooled.progress.complete(ticket, true);
    note.file = kNoNumber;
  }
  if (FAILPOINT("spooldir.rename_before_receipt")) directory_->finish(spooled.path).ignore();
  const auto landed = in_flight_->deliver(*ingest_, std::move(batch), note);
  FAILPOINT("spooldir.after_deliver");
  if (landed.has_value()) settle(*landed);
}

void SpooldirSource::settle(const Deliveries::Landed& landed) {
  const bool stored = landed.status.ok();
  if (stored) {
    batches_accepted_.add();
    events_accepted_.add(static_cast<std::int64_t>(landed.events));
    backoff_ = 0ms;
  } else {
    channel_write_fail_.add();
    ++failures_;
    if (back_off()) {
      environment_.log.warn(fmt::format(
          "The channel is full, and cannot write data now. The source will try again after {} milliseconds ({})",
          backoff_.count(), landed.status.message()));
    }
  }
  if (landed.ticket.file == kNoNumber) return;  // of a sabotaged build
  const auto found = std::find_if(active_.begin(), active_.end(), [&](const std::unique_ptr<Spooled>& spooled) {
    return spooled->number == landed.ticket.file;
  });
  (*found)->progress.complete(landed.ticket.range, stored);
}

void SpooldirSource::settle_all() {
  for (const Deliveries::Landed& landed : in_flight_->landed()) settle(landed);
}

// False when there is a pause already: several receipts fail together.
bool SpooldirSource::back_off() {
  const Steady now = environment_.clock.steady_now();
  if (now < retry_at_) return false;
  backoff_ = backoff_ == 0ms ? kFirstBackoff : backoff_ * 2;
  backoff_ = std::min(backoff_, options_.max_backoff);
  retry_at_ = now + backoff_;
  return true;
}

// -- when a file is done

// In order: the tracker tells about the oldest file in work.
bool SpooldirSource::retire_finished() {
  if (active_.empty() || !active_.front()->read_whole || !active_.front()->progress.idle()) return false;
  const std::unique_ptr<Spooled> done = std::move(active_.front());
  active_.pop_front();
  if (retire(*done)) directory_->release(done->path);
  FAILPOINT("spooldir.after_finish");
  const bool unclaimed = stored_number_ == kNoNumber && !restored_.has_value();
  if (tracked_ && (stored_number_ == done->number || unclaimed)) {
    // A tracker that stays behind is harmless: it names a file that is no longer there.
    if (const Status status = tracker_->clear(); !status.ok()) environment_.log.warn(status.message());
    tracked_ = false;
    stored_number_ = kNoNumber;
  }
  return true;
}

// False: it must be tried again.
bool SpooldirSource::retire(const Spooled& spooled) {
  FAILPOINT("spooldir.before_finish");
  if (spooled.damaged) {
    report(spooled.path, "undecodable", "the rest of the file was not read");
    return true;
  }
  const Status finished = finish({spooled.path, spooled.info});
  if (finished.ok()) return true;
  processing_fail_.add();
  environment_.log.error(
      fmt::format("Unable to move {}: {}. It is delivered; moving it is tried again with every look at the folder",
                  spooled.path, finished.message()));
  unfinished_.push_back({spooled.path, spooled.info});
  return false;
}

void SpooldirSource::finish_unfinished() {
  std::erase_if(unfinished_, [this](const Delivered& file) {
    if (!finish(file).ok()) return false;
    directory_->release(file.path);
    return true;
  });
}

// Fails where trying again may help; what is wrong for good is set aside.
Status SpooldirSource::finish(const Delivered& file) {
  const auto now = environment_.files.info(file.path);
  if (!now.ok() && now.status().code() != Code::not_found) return now.status();
  if (!now.ok()) {
    environment_.log.warn(fmt::format("{} was taken away while it was read; it is delivered", file.path));
    return {};
  }
  if (now->size != file.info.size) {
    report(file.path, "changed",
           fmt::format("File has changed size since being read: {} ({} bytes then, {} now); files must be complete "
                       "before they are moved into the folder",
                       file.path, file.info.size, now->size));
    return {};
  }
  if (now->modified_ns != file.info.modified_ns || now->inode != file.info.inode) {
    report(file.path, "changed", fmt::format("File has been modified since being read: {}", file.path));
    return {};
  }
  Status finished = directory_->finish(file.path);
  if (finished.code() != Code::invalid) return finished;
  report(file.path, "reused",
         fmt::format("File name has been re-used with different files. Spooling assumptions violated for {}{}",
                     file.path, options_.directory.suffix));
  return {};
}

void SpooldirSource::report(const std::string& path, std::string_view why, const std::string& message) {
  processing_fail_.add();
  const auto aside = directory_->set_aside(path, why);
  if (aside.ok()) {
    environment_.log.error(fmt::format("{}: {}. It is set aside as {}; the source goes on", path, message, *aside));
    return;
  }
  directory_->avoid(path);
  environment_.log.error(
      fmt::format("{}: {}. It can't be set aside ({}) and is passed over until the agent starts again", path, message,
                  aside.status().message()));
}

void SpooldirSource::store_position(bool now_please) {
  if (active_.empty()) return;
  const Spooled& oldest = *active_.front();
  const std::uint64_t offset = oldest.progress.committed().offset;
  if (offset == 0 || (stored_number_ == oldest.number && stored_offset_ == offset)) return;
  const Steady now = environment_.clock.steady_now();
  if (!now_please && now < next_store_) return;
  next_store_ = now + kStoreInterval;
  tracked_ = true;
  stored_number_ = oldest.number;
  stored_offset_ = offset;
  FAILPOINT("spooldir.before_position_write");
  if (const Status status = tracker_->store({oldest.path, offset}); !status.ok()) {
    processing_fail_.add();
    if (const auto held = error_limit_.pass(environment_.clock.now_ms())) environment_.log.error(status.message());
  }
  FAILPOINT("spooldir.after_position_write");
}

}  // namespace standpipe

#include "sinks/file_roll/file_roll_sink.h"

#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "codec/serializers/event_serializer.h"
#include "io/file_system.h"
#include "sinks/file_roll/path_manager.h"
#include "store/event_output.h"
#include "store/local_store.h"

namespace standpipe {

namespace {

using file_roll::PathManager;

constexpr std::string_view kClasses[] = {"org.apache.flume.sink.RollingFileSink"};

constexpr Option kOptions[] = {
    {.name = "sink.directory", .kind = Kind::path, .help = "folder for the files; it must exist", .required = true},
    {.name = "sink.rollInterval",
     .kind = Kind::duration,
     .fallback = "30",
     .help = "begin a new file this often; 0: never",
     .unit = "s"},
    {.name = "sink.batchSize",
     .kind = Kind::integer,
     .fallback = "100",
     .help = "events a lease; several leases share one write",
     .unit = "events",
     .min = 1},
    {.name = "sink.pathManager",
     .kind = Kind::name,
     .fallback = "DEFAULT",
     .help = "how files are called: DEFAULT (time of the start, a dash and a number) or ROLLTIME (time of the roll)"},
    {.name = "sink.pathManager.prefix", .kind = Kind::text, .help = "start of each file's name"},
    {.name = "sink.pathManager.extension", .kind = Kind::text, .help = "ending of each file's name, without the dot"},
    {.name = "sink.serializer",
     .kind = Kind::type,
     .fallback = "TEXT",
     .help = "what an event becomes in the file",
     .choices = "serializer"},
    {.name = "sink.serializer.*", .help = "properties of the serializer"},
    {.name = "sink.fsync",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "an event counts as delivered when it is on the disk (fdatasync), not when the operating system has it"},
};

// What one turn writes at most: large enough that commits and syncs cost nothing beside it.
constexpr std::size_t kTurnBytes = 8u << 20;
constexpr std::size_t kTurnLeases = 1024;

struct Config {
  std::string folder;
  std::chrono::milliseconds roll_interval{0};
  std::size_t batch_size = 100;
  bool sync = false;
  PathManager::Scheme scheme = PathManager::Scheme::counter;
  std::string prefix;
  std::string extension;
};

class FileRollSink final : public Sink {
 public:
  FileRollSink(Config config, SerializerFactory serializer, Environment& environment)
      : config_(std::move(config)),
        make_serializer_(std::move(serializer)),
        environment_(environment),
        store_(environment.files, config_.sync ? LocalStore::Durability::synced : LocalStore::Durability::written),
        paths_(config_.scheme, config_.folder, config_.prefix, config_.extension, environment.clock),
        drain_(environment.counters),
        opened_(environment.counters.counter(counter_names::kConnectionCreated)),
        closed_(environment.counters.counter(counter_names::kConnectionClosed)) {}
  ~FileRollSink() override { stop(); }

  Status start() override;
  Result<Turn> process(Outlet& outlet, std::stop_token stop) override;
  void stop() override;

 private:
  Status roll_when_due();
  Status open_file();
  Status close_file();
  /// Forgets the file and cuts it to what was committed; where that is nothing, it goes.
  void abandon_file();
  Status append(const Lease& lease);
  Status flush();

  const Config config_;
  const SerializerFactory make_serializer_;
  Environment& environment_;
  LocalStore store_;
  PathManager paths_;

  std::string path_;
  std::unique_ptr<StoreFile> file_;  // null: none open
  std::unique_ptr<EventSerializer> serializer_;
  std::optional<EventOutput> output_;  // there with file_
  std::uint64_t committed_bytes_ = 0;  // of the open file
  std::optional<Clock::Steady> roll_at_;

  DrainCounters drain_;
  Counter& opened_;
  Counter& closed_;
};

Status FileRollSink::start() {
  TRY_ASSIGN(const FileInfo info, environment_.files.info(config_.folder));
  if (info.type != FileInfo::Type::directory) {
    return {Code::invalid, "sink.directory: " + config_.folder + " is not a folder"};
  }
  if (config_.roll_interval.count() > 0) roll_at_ = environment_.clock.steady_now() + config_.roll_interval;
  return {};
}

Status FileRollSink::roll_when_due() {
  const Clock::Steady now = environment_.clock.steady_now();
  if (roll_at_ && *roll_at_ <= now) {
    // At a fixed rate, as Flume's timer: missed beats are one roll.
    const auto missed = (now - *roll_at_) / config_.roll_interval;
    *roll_at_ += (missed + 1) * config_.roll_interval;
    TRY(close_file());
  }
  return file_ == nullptr ? open_file() : Status();
}

Status FileRollSink::open_file() {
  for (;;) {
    path_ = paths_.next();
    TRY_ASSIGN(const bool taken, store_.exists(path_));
    if (!taken) break;
  }
  auto created = store_.create(path_);
  if (!created.ok()) return created.status().with_context("Failed to open file " + path_ + " while delivering event: ");
  file_ = std::move(created).value();
  serializer_ = make_serializer_();
  output_.emplace(*file_, *serializer_);
  committed_bytes_ = 0;
  opened_.add();
  return output_->begin();
}

Status FileRollSink::close_file() {
  if (file_ == nullptr) return {};
  Status status = output_->finish();
  if (status.ok()) status = flush();
  if (status.ok()) status = file_->close();
  if (!status.ok()) {
    abandon_file();
    return status.with_context("closing " + path_ + ": ");
  }
  output_.reset();
  file_.reset();
  closed_.add();
  return {};
}

void FileRollSink::abandon_file() {
  output_.reset();
  file_.reset();
  // A full disk would else leave one more empty file at each attempt.
  const Status cut = committed_bytes_ == 0 ? store_.remove(path_) : store_.recover(path_, committed_bytes_);
  if (!cut.ok()) {
    environment_.log.error(
        fmt::format("{} can't be cut back to {} bytes; what follows there comes again in another file: {}", path_,
                    committed_bytes_, cut.message()));
  }
}

Result<Turn> FileRollSink::process(Outlet& outlet, std::stop_token stop) {
  TRY(roll_when_due());
  std::vector<Lease> leases;
  std::size_t events = 0;
  Status status;
  const std::uint64_t turn_end = file_->size() + kTurnBytes;
  while (leases.size() < kTurnLeases && file_->size() + output_->waiting() < turn_end && !stop.stop_requested()) {
    auto taken = outlet.take(config_.batch_size);
    status = taken.status();
    if (!status.ok() || taken->empty()) break;
    events += taken->size();
    status = append(*taken);
    leases.push_back(std::move(taken).value());
    if (!status.ok()) break;
  }
  drain_.attempted(events);
  if (FAILPOINT("file_roll.commit_before_write")) {
    for (Lease& lease : leases) TRY(lease.commit());
  }
  if (status.ok() && events > 0) status = output_->flush();
  if (status.ok()) status = flush();
  if (!status.ok()) {
    drain_.write_failed();
    abandon_file();
    return status;  // the leases go back as they are dropped
  }
  committed_bytes_ = file_->size();
  for (Lease& lease : leases) TRY(lease.commit());
  drain_.succeeded(events);
  return Turn{.worked = events > 0, .wake_by = roll_at_};
}

Status FileRollSink::append(const Lease& lease) {
  for (const BatchSpan& span : lease.spans()) {
    for (std::size_t i = span.first; i < span.first + span.count; ++i) {
      TRY(output_->append((*span.batch)[i]));
    }
  }
  return {};
}

Status FileRollSink::flush() {
  if (file_->size() == committed_bytes_) return {};
  TRY(file_->flush());
  return store_.settle_names(path_);
}

void FileRollSink::stop() {
  const Status closed = close_file();
  if (!closed.ok()) environment_.log.error(closed.message());
  roll_at_.reset();
}

Result<PathManager::Scheme> scheme_of(const std::string& name) {
  if (equals_ignoring_case(name, "DEFAULT") || name == "org.apache.flume.formatter.output.DefaultPathManager$Builder") {
    return PathManager::Scheme::counter;
  }
  if (equals_ignoring_case(name, "ROLLTIME") ||
      name == "org.apache.flume.formatter.output.RollTimePathManager$Builder") {
    return PathManager::Scheme::roll_time;
  }
  return Status(Code::invalid, fmt::format("sink.pathManager: there is no '{}'; there are DEFAULT and ROLLTIME", name));
}

Result<std::unique_ptr<Sink>> create(const Settings& settings, Environment& environment) {
  Config config;
  config.folder = settings.text("sink.directory");
  while (config.folder.size() > 1 && config.folder.back() == '/') config.folder.pop_back();
  config.roll_interval = settings.duration("sink.rollInterval");
  config.batch_size = static_cast<std::size_t>(settings.integer("sink.batchSize"));
  config.sync = settings.boolean("sink.fsync");
  config.prefix = settings.text("sink.pathManager.prefix");
  config.extension = settings.text("sink.pathManager.extension");
  TRY_ASSIGN(config.scheme, scheme_of(settings.text("sink.pathManager")));
  auto serializer = SerializerFactory::make(settings.text("sink.serializer"), settings.below("sink.serializer."));
  if (!serializer.ok()) return serializer.status().with_context("sink.serializer: ");
  return std::unique_ptr<Sink>(
      std::make_unique<FileRollSink>(std::move(config), std::move(serializer).value(), environment));
}

}  // namespace

const ComponentInfo kFileRollSinkInfo{
    .kind = ComponentKind::sink,
    .name = "file_roll",
    .class_names = kClasses,
    .summary = "Writes events into a file in a local folder and begins a new one at a fixed rate.",
    .options = kOptions,
    .batch_option = "sink.batchSize",
    .acknowledges = "handed to the operating system; with sink.fsync=true: on the disk (fdatasync)"};

const SinkFactory kFileRollSink{&kFileRollSinkInfo, &create};

}  // namespace standpipe

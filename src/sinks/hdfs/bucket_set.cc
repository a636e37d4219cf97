#include "sinks/hdfs/bucket_set.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/text.h"

namespace standpipe::hdfs {

namespace {

constexpr char kBetween = '\0';
constexpr std::string_view kLongestCounter = ".00000000000000000000";
constexpr std::size_t kLongestName = 255;      // of one part of a path, on every file system that matters
constexpr std::size_t kTriesForName = 10'000;  // names taken by others before the bucket fails
constexpr std::size_t kKeepBuffers = 32;       // with more files open an idle one keeps no buffer

/// Header values are checked one by one where they are put in; put together they may make a ".." again.
Status check_no_way_up(std::string_view name) {
  for (const std::string_view part : split(name, '/')) {
    if (part == "..") return {Code::poison, fmt::format("the file name {} would leave its folder", name)};
  }
  return {};
}

Status check_parts(std::string_view path) {
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    if (part.size() > kLongestName) {
      return {Code::poison,
              fmt::format("a part of the path is longer than {} bytes: {}…", kLongestName, part.substr(0, 60))};
    }
    path.remove_prefix(std::min(path.size(), part.size() + 1));
  }
  return {};
}

bool lies_in(std::string_view folder, std::string_view root) {
  if (root.empty() || root == "/") return true;
  return folder.starts_with(root) && (folder.size() == root.size() || folder[root.size()] == '/');
}

}  // namespace

struct BucketSet::Bucket {
  std::string key;  // folder, prefix, suffix, a NUL between them: no path holds one
  std::string folder;
  std::string prefix;
  std::string suffix;
  std::int64_t counter = 0;
  std::unique_ptr<BucketFile> file;  // null: none open
  bool touched = false;
  std::list<Bucket*>::iterator age;
};

/// One file on its way through settle().
struct BucketSet::Pending {
  BucketFile* file;
  Bucket* bucket;                        // of a file that stays open
  std::unique_ptr<BucketFile> finished;  // of one that ends
  Status status;
  bool renamed = false;
};

BucketSet::BucketSet(Store& store, OpenFileJournal& journal, FileFinisher& finisher, const Config& config,
                     Environment& environment)
    : store_(store),
      journal_(journal),
      finisher_(finisher),
      config_(config),
      environment_(environment),
      created_(environment.counters.counter(counter_names::kConnectionCreated)),
      closed_(environment.counters.counter(counter_names::kConnectionClosed)),
      failed_(environment.counters.counter(counter_names::kConnectionFailed)) {}

BucketSet::~BucketSet() = default;

Result<BucketSet::Bucket*> BucketSet::find(const BucketPlace& place) {
  key_.assign(place.folder).append(1, kBetween).append(place.prefix).append(1, kBetween).append(place.suffix);
  if (const auto found = buckets_.find(key_); found != buckets_.end()) {
    by_age_.splice(by_age_.end(), by_age_, found->second->age);
    return found->second.get();
  }
  TRY(check_parts(place.folder));
  const std::string_view counter = config_.file_names == FileNames::counter ? kLongestCounter : "";
  const std::string name = fmt::format("{}{}{}", place.prefix, counter, place.suffix);
  const std::string in_use = config_.in_use_prefix + name + config_.in_use_suffix;
  TRY(check_parts(in_use));
  TRY(check_no_way_up(name));
  TRY(check_no_way_up(in_use));
  if (!lies_in(place.folder, config_.root) && !FAILPOINT("hdfs.leave_path_root")) {
    return Status(Code::poison, fmt::format("{} lies outside hdfs.pathRoot {}", place.folder, config_.root));
  }
  while (buckets_.size() >= config_.max_open_files) evict();
  auto bucket = std::make_unique<Bucket>();
  bucket->key = key_;
  bucket->folder = place.folder;
  bucket->prefix = place.prefix;
  bucket->suffix = place.suffix;
  bucket->counter = environment_.clock.now_ms();
  bucket->age = by_age_.insert(by_age_.end(), bucket.get());
  Bucket* made = bucket.get();
  buckets_.emplace(key_, std::move(bucket));
  return made;
}

const std::string& BucketSet::key(const Bucket& bucket) { return bucket.key; }

std::string BucketSet::display(std::string_view stream) {
  std::string text(stream.substr(0, stream.rfind(kBetween)));
  std::replace(text.begin(), text.end(), kBetween, '/');
  return text;
}

void BucketSet::append(Bucket& bucket, const Lease& events, const std::shared_ptr<Lease>& owner, std::size_t first,
                       std::size_t last) {
  if (!bucket.touched) {
    bucket.touched = true;
    touched_.push_back(&bucket);
  }
  std::size_t claimed = first;
  const auto claim_until = [&](std::size_t end) {
    if (bucket.file != nullptr) bucket.file->claim({owner, claimed, end});
    claimed = end;
  };
  for (std::size_t i = first; i < last; ++i) {
    if (bucket.file != nullptr && must_roll(*bucket.file)) {
      claim_until(i);
      close_file(bucket);
    }
    if (bucket.file == nullptr) {
      const Status opened = open_file(bucket);
      if (!opened.ok()) return fail(bucket.key, {{owner, i, last}}, opened);
    }
    const Status status = bucket.file->append(events[i]);
    if (status.ok()) continue;
    claim_until(i);
    // What follows in this bucket waits behind it: order within a bucket holds.
    if (status.code() == Code::poison) return fail(bucket.key, {{owner, i, i + 1}, {owner, i + 1, last}}, status);
    --open_files_;
    give_up(std::move(bucket.file), status);
    return fail(bucket.key, {{owner, i, last}}, status);
  }
  claim_until(last);
}

bool BucketSet::must_roll(const BucketFile& file) const {
  return (config_.roll_count > 0 && file.events() >= config_.roll_count) ||
         (config_.roll_size > 0 && file.body_bytes() >= config_.roll_size);
}

Status BucketSet::choose_names(Bucket& bucket, std::string& in_use, std::string& final_name) {
  for (std::size_t attempt = 0; attempt < kTriesForName; ++attempt) {
    std::string name = bucket.prefix;
    if (config_.file_names == FileNames::counter) name += fmt::format(".{}", ++bucket.counter);
    if (config_.file_names == FileNames::unique && attempt > 0) name += fmt::format("-{}", attempt);
    name += bucket.suffix;
    final_name = bucket.folder + "/" + name;
    in_use = bucket.folder + "/" + config_.in_use_prefix + name + config_.in_use_suffix;
    TRY_ASSIGN(const bool taken, store_.exists(final_name));
    TRY_ASSIGN(const bool in_work, store_.exists(in_use));
    if (!taken && !in_work) return {};
    if (config_.file_names == FileNames::exact) {
      return {Code::invalid, fmt::format("{} exists already and hdfs.fileNames = exact allows no other name",
                                         taken ? final_name : in_use)};
    }
  }
  return {Code::invalid, fmt::format("no free name for {}: {} are taken", display(bucket.key), kTriesForName)};
}

Status BucketSet::open_file(Bucket& bucket) {
  std::string in_use;
  std::string final_name;
  TRY(choose_names(bucket, in_use, final_name));
  auto created = store_.create(in_use);
  if (!created.ok()) {
    failed_.add();
    return created.status();
  }
  auto format = config_.format(environment_.clock);
  const auto id = journal_.opened({in_use, final_name, format->line_oriented(), 0});
  if (!id.ok()) {
    store_.remove(in_use).ignore();  // an empty file that nobody will finish; the failure below says enough
    return id.status();
  }
  bucket.file =
      std::make_unique<BucketFile>(bucket.key, *id, std::move(in_use), std::move(final_name),
                                   std::move(created).value(), std::move(format), environment_.clock.steady_now());
  ++open_files_;
  created_.add();
  note_due(*bucket.file);
  return bucket.file->begin();
}

void BucketSet::close_file(Bucket& bucket) {
  if (bucket.file == nullptr) return;
  finished_.push_back(std::move(bucket.file));
  --open_files_;
}

void BucketSet::remove(Bucket& bucket) {
  close_file(bucket);
  by_age_.erase(bucket.age);
  if (bucket.touched) std::erase(touched_, &bucket);
  buckets_.erase(std::string(bucket.key));
}

void BucketSet::evict() { remove(*by_age_.front()); }

std::optional<Clock::Steady> BucketSet::due_of(const BucketFile& file) const {
  std::optional<Clock::Steady> due;
  if (config_.roll_interval.count() > 0) due = file.opened_at() + config_.roll_interval;
  if (config_.idle_timeout.count() > 0 && (!due || file.flushed_at() + config_.idle_timeout < *due)) {
    due = file.flushed_at() + config_.idle_timeout;
  }
  return due;
}

void BucketSet::note_due(const BucketFile& file) {
  const auto due = due_of(file);
  if (due && (!next_due_ || *due < *next_due_)) next_due_ = due;
}

void BucketSet::close_due(Clock::Steady now) {
  if (!next_due_ || *next_due_ > now) return;
  next_due_.reset();
  for (auto at = by_age_.begin(); at != by_age_.end();) {
    Bucket& bucket = **at++;
    if (bucket.file == nullptr) continue;
    const auto due = due_of(*bucket.file);
    if (due && *due <= now) {
      remove(bucket);  // as in Flume it leaves the set for good; a later event makes a new one
    } else {
      note_due(*bucket.file);
    }
  }
}

void BucketSet::close_all() {
  while (!by_age_.empty()) remove(*by_age_.front());
  next_due_.reset();
}

// -- settling

Result<std::size_t> BucketSet::settle() {
  std::vector<Pending> pending = collect();
  flush(pending);
  name(pending);
  FAILPOINT("hdfs.before_journal");
  journal(pending);
  FAILPOINT("hdfs.before_commit");
  return commit(pending);
}

std::vector<BucketSet::Pending> BucketSet::collect() {
  std::vector<Pending> pending;
  pending.reserve(finished_.size() + touched_.size());
  // Finished ones first: they hold older events of their bucket.
  for (auto& file : finished_) {
    BucketFile* raw = file.get();
    pending.push_back({raw, nullptr, std::move(file), {}, false});
  }
  finished_.clear();
  for (Bucket* bucket : touched_) {
    bucket->touched = false;
    if (bucket->file != nullptr) pending.push_back({bucket->file.get(), bucket, nullptr, {}, false});
  }
  touched_.clear();
  return pending;
}

void BucketSet::flush(std::vector<Pending>& pending) {
  const Clock::Steady now = environment_.clock.steady_now();
  std::map<std::string_view, const Status*> failed;
  for (Pending& one : pending) {
    // A bucket whose older file failed has to write the younger one's events again too, or they would overtake.
    if (const auto found = failed.find(one.file->stream()); found != failed.end()) {
      one.status = *found->second;
      continue;
    }
    if (one.finished != nullptr && FAILPOINT("hdfs.rename_before_close")) {
      store_.rename(one.file->in_use(), one.file->final_name()).ignore();
    }
    one.status = one.finished != nullptr ? one.file->finish() : one.file->flush(now);
    if (!one.status.ok()) {
      failed.emplace(one.file->stream(), &one.status);
    } else if (one.finished != nullptr) {
      closed_.add();
    } else {
      note_due(*one.file);
      if (open_files_ > kKeepBuffers) one.file->release_buffer();
    }
  }
}

void BucketSet::name(std::vector<Pending>& pending) {
  for (Pending& one : pending) {
    if (one.finished == nullptr || !one.status.ok()) continue;
    if (one.file->in_use() == one.file->final_name()) {
      one.renamed = true;
      continue;
    }
    // The events are safe under the in-use name too: a failure here holds nobody up.
    const Status renamed = store_.rename(one.file->in_use(), one.file->final_name());
    one.renamed = renamed.ok();
  }
  for (Pending& one : pending) {
    if (!one.status.ok()) continue;
    one.status = store_.settle_names(one.file->in_use());
    if (one.renamed && one.status.ok()) one.status = store_.settle_names(one.file->final_name());
  }
}

void BucketSet::journal(std::vector<Pending>& pending) {
  for (Pending& one : pending) {
    if (!one.status.ok()) continue;
    one.status =
        one.renamed ? journal_.closed(one.file->id()) : journal_.stored(one.file->id(), one.file->flushed_bytes());
  }
  const Status settled = journal_.settle();
  if (settled.ok()) return;
  for (Pending& one : pending) {
    if (one.status.ok()) one.status = settled;
  }
}

Result<std::size_t> BucketSet::commit(std::vector<Pending>& pending) {
  std::size_t committed = 0;
  Status channel;
  for (Pending& one : pending) {
    if (!one.status.ok()) {
      const Status why = one.status;
      std::unique_ptr<BucketFile> file =
          one.finished != nullptr ? std::move(one.finished) : std::move(one.bucket->file);
      if (one.bucket != nullptr) --open_files_;
      if (!file->has_claims()) {
        environment_.log.warn(fmt::format("{}: {}; its events were stored before", file->in_use(), why.message()));
      }
      give_up(std::move(file), why);
      continue;
    }
    one.file->mark_stored();
    for (const LeasedRun& run : one.file->take_claims()) {
      if (run.lease == nullptr) continue;  // the caller's to commit
      const Status status = run.lease->commit(run.first, run.last);
      if (status.ok()) committed += run.last - run.first;
      if (!status.ok() && status.code() != Code::fenced && channel.ok()) channel = status;
    }
    if (one.finished != nullptr && !one.renamed) {
      finisher_.finish({one.file->id(), one.file->in_use(), one.file->final_name(), std::nullopt});
    }
  }
  if (!channel.ok()) return channel;
  return committed;
}

void BucketSet::give_up(std::unique_ptr<BucketFile> file, const Status& why) {
  failed_.add();
  if (file->has_claims()) fail(file->stream(), file->take_claims(), why);
  const FileFinisher::Unfinished rest{file->id(), file->in_use(), file->final_name(), file->stored_bytes()};
  file.reset();
  finisher_.finish(rest);
}

void BucketSet::fail(const std::string& stream, std::vector<LeasedRun> runs, const Status& why) {
  failures_.push_back({stream, std::move(runs), why});
}

std::vector<FailedRuns> BucketSet::take_failures() { return std::exchange(failures_, {}); }

}  // namespace standpipe::hdfs

#include "channels/file/backlog_reader.h"

#include <algorithm>
#include <limits>

#include "channels/file/directory_guard.h"
#include "channels/file/record.h"

namespace standpipe::file_channel {

namespace {

constexpr std::size_t kChunk = 256 * 1024;

std::shared_ptr<Slab> make_slab(std::size_t size, MemoryBudget& budget) {
  // Leases may use what is kept for draining; beyond that one chunk is taken all the same, or nothing would ever drain.
  auto slab = Slab::try_make(size, budget, MemoryBudget::Use::drain);
  return slab != nullptr ? slab : Slab::make(size, &budget);
}

}  // namespace

DirectoryReader::DirectoryReader(const Context& context, const SegmentList& segments, const DamageReport& report)
    : context_(context), segments_(segments), report_(report) {}

Result<std::optional<NumberedEvents>> DirectoryReader::peek(std::uint64_t number) {
  for (;;) {
    if (number < chunk_from_) placed_ = false;  // backwards: begin anew
    const auto run = std::partition_point(runs_.begin(), runs_.end(), [&](const Run& r) { return r.end() <= number; });
    if (placed_ && run != runs_.end()) {
      const std::uint64_t skipped = number > run->first ? number - run->first : 0;
      return std::optional(NumberedEvents{run->first + skipped, batch_, run->at + skipped, run->count - skipped});
    }
    TRY_ASSIGN(const bool more, next_chunk(number));
    if (!more) return std::optional<NumberedEvents>();
  }
}

Status DirectoryReader::go_to(const SegmentList::Place& place) {
  const bool same = file_ != nullptr && segment_.id == place.segment.id;
  placed_ = false;
  segment_ = place.segment;
  offset_ = place.offset;
  passed_ = segment_.first;
  if (!same) {
    opener_.reset();
    if (!context_.keys.empty()) opener_.emplace(context_.keys, context_.channel_id, segment_.id);
    file_.reset();
    auto file = context_.files.open(segment_.path, FileSystem::Mode::read);
    if (file.ok()) {
      file_ = std::move(*file);
    } else if (file.status().code() == Code::not_found && folder_is_there()) {
      // Somebody removed it: what was in it will be missing, the rest goes on.
      report_(segment_.path, {0, segment_.end, {}, "the file is gone"});
      offset_ = std::numeric_limits<std::uint64_t>::max();
    } else {
      return file.status();
    }
  }
  placed_ = true;
  return {};
}

/// False for the bare mount point of a disk that went away, which may come back.
bool DirectoryReader::folder_is_there() const {
  const std::string folder = segment_.path.substr(0, segment_.path.rfind('/') + 1);
  return context_.files.info(folder + std::string(kOwnerFile)).ok();
}

Result<bool> DirectoryReader::next_chunk(std::uint64_t number) {
  const auto place = segments_.place_of(number);
  if (!place) return false;
  const bool ahead =
      placed_ && (segment_.id > place->segment.id || (segment_.id == place->segment.id && offset_ >= place->offset));
  if (!ahead) TRY(go_to(*place));
  std::uint64_t end = segments_.end_of(segment_.id);
  while (offset_ >= end) {
    const auto next = segments_.after(segment_.id);
    if (!next) return false;
    TRY(go_to(*next));
    end = next->segment.end;
  }
  for (;;) {
    const std::size_t size = std::min<std::uint64_t>(end - offset_, std::max(kChunk, chunk_size_));
    const auto slab = make_slab(size, context_.budget);
    TRY_ASSIGN(const std::size_t there, read(slab->data(), size));
    const bool last = offset_ + size == end || there < size;
    Scan scan = scan_records(slab, {.bytes = {slab->data(), there},
                                    .offset = offset_,
                                    .seed = record_seed(context_.channel_id, segment_.id),
                                    .from = passed_,
                                    .last = last,
                                    .opener = opener_ ? &*opener_ : nullptr});
    if (scan.used == 0 && scan.wanted > size) {
      chunk_size_ = scan.wanted;
      continue;
    }
    // A key that is not at hand is no damage: nothing is given up.
    if (!scan.closed.empty() && !(opener_ && opener_->fits())) {
      return Status(Code::unavailable, segment_.path + " is encrypted, and no key at hand opens it");
    }
    // Grows with what records need; what a single large one needed is not remembered.
    chunk_size_ =
        scan.wanted > 2 * kRecordTarget || chunk_size_ > 2 * kRecordTarget ? 0 : std::max(chunk_size_, scan.wanted);
    report(scan, number);
    offset_ += last ? size : scan.used;
    passed_ = std::max(passed_, scan.next);
    chunk_from_ = number;
    runs_ = std::move(scan.runs);
    scan.batch.charge_to(context_.budget);
    batch_ = std::make_shared<const Batch>(std::move(scan.batch));
    return true;
  }
}

Result<std::size_t> DirectoryReader::read(char* target, std::size_t size) {
  return read_what_is_left(*file_, offset_, target, size,
                           [this](std::uint64_t at, std::size_t bytes, const Status& why) {
                             report_(segment_.path, {at, bytes, {}, why.message()});
                           });
}

void DirectoryReader::report(const Scan& scan, std::uint64_t number) const {
  for (const Damage& damage : scan.damages) {
    if (damage.numbers.size() == 0 || damage.numbers.end > number) report_(segment_.path, damage);
  }
}

BacklogReader::BacklogReader(const DirectoryReader::Context& context,
                             const std::vector<const SegmentList*>& directories, DamageReport report)
    : report_(std::move(report)) {
  for (const SegmentList* segments : directories) {
    directories_.push_back(std::make_unique<DirectoryReader>(context, *segments, report_));
  }
}

Result<BacklogReader::Loaded> BacklogReader::read(Range numbers) {
  Loaded loaded;
  loaded.end = numbers.first;
  while (loaded.end < numbers.end) {
    std::optional<NumberedEvents> lowest;
    bool enough = false;
    for (const auto& directory : directories_) {
      enough = enough || (!loaded.events.empty() && directory->needs_chunk(loaded.end));
      if (enough) break;
      auto found = directory->peek(loaded.end);
      if (!found.ok()) {
        if (!loaded.events.empty() || !loaded.missing.empty()) return loaded;  // the failure comes again
        return found.status();
      }
      if (*found && (!lowest || (*found)->first < lowest->first)) lowest = std::move(*found);
    }
    if (enough) break;
    const std::uint64_t next = lowest ? std::min(lowest->first, numbers.end) : numbers.end;
    if (next > loaded.end) loaded.missing.push_back({loaded.end, next});
    loaded.end = next;
    if (next == numbers.end) break;
    lowest->count = std::min<std::uint64_t>(lowest->count, numbers.end - lowest->first);
    loaded.end = lowest->end();
    loaded.events.push_back(std::move(*lowest));
  }
  return loaded;
}

}  // namespace standpipe::file_channel

#include "channels/file/data_directory.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "channels/file/directory_guard.h"

namespace standpipe::file_channel {

namespace {
constexpr std::size_t kJoinBelow = 128 * 1024;  // larger groups are written put by put, without another copy
constexpr std::size_t kGroupLimit = 8u << 20;
constexpr std::size_t kSmall = 64 * 1024;  // a put that a directory must have room for, or it is full
constexpr std::size_t kEncryptAtOnce = 1u << 20;
constexpr std::chrono::seconds kRetry{1};
constexpr unsigned kMaxGatherMisses = 6;
}  // namespace

DataDirectory::DataDirectory(WriterContext& context, std::string folder, std::vector<Segment> found)
    : context_(context), folder_(std::move(folder)) {
  for (Segment& segment : found) {
    last_id_ = segment.id;
    last_end_ = segment.end;
    segments_.add(std::move(segment));
  }
}

DataDirectory::~DataDirectory() { stop(); }

Status DataDirectory::start() {
  Status made = roll(first_unwritten(), 0);
  usable_now_ = made.ok();
  if (!usable_now_) context_.log.error("takes no events for now: " + made.message());
  state_ = made;
  state_.ignore();  // who puts is told
  thread_ = std::thread([this] { run(); });
  return made;
}

void DataDirectory::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
}

Status DataDirectory::usable() const {
  std::lock_guard lock(mutex_);
  if (stopping_) return {Code::stopped, "the channel is stopped"};
  return state_;
}

std::size_t DataDirectory::waiting() const {
  std::lock_guard lock(mutex_);
  return pending_bytes_;
}

std::size_t DataDirectory::puts_waiting() const {
  std::lock_guard lock(mutex_);
  return pending_.size();
}

DataDirectory::Stored DataDirectory::store(EncodedPut put) {
  ReceiptPromise promise;
  Receipt receipt = promise.receipt();
  bool refused = false;
  bool must_wake = false;
  std::uint64_t first = 0;
  {
    std::lock_guard lock(mutex_);
    // Under the lock, so that numbers ascend within the directory.
    first = context_.queue.allocate(put.events());
    if (FAILPOINT("file.ack_early")) {
      promise.complete({});
      promise = ReceiptPromise();
    }
    refused = stopping_;
    if (!refused) {
      pending_bytes_ += put.size();
      pending_.push_back({std::move(put), std::move(promise), first});
      must_wake = asleep_ && (pending_.size() >= wake_at_ || pending_bytes_ >= kJoinBelow);
      if (must_wake) asleep_ = false;
    }
  }
  if (must_wake) wake();
  if (refused) promise.complete({Code::stopped, "the channel is stopped"});
  return {std::move(receipt), first};
}

void DataDirectory::wake() {
  changed_.notify_one();
  retry_or_changed_.notify_one();
}

void DataDirectory::run() {
  Group group;
  while (wait_for_work(group)) {
    if (!group.empty()) {
      write(group);
      group.clear();
      continue;
    }
    // Nothing to write, but the state is bad: does a new segment work now?
    set_state(roll(first_unwritten(), 0));
  }
  if (writer_ != nullptr && !writer_->failed()) writer_->finish().ignore();  // only the room behind its end
  writer_.reset();
}

/// False: stop. An empty group: the state is bad and it is time to look again.
bool DataDirectory::wait_for_work(Group& group) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return !pending_.empty() || stopping_; };
  if (!ready()) {
    asleep_ = true;
    if (state_.ok()) {
      changed_.wait(lock, ready);
    } else {
      context_.clock.wait_until(lock, retry_or_changed_, {}, context_.clock.steady_now() + kRetry, ready);
    }
    asleep_ = false;
  }
  if (pending_.empty()) return !stopping_;
  gather(lock);
  std::swap(group, pending_);
  pending_bytes_ = 0;
  return true;
}

/// Clients that wait for their receipts put again as soon as they have them. Without this they would fall into two
/// groups that take turns, each waiting for two syncs. Where they don't come back that fast, it is tried more rarely.
void DataDirectory::gather(std::unique_lock<std::mutex>& lock) {
  const auto enough = [&] { return pending_.size() >= clients_ || pending_bytes_ >= kJoinBelow || stopping_; };
  if (enough() || !state_.ok() || last_took_.count() == 0) return;
  if (gathers_to_skip_ > 0) {
    --gathers_to_skip_;
    return;
  }
  asleep_ = true;
  wake_at_ = clients_;
  context_.clock.wait_until(lock, retry_or_changed_, {}, context_.clock.steady_now() + last_took_ / 4, enough);
  asleep_ = false;
  wake_at_ = 1;
  gather_misses_ = enough() ? 0 : std::min(gather_misses_ + 1, kMaxGatherMisses);
  gathers_to_skip_ = (1u << gather_misses_) - 1;
}

void DataDirectory::write(Group& group) {
  std::size_t done = 0;
  while (done < group.size()) {
    std::size_t written = 0;
    Status status = write_part(group, done, written);
    if (status.code() == Code::full && takes_others(group[done])) {
      fail(group, done, done + 1, status);
      ++done;
      continue;
    }
    if (!status.ok()) {
      context_.log.error(status.message());
      set_state(status);
      fail(group, done, group.size(), status);
      return;
    }
    clients_ = group.size() + puts_waiting();  // before any of them is back
    for (std::size_t end = done + written; done < end; ++done) group[done].promise.complete({});
  }
}

/// Whether there is no room for this one only because it is large.
bool DataDirectory::takes_others(const Pending& refused) {
  if (refused.put.size() < kSmall) return false;
  if (writer_ != nullptr && writer_->room() >= kSmall) return true;
  const Status made = roll(refused.first, kSmall);
  return made.ok();
}

/// As many puts as fit into one segment and one sync, from `first` on.
Status DataDirectory::write_part(Group& group, std::size_t first, std::size_t& written) {
  if (writer_ == nullptr || writer_->room() < group[first].put.size()) {
    TRY(roll(group[first].first, group[first].put.size()));
  }
  std::size_t bytes = 0;
  written = 0;
  while (first + written < group.size()) {
    const std::size_t size = group[first + written].put.size();
    if (written > 0 && (bytes + size > writer_->room() || bytes + size > kGroupLimit)) break;
    bytes += size;
    ++written;
  }
  Status status = write_once(group, first, written);
  if (status.ok()) {
    // A put that came before the state was known to be bad, written when it was good again.
    if (!usable_now_) set_state({});
    return status;
  }
  context_.sync_failures.add();
  context_.log.error(fmt::format("{}, going on in a new segment", status.message()));
  TRY(roll(group[first].first, bytes));
  return write_once(group, first, written);
}

Status DataDirectory::write_once(Group& group, std::size_t first, std::size_t count) {
  const std::uint64_t offset = writer_->end();
  const Clock::Steady began = context_.clock.steady_now();
  const auto write_and_sync = [&]() -> Status {
    TRY(cipher_ ? write_encrypted(group, first, count) : write_clear(group, first, count));
    return writer_->sync();
  };
  Status status = write_and_sync();
  if (!status.ok()) {
    last_end_ = writer_->synced();
    writer_.reset();
    return status;
  }
  context_.syncs.add();
  last_took_ = context_.clock.steady_now() - began;
  last_end_ = writer_->end();
  segments_.extend(writer_->id(), group[first].first, offset, writer_->end());
  return {};
}

Status DataDirectory::write_clear(Group& group, std::size_t first, std::size_t count) {
  const auto synced = static_cast<std::uint32_t>(writer_->synced());
  const std::uint32_t seed = record_seed(context_.channel_id, writer_->id());
  std::size_t total = 0;
  for (std::size_t i = first; i < first + count; ++i) total += group[i].put.size();
  const bool join = count > 1 && total <= kJoinBelow;
  joined_.clear();
  for (std::size_t i = first; i < first + count; ++i) {
    const std::string_view bytes = group[i].put.seal(group[i].first, seed, synced);
    if (join) {
      joined_ += bytes;
    } else {
      TRY(writer_->write(bytes));
    }
  }
  return join ? writer_->write(joined_) : Status();
}

/// A record is encrypted when its place is known, which is the nonce.
Status DataDirectory::write_encrypted(const Group& group, std::size_t first, std::size_t count) {
  const auto synced = static_cast<std::uint32_t>(writer_->synced());
  const std::uint32_t seed = record_seed(context_.channel_id, writer_->id());
  std::size_t filled = 0;
  const auto flush = [&]() -> Status {
    if (filled == 0) return {};
    TRY(writer_->write(std::string_view(joined_).substr(0, filled)));
    filled = 0;
    return {};
  };
  for (std::size_t i = first; i < first + count; ++i) {
    const EncodedPut& put = group[i].put;
    for (std::size_t record = 0; record < put.records(); ++record) {
      const std::size_t size = put.record_size(record);
      if (filled + size > kEncryptAtOnce) TRY(flush());
      if (joined_.size() < filled + size) joined_.resize(filled + size);
      put.encrypt(record, {group[i].first, seed, synced, writer_->end() + filled}, *cipher_, joined_.data() + filled);
      filled += size;
    }
  }
  TRY(flush());
  if (joined_.size() > 2 * kEncryptAtOnce) std::string().swap(joined_);  // what one large event needed
  return {};
}

Status DataDirectory::roll(std::uint64_t first_number, std::size_t needed) {
  TRY(check_folder());
  TRY_ASSIGN(const std::uint64_t free, context_.files.free_space(folder_));
  const std::uint64_t kept = context_.minimum_free;
  const std::uint64_t usable = free > kept ? free - kept : 0;
  const std::uint64_t least = kSegmentHeader + needed;
  const std::uint64_t size = std::max(least, std::min(context_.segment_size.load(), usable));
  if (size > usable || usable < kSegmentHeader * 2) {
    return {Code::full,
            fmt::format("{} bytes are needed in {}: {} are free, and minimumRequiredSpace wants {} of them kept",
                        std::max<std::uint64_t>(least, kSegmentHeader * 2), folder_, free, kept)};
  }
  SegmentHeader header{.channel_id = context_.channel_id,
                       .segment_id = context_.next_segment.fetch_add(1),
                       .first = first_number,
                       .made_ms = context_.clock.now_ms(),
                       .size = size,
                       .previous_id = last_id_,
                       .previous_end = last_end_};
  TRY_ASSIGN(auto cipher, choose_key(context_.keys, header));
  TRY_ASSIGN(auto made, SegmentWriter::create(context_.files, folder_, header));
  // The old one gets no more: what it does not need is given back; where that fails, it is only room.
  if (writer_ != nullptr) writer_->finish().ignore();
  writer_ = std::move(made);
  cipher_ = std::move(cipher);
  last_id_ = writer_->id();
  last_end_ = writer_->end();
  segments_.add({.id = writer_->id(),
                 .path = writer_->path(),
                 .first = first_number,
                 .end = writer_->end(),
                 .made_ms = header.made_ms});
  context_.segment_made();
  return {};
}

/// What is written beside a mount point whose disk went away, or into a folder that somebody made anew, would be lost.
Status DataDirectory::check_folder() const {
  const auto owner = context_.files.info(folder_ + "/" + std::string(kOwnerFile));
  if (owner.ok() || owner.status().code() != Code::not_found) return owner.status();
  return {Code::io,
          fmt::format("{} is not the channel's folder any more, {} is gone from it: is it mounted? Put it back",
                      folder_, kOwnerFile)};
}

/// No number below it will be written any more.
std::uint64_t DataDirectory::first_unwritten() const {
  std::lock_guard lock(mutex_);
  return pending_.empty() ? context_.queue.next() : pending_.front().first;
}

void DataDirectory::fail(Group& group, std::size_t first, std::size_t last, const Status& status) {
  std::vector<Range> numbers;
  for (std::size_t i = first; i < last; ++i) numbers.push_back(group[i].numbers());
  // What of them reached the disk must not come up at the next start as if it had been acknowledged.
  context_.lost(std::move(numbers));
  for (std::size_t i = first; i < last; ++i) group[i].promise.complete(status);
}

void DataDirectory::set_state(Status state) {
  const bool again = !usable_now_ && state.ok();
  usable_now_ = state.ok();
  {
    std::lock_guard lock(mutex_);
    state_ = std::move(state);
  }
  if (!again) return;
  context_.log.info(folder_ + " works again");
  context_.usable_again();
}

}  // namespace standpipe::file_channel

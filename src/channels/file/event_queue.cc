#include "channels/file/event_queue.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/check.h"

namespace standpipe::file_channel {

namespace {

constexpr std::size_t kMemory = 16u << 20;
constexpr std::size_t kPerEvent = 24;   // what a batch keeps of an event
constexpr std::size_t kPerBatch = 400;  // and of itself

std::size_t memory_of(const Batch& batch, std::size_t at, std::size_t count) {
  return batch.bytes(at, at + count) + count * kPerEvent + kPerBatch;
}

}  // namespace

EventQueue::EventQueue(Limits limits, IntervalSet gone, std::uint64_t next, const MemoryBudget& budget)
    : budget_(budget), limits_(limits), gone_(std::move(gone)), next_(next) {}

void EventQueue::set_limits(Limits limits) {
  std::lock_guard lock(mutex_);
  limits_ = limits;
}

EventQueue::Limits EventQueue::limits() const {
  std::lock_guard lock(mutex_);
  return limits_;
}

Status EventQueue::reserve(std::size_t events) {
  const auto wanted = static_cast<std::int64_t>(events);
  std::lock_guard lock(mutex_);
  if (wanted > limits_.events) {
    return {Code::poison, fmt::format("{} events can never fit into a capacity of {}", events, limits_.events)};
  }
  const std::int64_t used = static_cast<std::int64_t>(next_ - gone_.count()) + reserved_;
  if (used > limits_.events - wanted) return {Code::full, {}};
  reserved_ += wanted;
  return {};
}

void EventQueue::release(std::size_t events) {
  std::lock_guard lock(mutex_);
  reserved_ -= static_cast<std::int64_t>(events);
}

std::uint64_t EventQueue::allocate(std::size_t events) {
  std::lock_guard lock(mutex_);
  const std::uint64_t first = next_;
  next_ += events;
  reserved_ -= static_cast<std::int64_t>(events);
  held_.add({first, next_});
  return first;
}

bool EventQueue::keeps_in_memory(std::size_t bytes) {
  if (budget_.used() > budget_.intake_limit() / 4 * 3) {
    // Sources need the memory that waits here; all of it is on disk too.
    shed();
    overflowing_ = true;
  }
  if (overflowing_ && ready_bytes_ <= kMemory / 2 && budget_.used() <= budget_.intake_limit() / 2) overflowing_ = false;
  if (ready_bytes_ + bytes > kMemory && ready_bytes_ > 0) overflowing_ = true;
  return !overflowing_;
}

void EventQueue::shed() {
  for (const auto& [first, ready] : ready_) forget({first, first + ready.count});
  ready_.clear();
  ready_bytes_ = 0;
}

void EventQueue::forget(Range numbers) {
  held_.remove(numbers);
  disk_from_ = std::min(disk_from_, numbers.first);
}

void EventQueue::insert_ready(const NumberedEvents& events) {
  const std::size_t bytes = memory_of(*events.batch, events.at, events.count);
  ready_bytes_ += bytes;
  ready_.emplace_hint(ready_.end(), events.first, Ready{events.batch, events.at, events.count, bytes});
}

void EventQueue::publish(std::uint64_t first, BatchPtr batch) {
  const std::size_t events = batch->size();
  const std::size_t bytes = memory_of(*batch, 0, events);
  std::lock_guard lock(mutex_);
  if (keeps_in_memory(bytes)) {
    insert_ready({first, std::move(batch), 0, events});
  } else {
    forget({first, first + events});
  }
}

void EventQueue::take_back(Range numbers) {
  std::lock_guard lock(mutex_);
  held_.remove(numbers);
  gone_.add(numbers);
}

std::optional<std::uint64_t> EventQueue::first_on_disk() const {
  std::uint64_t at = disk_from_;
  for (;;) {
    const std::uint64_t behind = gone_.end_of(held_.end_of(at));
    if (behind == at) break;
    at = behind;
  }
  disk_from_ = at;
  return at < next_ ? std::optional(at) : std::nullopt;
}

std::optional<Range> EventQueue::wanted_from_disk() const {
  std::lock_guard lock(mutex_);
  const auto first = first_on_disk();
  if (!first || (!ready_.empty() && ready_.begin()->first < *first)) return std::nullopt;
  return Range{*first, std::min({next_, held_.next_at(*first), gone_.next_at(*first)})};
}

void EventQueue::loaded(const BacklogReader::Loaded& loaded) {
  std::lock_guard lock(mutex_);
  for (const NumberedEvents& events : loaded.events) {
    held_.add({events.first, events.end()});
    insert_ready(events);
  }
  for (const Range& missing : loaded.missing) gone_.add(missing);
}

std::size_t EventQueue::take(std::size_t max, std::vector<NumberedEvents>& taken) {
  std::size_t count = 0;
  std::lock_guard lock(mutex_);
  max = std::min(max, static_cast<std::size_t>(limits_.transaction_events));
  const std::uint64_t barrier = first_on_disk().value_or(std::numeric_limits<std::uint64_t>::max());
  while (count < max && !ready_.empty() && ready_.begin()->first < barrier) {
    const auto lowest = ready_.begin();
    const std::uint64_t first = lowest->first;
    Ready& ready = lowest->second;
    const std::size_t part = std::min(ready.count, max - count);
    taken.push_back({first, ready.batch, ready.at, part});
    count += part;
    ready_bytes_ -= ready.bytes;
    if (part < ready.count) {
      Ready rest{std::move(ready.batch), ready.at + part, ready.count - part,
                 ready.bytes / ready.count * (ready.count - part)};
      ready_bytes_ += rest.bytes;
      ready_.emplace_hint(std::next(lowest), first + part, std::move(rest));
    }
    ready_.erase(lowest);
  }
  return count;
}

void EventQueue::commit(const std::vector<Range>& numbers) {
  std::lock_guard lock(mutex_);
  for (const Range& range : numbers) {
    held_.remove(range);
    gone_.add(range);
  }
}

void EventQueue::give_back(std::vector<NumberedEvents> events) {
  std::lock_guard lock(mutex_);
  for (const NumberedEvents& returned : events) {
    // Neighbours of one batch grow together again, so that many small returns do not leave many small runs.
    NumberedEvents joined = returned;
    auto next = ready_.lower_bound(returned.first);
    if (next != ready_.end() && next->first == joined.end() && next->second.batch == joined.batch) {
      joined.count += next->second.count;
      ready_bytes_ -= next->second.bytes;
      next = ready_.erase(next);
    }
    if (next != ready_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second.count == joined.first && before->second.batch == joined.batch) {
        joined = {before->first, joined.batch, before->second.at, before->second.count + joined.count};
        ready_bytes_ -= before->second.bytes;
        ready_.erase(before);
      }
    }
    insert_ready(joined);
  }
}

std::int64_t EventQueue::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(next_ - gone_.count());
}

std::optional<std::uint64_t> EventQueue::oldest() const {
  std::lock_guard lock(mutex_);
  const std::uint64_t number = gone_.end_of(0);
  return number < next_ ? std::optional(number) : std::nullopt;
}

std::uint64_t EventQueue::next() const {
  std::lock_guard lock(mutex_);
  return next_;
}

IntervalSet EventQueue::gone() const {
  std::lock_guard lock(mutex_);
  return gone_;
}

}  // namespace standpipe::file_channel

#include "core/parked_streams.h"

#include <algorithm>
#include <vector>

namespace standpipe {

namespace {

std::size_t bytes_of(const Lease& lease, ParkedStreams::Range range) {
  std::size_t total = 0;
  for (std::size_t i = range.first; i < range.last; ++i) {
    const EventRef event = lease[i];
    total += event.body.size() + event.headers->bytes();
  }
  return total;
}

}  // namespace

ParkedStreams::ParkedStreams(Clock& clock) : ParkedStreams(clock, Limits{}) {}
ParkedStreams::ParkedStreams(Clock& clock, Limits limits) : clock_(clock), limits_(limits) {}

void ParkedStreams::append(Stream& stream, const SharedLease& lease, const std::vector<Range>& ranges) {
  for (const Range range : ranges) {
    const std::size_t bytes = bytes_of(*lease, range);
    stream.items.push_back({lease, range, bytes});
    events_ += range.last - range.first;
    bytes_ += bytes;
  }
}

void ParkedStreams::hold(std::string_view stream, const SharedLease& lease, const std::vector<Range>& ranges) {
  const auto found = streams_.find(stream);
  if (found != streams_.end()) append(found->second, lease, ranges);
}

void ParkedStreams::fail(std::string_view stream, const SharedLease& lease, const std::vector<Range>& ranges,
                         const Status& why) {
  auto found = streams_.find(stream);
  if (found == streams_.end()) {
    found = streams_.try_emplace(std::string(stream)).first;
    found->second.delay = limits_.first_delay;
    found->second.due = clock_.steady_now() + limits_.first_delay;
  }
  found->second.why = why;
  found->second.why.ignore();  // kept for who asks
  append(found->second, lease, ranges);
}

void ParkedStreams::forget(const Item& item) {
  events_ -= item.range.last - item.range.first;
  bytes_ -= item.bytes;
}

void ParkedStreams::back_off(Stream& stream, Status why) {
  stream.delay = std::min(stream.delay * 2, limits_.max_delay);
  stream.due = clock_.steady_now() + stream.delay;
  stream.why = std::move(why);
  stream.why.ignore();  // kept for who asks
}

std::size_t ParkedStreams::retry(const std::string& name, Stream& stream, const Write& write) {
  std::size_t committed = 0;
  while (!stream.items.empty()) {
    const Item& item = stream.items.front();
    Status status = write(name, *item.lease, item.range);
    if (!status.ok()) {
      back_off(stream, std::move(status));
      return committed;
    }
    if (item.lease->commit(item.range.first, item.range.last).ok()) {
      committed += item.range.last - item.range.first;
    } else {
      item.lease->give_back(item.range.first, item.range.last);  // they will come again: written twice then
    }
    forget(item);
    stream.items.pop_front();
  }
  return committed;
}

std::size_t ParkedStreams::retry_due(const Write& write) {
  const Clock::Steady now = clock_.steady_now();
  std::vector<Streams::iterator> due;
  for (auto it = streams_.begin(); it != streams_.end(); ++it) {
    if (it->second.due <= now) due.push_back(it);
  }
  std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) { return a->second.due < b->second.due; });
  std::size_t committed = 0;
  for (const auto it : due) {
    committed += retry(it->first, it->second, write);
    if (it->second.items.empty()) streams_.erase(it);
  }
  return committed;
}

std::optional<Clock::Steady> ParkedStreams::next_due() const {
  std::optional<Clock::Steady> next;
  for (const auto& [name, stream] : streams_) next = next.has_value() ? std::min(*next, stream.due) : stream.due;
  return next;
}

Status ParkedStreams::why(std::string_view stream) const {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? Status() : found->second.why;
}

void ParkedStreams::give_back(std::string_view stream) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  for (const Item& item : found->second.items) {
    item.lease->give_back(item.range.first, item.range.last);
    forget(item);
  }
  streams_.erase(found);
}

void ParkedStreams::give_back_all() {
  while (!streams_.empty()) give_back(std::string(streams_.begin()->first));
}

}  // namespace standpipe

#include "net/stall_watch.h"

#include <fmt/format.h>

namespace standpipe {

void StallWatch::received(std::size_t bytes, bool begins, Clock::Steady now) {
  counted_ += bytes;
  if (!begins) return;
  request_began_ = now;
  count_from(now);
}

Status StallWatch::look(const View& view, const Patience& patience) {
  const long long ms = patience.limit.count();
  if (!view.agreed && patience.now - opened_ >= patience.limit) {
    return {Code::timeout, fmt::format("TLS was not agreed upon within {} ms", ms)};
  }
  if (view.unsent == 0 || view.unsent != unsent_) {
    unsent_ = view.unsent;
    unsent_changed_ = patience.now;
  } else if (patience.now - unsent_changed_ >= patience.limit) {
    return {Code::timeout, fmt::format("it has read none of its answers for {} ms", ms)};
  }
  if (!view.waits_for_memory) {
    short_since_.reset();
  } else if (patience.now - short_since_.emplace(short_since_.value_or(patience.now)) >= patience.limit) {
    return {Code::full, fmt::format("there was no memory for its request within {} ms: sinks do not keep up, or the "
                                    "process needs more (-Xmx)",
                                    ms)};
  }
  return look_at_request(view, patience);
}

Status StallWatch::look_at_request(const View& view, const Patience& patience) {
  if (!view.half_way || !view.reads) {  // it waits for us
    request_began_ = patience.now;
    count_from(patience.now);
    return {};
  }
  const long long ms = patience.limit.count();
  if (patience.memory_is_short && patience.now - request_began_ >= patience.limit) {
    return {Code::timeout, fmt::format("its request was not complete within {} ms, and memory is short", ms)};
  }
  if (patience.now - counted_from_ < patience.limit) return {};
  if (counted_ * 1000 < kSlowest * static_cast<std::size_t>(ms)) {
    return {Code::timeout,
            fmt::format("it has stopped in the middle of a request: {} bytes came in {} ms", counted_, ms)};
  }
  count_from(patience.now);
  return {};
}

}  // namespace standpipe

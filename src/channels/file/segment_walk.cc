#include "channels/file/segment_walk.h"

#include <algorithm>

#include "channels/file/segment.h"

namespace standpipe::file_channel {

namespace {
constexpr std::size_t kStretch = 1u << 20;
}  // namespace

Status walk_segment(File& file, const SegmentWalk& walk, const Unreadable& unreadable,
                    const std::function<void(const Scan&)>& visit) {
  std::uint64_t passed = walk.from;
  std::size_t stretch = kStretch;
  for (std::uint64_t at = walk.begin; at < walk.end;) {
    const auto slab = Slab::make(std::min<std::uint64_t>(stretch, walk.end - at));
    TRY_ASSIGN(const std::size_t there, read_what_is_left(file, at, slab->data(), slab->capacity(), unreadable));
    const bool last = at + slab->capacity() >= walk.end || there < slab->capacity();
    const Scan scan = scan_records(slab, {.bytes = {slab->data(), there},
                                          .offset = at,
                                          .seed = walk.seed,
                                          .from = passed,
                                          .last = last,
                                          .events = walk.events,
                                          .opener = walk.opener});
    if (scan.used == 0 && scan.wanted > slab->capacity()) {
      stretch = scan.wanted;
      continue;
    }
    stretch = kStretch;
    passed = std::max(passed, scan.next);
    visit(scan);
    at += last ? slab->capacity() : scan.used;
  }
  return {};
}

}  // namespace standpipe::file_channel

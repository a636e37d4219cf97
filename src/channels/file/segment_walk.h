#pragma once

#include <cstdint>
#include <functional>

#include "channels/file/record_scan.h"
#include "io/file_system.h"
#include "standpipe/status.h"

namespace standpipe::file_channel {

/// A segment from one place to another, as far as its file goes.
struct SegmentWalk {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint32_t seed;
  std::uint64_t from = 0;  ///< as in ScanInput, for the first stretch
  bool events = true;      ///< as in ScanInput
  RecordOpener* opener = nullptr;
};

using Unreadable = std::function<void(std::uint64_t offset, std::size_t bytes, const Status& why)>;

/// Reads records stretch by stretch, about a MiB of memory at a time; `visit` gets each. Fails where the device does.
Status walk_segment(File& file, const SegmentWalk& walk, const Unreadable& unreadable,
                    const std::function<void(const Scan&)>& visit);

}  // namespace standpipe::file_channel

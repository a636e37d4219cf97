#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channels/file/interval_set.h"
#include "standpipe/status.h"

/// Which numbers are gone, as bytes: docs/formats/file-channel.md, "consumed and snapshot".
namespace standpipe::file_channel {

struct Snapshot {
  struct SegmentState {
    std::uint64_t id;
    std::uint64_t first;
    std::uint64_t end;
    friend bool operator==(const SegmentState&, const SegmentState&) = default;
  };
  struct DirectoryState {
    std::string path;
    std::vector<SegmentState> segments;
    friend bool operator==(const DirectoryState&, const DirectoryState&) = default;
  };
  std::uint64_t channel_id = 0;
  std::uint64_t generation = 0;
  std::uint64_t next = 0;  ///< all numbers used so far are smaller
  std::vector<Range> gone;
  std::vector<DirectoryState> directories;
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

std::string format_snapshot(const Snapshot& snapshot);
/// Code::corrupt: damaged. Code::invalid: a newer format.
Result<Snapshot> parse_snapshot(std::string_view bytes);

inline constexpr std::size_t kConsumedHeader = 64;

std::string format_consumed_header(std::uint64_t channel_id, std::uint64_t generation);
std::string format_consumed_record(std::uint64_t channel_id, std::uint64_t generation, std::span<const Range> ranges);

struct Consumed {
  std::vector<Range> ranges;
  bool damaged = false;  ///< something in it does not check; what does is in `ranges`
};
/// What such a file says; its header need not be good. Code::invalid: a newer format.
Result<Consumed> parse_consumed(std::string_view bytes, std::uint64_t channel_id, std::uint64_t generation);

std::string snapshot_name(std::uint64_t generation);
std::string consumed_name(std::uint64_t generation);
std::optional<std::uint64_t> parse_snapshot_name(std::string_view name);
std::optional<std::uint64_t> parse_consumed_name(std::string_view name);

}  // namespace standpipe::file_channel

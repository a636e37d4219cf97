#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/file/flume/log_record.h"
#include "io/file_system.h"

namespace standpipe::file_channel::flume {

/// The pointers of transactions that were open when a checkpoint was written, ascending.
using InFlight = std::map<std::int64_t, std::vector<Pointer>>;

/// What the folder checkpointDir says.
struct Checkpoint {
  std::int64_t order = 0;  ///< records up to this one are in it; 0: it says nothing
  std::deque<Pointer> queue;
  InFlight puts;
  InFlight takes;
};

/// Code::not_found: there is none. Code::corrupt: Flume would throw it away (incomplete, damaged, files that don't
/// belong together); the message says why.
Result<Checkpoint> read_checkpoint(FileSystem& files, const std::string& folder);

/// An in-flight file; none: its checksum does not agree, or its counts don't.
std::optional<InFlight> parse_in_flight(std::string_view file);
std::string format_in_flight(const InFlight& transactions);

/// The file `checkpoint` of a queue with `capacity` places.
std::string format_checkpoint(std::int64_t order, std::uint32_t head, std::uint32_t capacity,
                              const std::vector<Pointer>& queue);

}  // namespace standpipe::file_channel::flume

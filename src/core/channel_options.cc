#include "core/channel_options.h"

#include <fmt/format.h>

namespace standpipe::channel_options {

std::int64_t transaction_events(std::int64_t wanted, std::int64_t capacity, Log& log) {
  if (wanted <= capacity) return wanted;
  log.warn(fmt::format("transactionCapacity {} is larger than capacity {}: {} is used; raise capacity", wanted,
                       capacity, capacity));
  return capacity;
}

Status needs_restart(std::string_view property) {
  return {Code::invalid, fmt::format("{} can't change while the channel runs: restart the agent, or put the old value "
                                     "back",
                                     property)};
}

}  // namespace standpipe::channel_options

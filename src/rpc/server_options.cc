#include "rpc/server_options.h"

#include <algorithm>

#include <fmt/format.h>

namespace standpipe::rpc::server_options {

ServerRules source_rules(const Settings& settings, Environment& environment) {
  return {.memory = environment.budget,
          .refused = environment.counters.counter(counter_names::kEventReadFail),
          .patience = settings.duration(kStallTimeout.name)};
}

/// While a request grows, up to twice its size is held: half of what an intake may have is the most.
std::size_t max_request(const Settings& settings, Environment& environment) {
  const std::uint64_t most = std::min<std::uint64_t>(environment.budget.intake_limit() / 2, kLargestRequest);
  const auto wanted = static_cast<std::uint64_t>(settings.integer("max-request-bytes"));
  if (wanted > most) {
    environment.log.warn(
        fmt::format("max-request-bytes = {} is more than the memory budget allows: {} bytes are the "
                    "most; give the process more memory with -Xmx if such requests come",
                    wanted, most));
  }
  return static_cast<std::size_t>(std::min(most, wanted > 0 ? wanted : environment.budget.limit() / 4));
}

}  // namespace standpipe::rpc::server_options

#include "app/tools/tool_environment.h"

#include "io/file_system.h"

namespace standpipe {

namespace {
constexpr std::uint64_t kBudget = 256u << 20;
}  // namespace

Result<std::unique_ptr<ToolEnvironment>> ToolEnvironment::make(const std::string& name) {
  LogTarget target;
  target.level = Log::Level::warn;
  TRY(configure_logging(target));
  return std::unique_ptr<ToolEnvironment>(new ToolEnvironment(name));
}

ToolEnvironment::ToolEnvironment(const std::string& name)
    : log_(make_log(name)),
      budget_(kBudget),
      environment_{.agent = "tool",
                   .component = name,
                   .state_dir = {},
                   .log = *log_,
                   .clock = clock_,
                   .files = real_file_system(),
                   .network = nullptr,
                   .budget = budget_,
                   .counters = counters_} {}

}  // namespace standpipe

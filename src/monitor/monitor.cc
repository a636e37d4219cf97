#include "monitor/monitor.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/text.h"

namespace standpipe {

namespace {
constexpr std::string_view kJson = "application/json;charset=utf-8";
constexpr std::string_view kPrometheus = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kHtml = "text/html;charset=utf-8";
}  // namespace

Monitor::Monitor(const Registry& registry, Network& network, Clock& clock, const MemoryBudget& budget, Log& log)
    : registry_(registry),
      clock_(clock),
      budget_(budget),
      endpoint_(network, log, [this](std::string_view path) { return page(path); }) {}

Status Monitor::start(const MonitorOptions& options) {
  const Status status = endpoint_.start(options.host, options.port);
  if (!status.ok()) {
    return status.with_context("metrics are not available (another port: -Dflume.monitoring.port=N): ");
  }
  return {};
}

HttpReply Monitor::page(std::string_view path) {
  const std::string name = to_lower(path);  // Flume does not mind capitals
  if (name == "/metrics") return {200, std::string(kJson), render_flume_json(registry_.read())};
  if (name == "/metrics/prometheus") return {200, std::string(kPrometheus), prometheus()};
  if (name == "/healthz") return health();
  if (name == "/") return {200, std::string(kHtml), render_html(registry_.read())};
  return {404, {}, {}};
}

HttpReply Monitor::health() {
  const auto reasons = judge_.judge(registry_.read(), clock_.now_ms());
  return {reasons.empty() ? 200 : 503, std::string(kJson), render_health(reasons)};
}

std::string Monitor::prometheus() const {
  ProcessReading process = read_process();
  process.budget_used = budget_.used();
  process.budget_limit = budget_.limit();
  return render_prometheus(registry_.read(), process);
}

}  // namespace standpipe

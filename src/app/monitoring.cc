#include "app/monitoring.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"

namespace standpipe {

void start_monitoring(const Properties& properties, Monitor& monitor) {
  const auto get = [&](std::string_view key) {
    const auto found = properties.find(key);
    return found == properties.end() ? std::string() : found->second;
  };
  if (!equals_ignoring_case(get("flume.monitoring.type"), "http")) return;
  MonitorOptions options;
  options.host = get("flume.monitoring.host");
  if (const std::string text = get("flume.monitoring.port"); !text.empty()) {
    const auto port = parse_integer(text);
    if (!port || *port < 0 || *port > 65535) {
      process_log().error(
          fmt::format("-Dflume.monitoring.port={} is not a port: 1 to 65535; there is no monitoring", text));
      return;
    }
    options.port = static_cast<std::uint16_t>(*port);
  }
  const Status status = monitor.start(options);
  if (!status.ok()) {
    process_log().error(fmt::format("there is no monitoring: {}", status.message()));
    return;
  }
  process_log().info(fmt::format("metrics at http://{}:{}/metrics, /metrics/prometheus, /healthz",
                                 options.host.empty() ? "localhost" : options.host, monitor.port()));
}

}  // namespace standpipe

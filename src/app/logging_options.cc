#include "app/logging_options.h"

#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "net/tls_defaults.h"

namespace standpipe {

namespace {

std::string get(const Properties& properties, std::string_view key, std::string_view fallback = {}) {
  const auto found = properties.find(key);
  return std::string(found == properties.end() ? fallback : std::string_view(found->second));
}

std::string log_file(const Properties& properties) {
  return get(properties, "flume.log.dir", "./logs") + "/" + get(properties, "flume.log.file", "flume.log");
}

bool means_file(std::string_view target) {
  return equals_ignoring_case(target, "logfile") || equals_ignoring_case(target, "daily") ||
         equals_ignoring_case(target, "file");
}

constexpr std::array<std::string_view, 12> kUnderstood = {
    "flume.root.logger",
    "flume.log.dir",
    "flume.log.file",
    "flume.log.level",
    "flume.log.to",
    "flume.monitoring.type",
    "flume.monitoring.port",
    "flume.monitoring.host",
    "org.apache.flume.log.printconfig",
    "org.apache.flume.log.rawdata",
    "propertiesImplementation",
    "flume.called.from.service",
};

std::string substitute(std::string_view key) {
  if (key.starts_with("flume.monitoring."))
    return "monitoring here is -Dflume.monitoring.type=http: JSON and Prometheus text";
  if (key.starts_with("log4j")) return "-Dflume.root.logger=LEVEL,console or LEVEL,LOGFILE sets level and target";
  if (key.starts_with("com.sun.management."))
    return "there is no JMX: -Dflume.monitoring.type=http gives the same counters";
  return "nothing reads it here";
}

bool of_interest(std::string_view key) {
  return key.starts_with("flume.") || key.starts_with("log4j") || key.starts_with("com.sun.management.");
}

}  // namespace

bool is_on(const Properties& properties, std::string_view key) {
  return equals_ignoring_case(get(properties, key), "true");
}

LogTarget log_target(const Properties& properties, std::vector<std::string>& problems) {
  std::string level = get(properties, "flume.log.level", "INFO");
  std::string targets = get(properties, "flume.log.to", "console");
  if (const std::string root = get(properties, "flume.root.logger"); !root.empty()) {
    const std::size_t comma = root.find(',');
    level = root.substr(0, comma);
    targets = comma == std::string::npos ? "console" : root.substr(comma + 1);
  }
  LogTarget target;
  const auto known = parse_log_level(level);
  if (!known) {
    problems.push_back(fmt::format("'{}' is no log level: TRACE, DEBUG, INFO, WARN, ERROR; INFO is used", level));
  }
  target.level = known.value_or(Log::Level::info);
  target.console = false;
  for (const std::string_view part : split(targets, ',')) {
    const std::string_view word = trim(part);
    if (equals_ignoring_case(word, "console")) {
      target.console = true;
    } else if (means_file(word)) {
      target.file = log_file(properties);
    } else {
      problems.push_back(fmt::format("'{}' is no log target: console, LOGFILE", word));
    }
  }
  if (target.file.empty()) target.console = true;
  target.raw_data = is_on(properties, "org.apache.flume.log.rawdata");
  return target;
}

std::vector<std::string> ignored_properties(const Properties& properties) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : properties) {
    bool understood = false;
    for (const std::string_view known : kUnderstood) understood = understood || known == key;
    understood = understood || is_tls_default(key);
    if (understood || !of_interest(key)) continue;
    lines.push_back(fmt::format("-D{} has no effect: {}", key, substitute(key)));
  }
  const std::string monitoring = get(properties, "flume.monitoring.type");
  if (!monitoring.empty() && !equals_ignoring_case(monitoring, "http")) {
    lines.push_back(
        fmt::format("-Dflume.monitoring.type={} is not here: http gives the same counters as JSON, and as "
                    "Prometheus text at /metrics/prometheus",
                    monitoring));
  }
  return lines;
}

}  // namespace standpipe

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/registry.h"

namespace standpipe {

/// A double as java.lang.Double.toString prints it: "12.5", "0.0", "1.7976931348623157E308".
std::string java_double(double number);

/// Flume's JSON: {"CHANNEL.c1":{"ChannelCapacity":"100",…,"Type":"CHANNEL"},…}, every value a string, escaped as Gson
/// does.
std::string render_flume_json(const std::vector<ComponentReading>& readings);

/// Numbers of the process that belong to no component.
struct ProcessReading {
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t budget_used = 0;
  std::uint64_t budget_limit = 0;
};
/// From /proc; zeros where that is not there.
ProcessReading read_process();

/// Prometheus' text format 0.0.4.
std::string render_prometheus(const std::vector<ComponentReading>& readings, const ProcessReading& process);

/// Whether the agent does its work. A channel's fullness is judged over time, so the same judge must be asked each
/// time. One thread at a time.
class HealthJudge {
 public:
  static constexpr std::int64_t kFullTooLongMs = 60'000;
  static constexpr std::int64_t kStartTooLongMs = 60'000;

  struct Reason {
    std::string component;  ///< "SINK.k1"
    std::string kind;       ///< "error", "poison", "starting", "full", "abandoned"
    std::string message;
  };
  /// Empty: healthy.
  std::vector<Reason> judge(const std::vector<ComponentReading>& readings, std::int64_t now_ms);

 private:
  std::map<std::string, std::int64_t> full_since_;
};

/// {"status":"ok","reasons":[]}
std::string render_health(const std::vector<HealthJudge::Reason>& reasons);

/// A page for a person, with links to the others.
std::string render_html(const std::vector<ComponentReading>& readings);

}  // namespace standpipe

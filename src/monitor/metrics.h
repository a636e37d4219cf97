#pragma once

#include <span>
#include <string>
#include <string_view>

#include "standpipe/option.h"

namespace standpipe {

/// What the monitor knows about a counter: how it is called for Prometheus, and what it means.
struct Metric {
  std::string_view attribute;  ///< its name at /metrics and in a CounterGroup
  std::string_view name;       ///< its name at /metrics/prometheus
  bool counter;                ///< only ever grows
  double scale;                ///< from the attribute's unit to Prometheus' base unit
  bool in_flume;               ///< always shown, as Flume does, also while nothing counted
  std::string_view kinds;      ///< which components have it: letters of kind_letter()
  std::string_view help;
};

std::span<const Metric> known_metrics();

/// Null for a counter that only its component knows.
const Metric* find_metric(std::string_view attribute);

/// "EventTakeCount" -> "standpipe_event_take_total": the name of a counter that is not in the table.
std::string derived_metric_name(std::string_view attribute, bool counter);

/// 's'ource, 'c'hannel, sin'k'.
char kind_letter(ComponentKind kind);

}  // namespace standpipe

#include "monitor/registry.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "base/secrets.h"
#include "monitor/metrics.h"

namespace standpipe {

namespace {

/// Flume shows an attribute from the start, a counter of ours appears with its first use.
void add_missing(ComponentReading& reading) {
  for (const Metric& metric : known_metrics()) {
    if (metric.in_flume && metric.kinds.find(kind_letter(reading.kind)) != std::string_view::npos) {
      reading.values.try_emplace(std::string(metric.attribute), 0.0);
    }
  }
  if (reading.kind != ComponentKind::channel) return;
  const double capacity = reading.values[std::string(counter_names::kChannelCapacity)];
  const double size = reading.values[std::string(counter_names::kChannelSize)];
  reading.values[std::string(counter_names::kChannelFill)] =
      capacity > 0 ? size / capacity * 100 : std::numeric_limits<double>::max();  // Flume's answer to a division by 0
}

ComponentReading read_one(const Registry::Component& component) {
  ComponentReading reading{component.agent, component.kind, component.name, {}};
  for (const CounterGroup::Value& value : component.counters->read()) reading.values[value.name] = value.number;
  if (component.health) {
    const Health health = component.health();
    reading.state = health.state;
    reading.since_ms = health.since_ms;
    reading.error = health.error.code();
    reading.message = without_secrets(std::string(health.error.message()));
  }
  add_missing(reading);
  return reading;
}

}  // namespace

std::string ComponentReading::key() const {
  std::string text(to_string(kind));
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return text + "." + name;
}

Registry::Registration::Registration(Registration&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), place_(other.place_) {}

Registry::Registration& Registry::Registration::operator=(Registration&& other) noexcept {
  std::swap(registry_, other.registry_);
  std::swap(place_, other.place_);
  return *this;
}

Registry::Registration::~Registration() {
  if (registry_ == nullptr) return;
  std::lock_guard lock(registry_->mutex_);
  registry_->components_.erase(place_);
}

Registry::Registration Registry::add(Component component) {
  std::lock_guard lock(mutex_);
  return {this, components_.insert(components_.end(), std::move(component))};
}

std::vector<ComponentReading> Registry::read() const {
  std::vector<ComponentReading> readings;
  {
    std::lock_guard lock(mutex_);
    for (const Component& component : components_) readings.push_back(read_one(component));
  }
  std::sort(readings.begin(), readings.end(), [](const ComponentReading& a, const ComponentReading& b) {
    return std::tie(a.kind, a.name, a.agent) < std::tie(b.kind, b.name, b.agent);
  });
  return readings;
}

}  // namespace standpipe

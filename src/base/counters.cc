#include "standpipe/counters.h"

#include "standpipe/drain_counters.h"

namespace standpipe {

Counter& CounterGroup::counter(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto found = counters_.find(name);
  if (found == counters_.end()) found = counters_.try_emplace(std::string(name)).first;
  return found->second;
}

void CounterGroup::gauge(std::string_view name, std::function<double()> read) {
  std::lock_guard lock(mutex_);
  gauges_.insert_or_assign(std::string(name), std::move(read));
}

void CounterGroup::clear_gauges() {
  std::lock_guard lock(mutex_);
  gauges_.clear();
}

std::vector<CounterGroup::Value> CounterGroup::read() const {
  std::lock_guard lock(mutex_);
  std::vector<Value> values;
  for (const auto& [name, counter] : counters_) values.push_back({name, static_cast<double>(counter.value()), false});
  for (const auto& [name, read] : gauges_) values.push_back({name, read(), true});
  return values;
}

DrainCounters::DrainCounters(CounterGroup& group)
    : empty_(group.counter(counter_names::kBatchEmpty)),
      underflow_(group.counter(counter_names::kBatchUnderflow)),
      complete_(group.counter(counter_names::kBatchComplete)),
      attempt_(group.counter(counter_names::kDrainAttempt)),
      success_(group.counter(counter_names::kDrainSuccess)),
      write_fail_(group.counter(counter_names::kEventWriteFail)) {}

}  // namespace standpipe

#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace standpipe {

/// A number that the monitor publishes. Relaxed atomics: cheap from any thread, never a lock.
class Counter {
 public:
  void add(std::int64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// The counters of one component under Flume's attribute names ("EventDrainSuccessCount"), as published at /metrics,
/// plus ours. Look a counter up once, at construction, and keep the reference: it lives as long as the group.
/// Thread-safe.
class CounterGroup {
 public:
  /// The counter of that name, made on first use.
  Counter& counter(std::string_view name);
  /// A value computed when somebody looks; `read` must be thread-safe and outlive the group or be cleared first.
  void gauge(std::string_view name, std::function<double()> read);
  void clear_gauges();

  struct Value {
    std::string name;
    double number;
    bool is_gauge;
  };
  /// All values now, by name.
  std::vector<Value> read() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Counter, std::less<>> counters_;
  std::map<std::string, std::function<double()>, std::less<>> gauges_;
};

/// Flume's names, so that no component spells one differently.
namespace counter_names {
// source
inline constexpr std::string_view kEventReceived = "EventReceivedCount";
inline constexpr std::string_view kEventAccepted = "EventAcceptedCount";
inline constexpr std::string_view kAppendReceived = "AppendReceivedCount";
inline constexpr std::string_view kAppendAccepted = "AppendAcceptedCount";
inline constexpr std::string_view kAppendBatchReceived = "AppendBatchReceivedCount";
inline constexpr std::string_view kAppendBatchAccepted = "AppendBatchAcceptedCount";
inline constexpr std::string_view kOpenConnections = "OpenConnectionCount";
inline constexpr std::string_view kEventReadFail = "EventReadFail";
inline constexpr std::string_view kChannelWriteFail = "ChannelWriteFail";
inline constexpr std::string_view kGenericProcessingFail = "GenericProcessingFail";
// channel
inline constexpr std::string_view kChannelSize = "ChannelSize";
inline constexpr std::string_view kChannelCapacity = "ChannelCapacity";
inline constexpr std::string_view kChannelFill = "ChannelFillPercentage";
inline constexpr std::string_view kPutAttempt = "EventPutAttemptCount";
inline constexpr std::string_view kPutSuccess = "EventPutSuccessCount";
inline constexpr std::string_view kTakeAttempt = "EventTakeAttemptCount";
inline constexpr std::string_view kTakeSuccess = "EventTakeSuccessCount";
// sink
inline constexpr std::string_view kConnectionCreated = "ConnectionCreatedCount";
inline constexpr std::string_view kConnectionClosed = "ConnectionClosedCount";
inline constexpr std::string_view kConnectionFailed = "ConnectionFailedCount";
inline constexpr std::string_view kBatchEmpty = "BatchEmptyCount";
inline constexpr std::string_view kBatchUnderflow = "BatchUnderflowCount";
inline constexpr std::string_view kBatchComplete = "BatchCompleteCount";
inline constexpr std::string_view kDrainAttempt = "EventDrainAttemptCount";
inline constexpr std::string_view kDrainSuccess = "EventDrainSuccessCount";
inline constexpr std::string_view kEventWriteFail = "EventWriteFail";
inline constexpr std::string_view kChannelReadFail = "ChannelReadFail";
// ours: what Flume does not count
inline constexpr std::string_view kEventsFiltered = "EventFilteredCount";  ///< source: dropped by interceptors
inline constexpr std::string_view kEventsUnrouted = "EventUnroutedCount";  ///< source: no channel for them
inline constexpr std::string_view kOptionalDropped =
    "EventOptionalDropCount";                                              ///< source: an optional channel had no room
inline constexpr std::string_view kPoison = "EventPoisonCount";            ///< sink: refused for good
inline constexpr std::string_view kQuarantined = "EventQuarantinedCount";  ///< sink: moved to the dead-letter file
inline constexpr std::string_view kDuplicate = "EventDuplicateCount";      ///< sink: acknowledged after a fail-over
inline constexpr std::string_view kLateAck = "LateAckCount";           ///< sink: acknowledgements of what had gone back
inline constexpr std::string_view kStartFail = "StartFailCount";       ///< all: failed starts since the first
inline constexpr std::string_view kOldestEventAge = "OldestEventAge";  ///< channel: ms; 0 when empty
// all
inline constexpr std::string_view kStartTime = "StartTime";  ///< epoch ms
inline constexpr std::string_view kStopTime = "StopTime";    ///< epoch ms; 0 while it runs
}  // namespace counter_names

}  // namespace standpipe

#include "monitor/metrics.h"

#include <cctype>

namespace standpipe {

namespace {

constexpr double kFromMs = 0.001;

constexpr Metric kMetrics[] = {
    // sources
    {"EventReceivedCount", "standpipe_event_received_total", true, 1, true, "s", "Events that arrived at the source."},
    {"EventAcceptedCount", "standpipe_event_accepted_total", true, 1, true, "s",
     "Events that every required channel has stored."},
    {"AppendReceivedCount", "standpipe_append_received_total", true, 1, true, "s", "Single events sent by clients."},
    {"AppendAcceptedCount", "standpipe_append_accepted_total", true, 1, true, "s", "Single events that were stored."},
    {"AppendBatchReceivedCount", "standpipe_append_batch_received_total", true, 1, true, "s",
     "Batches that arrived at the source."},
    {"AppendBatchAcceptedCount", "standpipe_append_batch_accepted_total", true, 1, true, "s",
     "Batches that were stored."},
    {"OpenConnectionCount", "standpipe_open_connections", false, 1, true, "s", "Clients connected now."},
    {"EventReadFail", "standpipe_event_read_fail_total", true, 1, true, "s",
     "Input that could not be read as an event."},
    {"ChannelWriteFail", "standpipe_channel_write_fail_total", true, 1, true, "s",
     "Hand-overs that a required channel refused."},
    {"GenericProcessingFail", "standpipe_generic_processing_fail_total", true, 1, true, "s",
     "Hand-overs that failed for another reason, such as an interceptor."},
    {"EventFilteredCount", "standpipe_event_filtered_total", true, 1, false, "s", "Events dropped by interceptors."},
    {"EventUnroutedCount", "standpipe_event_unrouted_total", true, 1, false, "s",
     "Events for which the selector has no channel."},
    {"EventOptionalDropCount", "standpipe_event_optional_drop_total", true, 1, false, "s",
     "Events that an optional channel had no room for."},
    // channels
    {"ChannelSize", "standpipe_channel_size", false, 1, true, "c", "Events in the channel, leased ones included."},
    {"ChannelCapacity", "standpipe_channel_capacity", false, 1, true, "c", "The most events that the channel holds."},
    {"ChannelFillPercentage", "standpipe_channel_fill_ratio", false, 0.01, true, "c",
     "Share of the capacity in use, 0 to 1."},
    {"EventPutAttemptCount", "standpipe_event_put_attempt_total", true, 1, true, "c", "Events offered to the channel."},
    {"EventPutSuccessCount", "standpipe_event_put_success_total", true, 1, true, "c", "Events stored by the channel."},
    {"EventTakeAttemptCount", "standpipe_event_take_attempt_total", true, 1, true, "c",
     "Events taken, and looks that found none."},
    {"EventTakeSuccessCount", "standpipe_event_take_success_total", true, 1, true, "c",
     "Events that left the channel for good."},
    {"OldestEventAge", "standpipe_oldest_event_age_seconds", false, kFromMs, false, "c",
     "How long the oldest event has been in the channel; 0 when it is empty."},
    // sinks
    {"ConnectionCreatedCount", "standpipe_connection_created_total", true, 1, true, "k",
     "Connections or files opened."},
    {"ConnectionClosedCount", "standpipe_connection_closed_total", true, 1, true, "k", "Connections or files closed."},
    {"ConnectionFailedCount", "standpipe_connection_failed_total", true, 1, true, "k",
     "Connections or files that failed."},
    {"BatchEmptyCount", "standpipe_batch_empty_total", true, 1, true, "k", "Looks that found no event."},
    {"BatchUnderflowCount", "standpipe_batch_underflow_total", true, 1, true, "k",
     "Batches smaller than the batch size."},
    {"BatchCompleteCount", "standpipe_batch_complete_total", true, 1, true, "k", "Batches of the full size."},
    {"EventDrainAttemptCount", "standpipe_event_drain_attempt_total", true, 1, true, "k",
     "Events that the sink began to write."},
    {"EventDrainSuccessCount", "standpipe_event_drain_success_total", true, 1, true, "k",
     "Events that the destination acknowledged."},
    {"EventWriteFail", "standpipe_event_write_fail_total", true, 1, true, "k", "Writes that failed."},
    {"ChannelReadFail", "standpipe_channel_read_fail_total", true, 1, true, "k", "Takes or commits that failed."},
    {"EventPoisonCount", "standpipe_event_poison_total", true, 1, false, "k",
     "Events that the destination refused for good."},
    {"EventQuarantinedCount", "standpipe_event_quarantined_total", true, 1, false, "k",
     "Refused events that were moved to the dead-letter file."},
    {"EventDuplicateCount", "standpipe_event_duplicate_total", true, 1, false, "k",
     "Events acknowledged after they had gone back to the channel, or to another sink."},
    {"LateAckCount", "standpipe_late_ack_total", true, 1, false, "k",
     "Acknowledgements that came after their events had gone back to the channel."},
    // all
    {"StartFailCount", "standpipe_start_fail_total", true, 1, false, "sck", "Starts that failed."},
    {"StartTime", "standpipe_start_time_seconds", false, kFromMs, true, "sck", "When it was started, since 1970."},
    {"StopTime", "standpipe_stop_time_seconds", false, kFromMs, true, "sck",
     "When it was stopped, since 1970; 0 while it runs."},
};

}  // namespace

std::span<const Metric> known_metrics() { return kMetrics; }

const Metric* find_metric(std::string_view attribute) {
  for (const Metric& metric : kMetrics) {
    if (metric.attribute == attribute) return &metric;
  }
  return nullptr;
}

std::string derived_metric_name(std::string_view attribute, bool counter) {
  std::string name = "standpipe";
  if (counter && attribute.ends_with("Count")) attribute.remove_suffix(5);
  bool in_word = false;  // a run of capitals is one word
  for (const char c : attribute) {
    const auto byte = static_cast<unsigned char>(c);
    const bool begins_word = std::isupper(byte) != 0;
    if ((begins_word && in_word) || name == "standpipe") name.push_back('_');
    name.push_back(std::isalnum(byte) != 0 && byte < 0x80 ? static_cast<char>(std::tolower(byte)) : '_');
    in_word = !begins_word;
  }
  return counter ? name + "_total" : name;
}

char kind_letter(ComponentKind kind) {
  switch (kind) {
    case ComponentKind::source: return 's';
    case ComponentKind::channel: return 'c';
    case ComponentKind::sink: return 'k';
    default: return '-';
  }
}

}  // namespace standpipe

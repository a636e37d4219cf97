#include "rpc/source_session.h"

#include <utility>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/failpoint.h"

namespace standpipe::rpc {

bool is_channel_failure(const Status& status) {
  return status.code() != Code::poison && status.code() != Code::invalid && status.code() != Code::corrupt;
}

SourceShared::SourceShared(Environment& environment, Ingest& target)
    : ingest(target),
      events_received(environment.counters.counter(counter_names::kEventReceived)),
      events_accepted(environment.counters.counter(counter_names::kEventAccepted)),
      append_received(environment.counters.counter(counter_names::kAppendReceived)),
      append_accepted(environment.counters.counter(counter_names::kAppendAccepted)),
      batch_received(environment.counters.counter(counter_names::kAppendBatchReceived)),
      batch_accepted(environment.counters.counter(counter_names::kAppendBatchAccepted)) {}

void SourceSession::deliver(Batch batch, EventCall call) {
  const std::size_t events = batch.size();
  (call.single ? shared_.append_received : shared_.batch_received).add();
  shared_.events_received.add(static_cast<std::int64_t>(events));
  const std::uint64_t number = begin_answer();
  if (refusing_) {
    return settle(number, call, events, {Code::unavailable, "an earlier request of this connection failed"});
  }
  Receipt receipt = shared_.ingest.deliver(std::move(batch));
  if (FAILPOINT("rpc.ok_before_receipt")) return settle(number, call, events, {});
  if (receipt.ready()) return settle(number, call, events, receipt.wait());
  std::move(receipt).then(*server().environment().network, [this, weak = weak_from_this(), number, events,
                                                            call = std::move(call)](const Status& status) {
    const auto self = weak.lock();
    if (self == nullptr || ended()) return;
    settle(number, call, events, status);
    go_on_later();  // many are stored together
  });
}

void SourceSession::settle(std::uint64_t number, const EventCall& call, std::size_t events, const Status& result) {
  const Environment& environment = server().environment();
  if (result.ok()) {
    (call.single ? shared_.append_accepted : shared_.batch_accepted).add();
    shared_.events_accepted.add(static_cast<std::int64_t>(events));
  } else if (shared_.failures.pass(environment.clock.now_ms())) {
    environment.log.error(
        fmt::format("{} events of {} were not stored, and it was told so: {}", events, peer(), result.message()));
  }
  refusing_ = refusing_ || (has_window_ && !result.ok());
  answer(number, answer_to(call, result));
}

}  // namespace standpipe::rpc

#include "sinks/spark/spark_session.h"

#include <algorithm>
#include <charconv>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "rpc/avro/message.h"
#include "rpc/avro/spark_calls.h"

namespace standpipe {

using avro::SparkCall;

void SparkInbox::put(SparkRequest request) {
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
  }
  news_.notify_all();
  changed_();
}

std::vector<SparkRequest> SparkInbox::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(requests_, {});
}

void SparkInbox::wait(Clock& clock, Clock::Steady deadline) {
  std::unique_lock lock(mutex_);
  clock.wait_until(lock, news_, {}, deadline, [this] { return !requests_.empty(); });
}

SparkSequence::SparkSequence() {
  std::random_device random;
  prefix_ = fmt::format("{:08x}-", static_cast<std::uint32_t>(random()));
}

std::string SparkSequence::text(std::uint64_t number) const { return fmt::format("{}{}", prefix_, number); }

std::uint64_t SparkSequence::number(std::string_view text) const {
  if (!text.starts_with(prefix_)) return 0;
  text.remove_prefix(prefix_.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

SparkSession::SparkSession(avro::ServerShared& shared, SparkInbox& inbox, const SparkSequence& sequence,
                           std::uint64_t id, std::unique_ptr<Connection> connection, Ended ended)
    : ServerSession(shared, std::move(connection), std::move(ended)), inbox_(inbox), sequence_(sequence), id_(id) {}

Status SparkSession::call(const Call& call) {
  TRY_ASSIGN(const std::optional<SparkCall> asked, avro::get_spark_call(call.method, call.parameters));
  if (!asked) {
    std::string message;
    avro::put_error(message, fmt::format("no such method: {}", call.method.substr(0, 100)));
    answer(call.number, std::move(message));
    return {};
  }
  const auto self = std::static_pointer_cast<SparkSession>(shared_from_this());
  SparkRequest request{.caller = {self, id_, call.number, call.serial}};
  if (asked->kind == SparkCall::Kind::get_event_batch) {
    request.events = asked->events;
    request.peer = peer();
  } else {
    request.kind = asked->kind == SparkCall::Kind::ack ? SparkRequest::Kind::ack : SparkRequest::Kind::nack;
    request.batch = sequence_.number(asked->sequence);
  }
  inbox_.put(std::move(request));
  return {};
}

bool SparkSession::reply(SparkReply reply) {
  if (ended()) return false;
  if (reply.frame.slab == nullptr) {
    answer(reply.to.call, std::move(reply.message));
  } else {
    answer(reply.to.call, std::move(reply.frame));
    while (!on_the_way_.empty() && on_the_way_.front().end <= taken()) on_the_way_.pop_front();
    on_the_way_.push_back({reply.batch, written()});
  }
  go_on();
  return true;
}

void SparkSession::expired(std::uint64_t batch) {
  if (ended()) return;
  const auto found = std::find_if(on_the_way_.begin(), on_the_way_.end(),
                                  [&](const OnTheWay& on_the_way) { return on_the_way.batch == batch; });
  if (found != on_the_way_.end() && found->end > taken()) end();
}

/// What the system has taken may have arrived; the rest has not.
void SparkSession::closing() {
  for (const OnTheWay& batch : on_the_way_) {
    if (batch.end > taken()) inbox_.put({.kind = SparkRequest::Kind::not_sent, .batch = batch.batch});
  }
}

}  // namespace standpipe

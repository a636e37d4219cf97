#include "sinks/spark/spark_session.h"

#include <algorithm>
#include <charconv>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "rpc/avro/spark_calls.h"

namespace standpipe {

using avro::SparkCall;

namespace {
constexpr std::size_t kLargestRequest = 128 * 1024;  // a client's protocol text is the longest thing in one
}  // namespace

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

SparkShared::SparkShared(Environment& environment, std::function<void()> changed)
    : inbox(std::move(changed)),
      service{.protocol = avro::kSparkProtocol, .max_request = kLargestRequest},
      created(environment.counters.counter(counter_names::kConnectionCreated)),
      closed(environment.counters.counter(counter_names::kConnectionClosed)) {}

SparkSession::SparkSession(rpc::Server& server, SparkShared& shared, std::unique_ptr<Connection> connection)
    : Session(server, std::move(connection)), shared_(shared), calls_(shared.service), id_(shared.next_connection++) {
  shared.created.add();
}

Status SparkSession::serve(const rpc::Request& request) {
  avro::Call call(request);
  std::string reply;
  const Status opened = calls_.open(call, reply);
  if (!reply.empty()) answer(std::move(reply));
  if (!opened.ok() || call.method.empty()) return opened;
  TRY_ASSIGN(const std::optional<SparkCall> asked, avro::get_spark_call(call.method, call.parameters));
  if (!asked) {
    answer(avro::no_such_method(call));
    return {};
  }
  const auto self = std::static_pointer_cast<SparkSession>(shared_from_this());
  SparkRequest what{.caller = {self, id_, begin_answer(), call.serial, std::move(call.front)}};
  if (asked->kind == SparkCall::Kind::get_event_batch) {
    what.events = asked->events;
    what.peer = peer();
  } else {
    what.kind = asked->kind == SparkCall::Kind::ack ? SparkRequest::Kind::ack : SparkRequest::Kind::nack;
    what.batch = shared_.sequence.number(asked->sequence);
  }
  shared_.inbox.put(std::move(what));
  return {};
}

bool SparkSession::reply(SparkReply reply) {
  if (ended()) return false;
  if (reply.frame.slab == nullptr) {
    answer(reply.to.call, avro::framed(reply.to.serial, reply.message));
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
    if (batch.end > taken()) shared_.inbox.put({.kind = SparkRequest::Kind::not_sent, .batch = batch.batch});
  }
  shared_.closed.add();
  shared_.inbox.put({.kind = SparkRequest::Kind::gone, .caller = {.connection = id_}});
}

}  // namespace standpipe

#include "sinks/spark/spark_server.h"

#include <utility>

#include <fmt/format.h>

namespace standpipe {

namespace {

constexpr std::size_t kRequestMemory = 16 << 20;
constexpr std::size_t kLargestRequest = 128 * 1024;  // a client's protocol text is the longest thing in one
constexpr std::size_t kOpenCalls = 256;              // of one connection
constexpr std::chrono::milliseconds kAnswersAtStop{500};
constexpr std::chrono::seconds kStallTimeout{60};
constexpr std::chrono::seconds kBetweenSweeps{10};

}  // namespace

SparkServer::SparkServer(Environment& environment, std::function<void()> changed)
    : environment_(environment),
      created_(environment.counters.counter(counter_names::kConnectionCreated)),
      closed_(environment.counters.counter(counter_names::kConnectionClosed)),
      request_memory_(kRequestMemory, 0),
      inbox_(std::move(changed)),
      shared_(environment,
              {.protocol = avro::kSparkProtocol,
               .memory = request_memory_,
               .max_request = kLargestRequest,
               .pipeline = kOpenCalls,
               .in_order = false,
               .answers_ended = false},
              environment.counters.counter(counter_names::kConnectionFailed)) {}

Status SparkServer::start(const std::string& host, std::uint16_t port) {
  const ListenOptions options{.host = host, .port = port, .log = &environment_.log};
  TRY_ASSIGN(listener_, environment_.network->listen(
                            options, [this](std::unique_ptr<Connection> connection) { open(std::move(connection)); }));
  environment_.network->run([this] { sweep_later(); });
  environment_.log.info(fmt::format("listening on {}:{}", host, listener_->port()));
  return {};
}

void SparkServer::open(std::unique_ptr<Connection> connection) {
  const std::uint64_t id = next_session_++;
  auto session = std::make_shared<SparkSession>(shared_, inbox_, sequence_, id, std::move(connection),
                                                [this](avro::ServerSession& ended) { close(ended); });
  sessions_.emplace(id, session);
  created_.add();
  inbox_.opened();
  session->start();
}

void SparkServer::close(avro::ServerSession& session) {
  sessions_.erase(static_cast<SparkSession&>(session).id());
  closed_.add();
}

void SparkServer::send(std::vector<SparkReply> replies) {
  if (replies.empty()) return;
  environment_.network->post([this, replies = std::move(replies)]() mutable {
    for (SparkReply& reply : replies) deliver(std::move(reply));
  });
}

void SparkServer::deliver(SparkReply reply) {
  const auto found = sessions_.find(reply.to.connection);
  if (found != sessions_.end()) {
    const auto session = found->second;
    session->reply(std::move(reply));
  } else if (reply.batch != 0) {
    inbox_.put({.kind = SparkRequest::Kind::not_sent, .batch = reply.batch});
  }
}

void SparkServer::sweep_later() {
  sweeper_ = environment_.network->call_after(kBetweenSweeps, [this] {
    const Clock::Steady then = environment_.clock.steady_now() - kStallTimeout;
    const auto sessions = sessions_;  // some may end
    for (const auto& [id, session] : sessions) session->end_if_stalled(then);
    sweep_later();
  });
}

void SparkServer::finish() {
  environment_.network->run([this] {
    listener_ = nullptr;
    sweeper_ = nullptr;
    const auto sessions = sessions_;  // finish() may end some at once
    for (const auto& [id, session] : sessions) session->finish();
  });
}

void SparkServer::stop() {
  inbox_.wait_until_closed(environment_.clock, environment_.clock.steady_now() + kAnswersAtStop);
  environment_.network->run([this] {
    closed_.add(static_cast<std::int64_t>(sessions_.size()));
    sessions_.clear();
  });
}

}  // namespace standpipe

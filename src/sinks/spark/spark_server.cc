#include "sinks/spark/spark_server.h"

#include <utility>

#include <fmt/format.h>

namespace standpipe {

namespace {

constexpr std::size_t kRequestMemory = 16 << 20;
constexpr std::size_t kLargestRequest = 128 * 1024;  // a client's protocol text is the longest thing in one
constexpr std::size_t kReadAtOnce = 16 * 1024;       // requests are short
constexpr std::size_t kOpenCalls = 256;              // of one connection
constexpr std::chrono::seconds kStallTimeout{60};
constexpr std::chrono::seconds kBetweenSweeps{10};

}  // namespace

SparkServer::SparkServer(Environment& environment, std::function<void()> changed)
    : environment_(environment),
      open_(environment.counters.counter(counter_names::kOpenConnections)),
      created_(environment.counters.counter(counter_names::kConnectionCreated)),
      closed_(environment.counters.counter(counter_names::kConnectionClosed)),
      request_memory_(kRequestMemory, 0),
      inbox_(std::move(changed)),
      shared_(environment,
              {.protocol = avro::kSparkProtocol,
               .memory = request_memory_,
               .read_at_once = kReadAtOnce,
               .max_request = kLargestRequest,
               .pipeline = kOpenCalls,
               .in_order = false,
               .answers_ended = false},
              environment.counters.counter(counter_names::kConnectionFailed)),
      sessions_(open_) {}

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
  sessions_.add(session);
  created_.add();
  session->start();
}

void SparkServer::close(avro::ServerSession& session) {
  auto& ended = static_cast<SparkSession&>(session);
  sessions_.remove(ended);
  closed_.add();
  inbox_.put({.kind = SparkRequest::Kind::gone, .caller = {.connection = ended.id()}});
}

void SparkServer::send(std::vector<SparkReply> replies) {
  if (replies.empty()) return;
  environment_.network->post([this, replies = std::move(replies)]() mutable {
    for (SparkReply& reply : replies) {
      const std::uint64_t batch = reply.batch;
      const auto session = reply.to.session.lock();
      const bool sent = session != nullptr && session->reply(std::move(reply));
      if (!sent && batch != 0) inbox_.put({.kind = SparkRequest::Kind::not_sent, .batch = batch});
    }
  });
}

void SparkServer::expired(const std::weak_ptr<SparkSession>& session, std::uint64_t batch) {
  environment_.network->post([session, batch] {
    if (const auto alive = session.lock()) alive->expired(batch);
  });
}

void SparkServer::sweep_later() {
  sweeper_ = environment_.network->call_after(kBetweenSweeps, [this] {
    const Clock::Steady then = environment_.clock.steady_now() - kStallTimeout;
    sessions_.for_each([&](SparkSession& session) { session.end_if_stalled(then); });
    sweep_later();
  });
}

void SparkServer::finish() {
  environment_.network->run([this] {
    listener_ = nullptr;
    sweeper_ = nullptr;
    sessions_.for_each([](SparkSession& session) { session.finish(); });
  });
}

void SparkServer::stop() {
  sessions_.stop(*environment_.network, environment_.clock);
  closed_.set(created_.value());  // those that were dropped, too
}

}  // namespace standpipe

#include "sinks/spark/spark_server.h"

#include <utility>

namespace standpipe {

namespace {

constexpr std::size_t kRequestMemory = 16 << 20;
constexpr std::size_t kReadAtOnce = 16 * 1024;  // requests are short
constexpr std::size_t kOpenCalls = 256;         // of one connection

}  // namespace

SparkServer::SparkServer(Environment& environment, std::chrono::milliseconds patience, std::function<void()> changed)
    : environment_(environment),
      request_memory_(kRequestMemory, 0),
      shared_(environment, std::move(changed)),
      server_(environment, {.memory = request_memory_,
                            .refused = environment.counters.counter(counter_names::kConnectionFailed),
                            .patience = patience,
                            .read_at_once = kReadAtOnce,
                            .pipeline = kOpenCalls,
                            .in_order = false,
                            .answers_ended = false}) {}

Status SparkServer::start(const std::string& host, std::uint16_t port) {
  return server_.start(host, port, [this](std::unique_ptr<Connection> connection) {
    server_.open(std::make_shared<SparkSession>(server_, shared_, std::move(connection)));
  });
}

void SparkServer::send(std::vector<SparkReply> replies) {
  if (replies.empty()) return;
  environment_.network->post([this, replies = std::move(replies)]() mutable {
    for (SparkReply& reply : replies) {
      const std::uint64_t batch = reply.batch;
      const auto session = reply.to.session.lock();
      const bool sent = session != nullptr && session->reply(std::move(reply));
      if (!sent && batch != 0) inbox().put({.kind = SparkRequest::Kind::not_sent, .batch = batch});
    }
  });
}

void SparkServer::expired(const std::weak_ptr<SparkSession>& session, std::uint64_t batch) {
  environment_.network->post([session, batch] {
    if (const auto alive = session.lock()) alive->expired(batch);
  });
}

void SparkServer::stop() {
  server_.stop();
  shared_.closed.set(shared_.created.value());  // those that were dropped, too
}

}  // namespace standpipe

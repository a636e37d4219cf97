#include "rpc/server.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/clock.h"
#include "rpc/session.h"

namespace standpipe::rpc {

namespace {

constexpr std::chrono::milliseconds kLongestBetweenSweeps{10'000};

}  // namespace

Server::Server(Environment& environment, const ServerRules& rules)
    : environment_(environment),
      rules_(rules),
      sessions_(environment.counters.counter(counter_names::kOpenConnections)) {}

Server::~Server() = default;

Status Server::start(const std::string& host, std::uint16_t port, Network::Accept accept) {
  const ListenOptions options{.host = host, .port = port, .log = &environment_.log};
  TRY_ASSIGN(listener_, environment_.network->listen(options, std::move(accept)));
  environment_.network->run([this] { sweep_later(); });
  environment_.log.info(fmt::format("listening on {}:{}", host, listener_->port()));
  return {};
}

void Server::finish() {
  environment_.network->run([this] {
    listener_ = nullptr;
    sweeper_ = nullptr;
    sessions_.for_each([](Session& session) { session.finish(); });
  });
}

void Server::stop() {
  finish();
  sessions_.stop(*environment_.network, environment_.clock);
}

void Server::open(const std::shared_ptr<Session>& session) {
  sessions_.add(session);
  session->start();
}

void Server::refuse(std::string_view peer, std::string_view why, std::string_view hint) {
  rules_.refused.add();
  const auto held = refusals_.pass(environment_.clock.now_ms());
  if (!held) return;
  const std::string others = *held == 0 ? std::string() : fmt::format(" ({} more since the last such line)", *held);
  environment_.log.warn(fmt::format("{} is disconnected: {}{}{}", peer, why, hint, others));
}

void Server::ended(Session& session) { sessions_.remove(session); }

void Server::sweep() {
  bool memory_is_short = false;
  sessions_.for_each([&](const Session& each) { memory_is_short = memory_is_short || each.waits_for_memory(); });
  const StallWatch::Patience patience{environment_.clock.steady_now(), rules_.patience, memory_is_short};
  sessions_.for_each([&](Session& each) { each.end_if_stalled(patience); });
}

void Server::sweep_later() {
  const auto pause = std::clamp(rules_.patience / 4, std::chrono::milliseconds(1), kLongestBetweenSweeps);
  sweeper_ = environment_.network->call_after(pause, [this] {
    sweep();
    sweep_later();
  });
}

}  // namespace standpipe::rpc

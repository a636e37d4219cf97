// What connections cost an Avro source when nothing happens on them, and what is left of those that came and went:
//   idle_connections hold plain|deflate|tls|both COUNT [KEYS TRUSTED PASSWORD]
//   idle_connections churn COUNT
// The clients are a process of their own. Prints the bytes of memory that the source's process has a connection (the
// kernel's buffers are not in it), after each client has sent one event and heard its answer.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/descriptors.h"
#include "net/network.h"
#include "rpc/avro/event_encoder.h"
#include "rpc/avro/link.h"
#include "sources/avro/avro_source.h"
#include "standpipe/source.h"
#include "support/test_environment.h"
#include "support/test_outlet.h"

namespace {

using namespace standpipe;

constexpr std::size_t kAtOnce = 200;  // that are being made

struct Order {
  bool churn = false;
  bool deflate = false;
  bool tls = false;
  std::size_t count = 0;
  std::string keys, trusted, password;
};

class NullIngest final : public Ingest {
 public:
  Receipt deliver(Batch) override { return Receipt::completed(); }
};

double resident_mib() {
  std::size_t all = 0;
  std::size_t present = 0;
  std::ifstream("/proc/self/statm") >> all >> present;
  return static_cast<double>(present) * 4096 / (1 << 20);
}

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "idle_connections: %s\n", what.c_str());
  std::exit(1);
}

// -- the clients ------------------------------------------------------------------------------------------------------

/// A connection on which one event was sent and answered.
class Client {
 public:
  Client(Network& network, const avro::LinkOptions& options) : link_(network, options, [] {}) { link_.open(); }

  void send(MemoryBudget& budget, Clock& clock) {
    wait(clock, avro::Link::Phase::greeting);
    testing::TestOutlet outlet;
    outlet.put("hello");
    const Lease lease = outlet.take(1).value();
    link_.send(1, avro::encode_batch(lease, avro::measure_batch(lease, 1 << 20), 1, budget, true));
    link_.flush();
  }
  void wait_for_answer(Clock& clock) { wait(clock, avro::Link::Phase::open); }

 private:
  void wait(Clock& clock, avro::Link::Phase phase) {
    while (link_.view().phase != phase) {
      if (link_.view().phase == avro::Link::Phase::failed) give_up(link_.view().failure.message());
      link_.wait_for_news(clock, Clock::Steady::max());
    }
  }
  avro::Link link_;
};

avro::LinkOptions link_options(const Order& order, std::uint16_t port) {
  avro::LinkOptions options{{"127.0.0.1", port, std::chrono::seconds(20)}};
  if (order.deflate) options.deflate_level = 6;
  if (!order.tls) return options;
  auto context = TlsContext::client({.trusted = {order.trusted, order.password}});
  if (!context.ok()) give_up(context.status().message());
  options.tls = *context;
  return options;
}

void hold(const Order& order, std::uint16_t port, int ready, int go) {
  const auto network = make_network();
  MemoryBudget budget{256 << 20};
  SystemClock clock;
  const avro::LinkOptions options = link_options(order, port);
  std::vector<std::unique_ptr<Client>> clients;
  while (clients.size() < order.count) {
    const std::size_t first = clients.size();
    const std::size_t last = std::min(order.count, first + kAtOnce);
    while (clients.size() < last) clients.push_back(std::make_unique<Client>(*network, options));
    for (std::size_t i = first; i < last; ++i) clients[i]->send(budget, clock);
    for (std::size_t i = first; i < last; ++i) clients[i]->wait_for_answer(clock);
  }
  char byte = 'r';
  if (::write(ready, &byte, 1) != 1 || ::read(go, &byte, 1) < 0) give_up("the source has gone");
  ::_exit(0);  // all at once
}

/// Of three one says nothing, one a part of a request, one nonsense; each goes without a word.
void churn(const Order& order, std::uint16_t port, int ready, int go) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string half("\0\0\0\1\0\0\0\1\0\1\0\0\x86\xaa\xda\xe2", 16);
  const std::string nonsense = "GET / HTTP/1.1\r\n\r\n";
  for (std::size_t i = 0; i < order.count; ++i) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    const linger at_once{1, 0};  // a reset: no port stays behind
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) give_up("no connection");
    const std::string& what = i % 3 == 1 ? half : nonsense;
    if (i % 3 != 0) ::send(descriptor, what.data(), what.size(), MSG_NOSIGNAL);
    ::close(descriptor);
  }
  char byte = 'r';
  if (::write(ready, &byte, 1) != 1 || ::read(go, &byte, 1) < 0) give_up("the source has gone");
  ::_exit(0);
}

// -- the source -------------------------------------------------------------------------------------------------------

std::unique_ptr<Source> make_source(const Order& order, Environment& environment) {
  Settings::Map values{{"bind", "127.0.0.1"}, {"port", "0"}};
  if (order.deflate) values.emplace("compression-type", "deflate");
  if (order.tls) values.insert({{"ssl", "true"}, {"keystore", order.keys}, {"keystore-password", order.password}});
  const auto settings = Settings::parse(*kAvroSource.info, values);
  auto source = kAvroSource.create(settings.value(), environment);
  if (!source.ok()) give_up(source.status().message());
  return std::move(source).value();
}

void wait_for_connections(testing::TestEnvironment& env, std::int64_t count) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (env.count(counter_names::kOpenConnections) != count) {
    if (std::chrono::steady_clock::now() > deadline)
      give_up("the source does not count the connections that were made");
    ::usleep(1000);
  }
}

int run(const Order& order) {
  int port_pipe[2], ready[2], go[2];
  if (::pipe(port_pipe) != 0 || ::pipe(ready) != 0 || ::pipe(go) != 0) give_up("no pipe");
  const pid_t clients = ::fork();  // before there are threads
  if (clients == 0) {
    std::uint16_t port = 0;
    if (::read(port_pipe[0], &port, sizeof port) != sizeof port) ::_exit(1);
    (order.churn ? churn : hold)(order, port, ready[1], go[0]);
  }
  testing::TestEnvironment env;
  const auto network = make_network();
  env.environment.network = network.get();
  NullIngest ingest;
  const auto source = make_source(order, env.environment);
  if (const Status status = source->start(ingest); !status.ok()) give_up(status.message());
  const std::string line = env.log.lines().back();
  const auto port = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  const double before = resident_mib();
  const auto began = std::chrono::steady_clock::now();
  char byte = 'g';
  if (::write(port_pipe[1], &port, sizeof port) != sizeof port || ::read(ready[0], &byte, 1) != 1) {
    give_up("the clients have failed");
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  wait_for_connections(env, order.churn ? 0 : static_cast<std::int64_t>(order.count));
  const double after = resident_mib();
  std::printf("%zu connections in %.1f s: %.1f MiB before, %.1f MiB after: %.0f bytes each; log lines: %zu\n",
              order.count, seconds, before, after, (after - before) * (1 << 20) / static_cast<double>(order.count),
              env.log.lines().size());
  if (::write(go[1], &byte, 1) != 1) give_up("the clients have gone");
  ::waitpid(clients, nullptr, 0);
  wait_for_connections(env, 0);
  std::printf("all gone: %.1f MiB, %llu bytes of the budget\n", resident_mib(),
              static_cast<unsigned long long>(env.budget.used()));
  source->stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  Order order;
  const bool hold_line = words.size() >= 3 && words[0] == "hold";
  const bool churn_line = words.size() == 2 && words[0] == "churn";
  if (!hold_line && !churn_line) give_up("hold plain|deflate|tls|both COUNT [KEYS TRUSTED PASSWORD], or churn COUNT");
  order.churn = churn_line;
  order.count = std::stoul(words[churn_line ? 1 : 2]);
  if (hold_line) {
    order.deflate = words[1] == "deflate" || words[1] == "both";
    order.tls = words[1] == "tls" || words[1] == "both";
    if (order.tls && words.size() < 6) give_up("TLS needs two stores and their password");
    if (words.size() >= 6) order.keys = words[3], order.trusted = words[4], order.password = words[5];
  }
  raise_descriptor_limit();
  return run(order);
}

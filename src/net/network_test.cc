#include "net/network.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

#include "support/patience.h"
#include "support/tcp_client.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using testing::TcpClient;

std::size_t threads() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

/// Sends back what it reads, and stops reading while the answers are not taken.
class Echo final : public ConnectionHandler {
 public:
  explicit Echo(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {
    connection_->attach(*this);
    connection_->resume_reading();
  }

  void readable() override {
    char chunk[64 * 1024];
    const auto read = connection_->read(chunk, sizeof chunk);
    if (!read.ok()) return connection_->pause_reading();
    connection_->write(std::string(chunk, read->size));
    if (read->end) {
      connection_->pause_reading();
      connection_->finish_writing();
    } else if (connection_->unsent() > 0) {
      connection_->pause_reading();
    }
  }
  void sent() override { connection_->resume_reading(); }
  void failed(const Status&) override {}

 private:
  std::unique_ptr<Connection> connection_;
};

class NetworkTest : public ::testing::Test {
 protected:
  void TearDown() override {
    network->run([this] {
      listener = nullptr;
      echoes.clear();
    });
  }

  Status serve(std::size_t max_connections = 0) {
    ListenOptions options;
    options.host = "127.0.0.1";
    options.max_connections = max_connections;
    options.log = &log;
    TRY_ASSIGN(listener, network->listen(options, [this](std::unique_ptr<Connection> connection) {
      echoes.push_back(std::make_unique<Echo>(std::move(connection)));
    }));
    return {};
  }

  testing::CapturingLog log;
  std::unique_ptr<Network> network = make_network();
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<Echo>> echoes;
};

TEST_F(NetworkTest, StartsItsThreadWithTheFirstUse) {
  std::thread([] {}).join();  // a sanitizer's own thread comes with the first one
  const std::size_t before = threads();
  const auto unused = make_network();
  EXPECT_EQ(threads(), before);
  unused->run([] {});
  EXPECT_EQ(threads(), before + 1);
}

TEST_F(NetworkTest, EchoesMoreThanTheSocketsHold) {
  ASSERT_TRUE(serve().ok());
  TcpClient client(listener->port());
  std::string sent(20 << 20, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 % 251);
  auto sending = std::async(std::launch::async, [&] {
    const bool ok = client.send(sent);
    client.finish();
    return ok;
  });
  EXPECT_TRUE(client.rest() == sent);
  EXPECT_TRUE(sending.get());
}

/// Greets, and writes again when the peer has reset the connection.
class Greeter final : public ConnectionHandler {
 public:
  explicit Greeter(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {
    connection_->attach(*this);
    connection_->write(std::string(8192, 'x'));
    connection_->resume_reading();
  }
  void readable() override {
    char chunk[16];
    const auto read = connection_->read(chunk, sizeof chunk);
    if (read.ok() && !read->end) return;
    connection_->pause_reading();
    connection_->write("never");
    connection_->write("sent");
    unsent_.set_value(connection_->unsent());
  }
  void sent() override {}
  void failed(const Status& status) override {
    status.ignore();  // that it is called is what counts
    failed_.set_value();
  }
  std::promise<std::size_t> unsent_;
  std::promise<void> failed_;

 private:
  std::unique_ptr<Connection> connection_;
};

TEST_F(NetworkTest, WhatTheSystemRefusesToTakeIsUnsent) {
  std::unique_ptr<Greeter> greeter;
  std::promise<void> accepted;
  ListenOptions options;
  options.host = "127.0.0.1";
  auto made = network->listen(options, [&](std::unique_ptr<Connection> connection) {
    greeter = std::make_unique<Greeter>(std::move(connection));
    accepted.set_value();
  });
  ASSERT_TRUE(made.ok());
  listener = std::move(*made);
  {
    TcpClient client(listener->port());
    EXPECT_EQ(client.bytes(1), "x");
  }  // with bytes that it has not read: a reset
  accepted.get_future().wait();
  EXPECT_EQ(greeter->unsent_.get_future().get(), 9u);
  greeter->failed_.get_future().wait();
  network->run([&] { greeter = nullptr; });
}

TEST_F(NetworkTest, NamesTheAddressThatIsTaken) {
  ASSERT_TRUE(serve().ok());
  ListenOptions options;
  options.host = "127.0.0.1";
  options.port = listener->port();
  const auto second = network->listen(options, [](std::unique_ptr<Connection>) {});
  EXPECT_EQ(second.status().code(), Code::unavailable);
  EXPECT_NE(second.status().message().find(std::to_string(options.port)), std::string::npos);
  EXPECT_NE(second.status().message().find("choose another port, or stop who has it"), std::string::npos);
  options.host = "192.0.2.1";  // kept for documents: nobody has it
  const auto foreign = network->listen(options, [](std::unique_ptr<Connection>) {});
  EXPECT_NE(foreign.status().message().find("no interface of this machine has that address"), std::string::npos);
  options.host = "no.such.host.invalid";
  EXPECT_EQ(network->listen(options, [](std::unique_ptr<Connection>) {}).status().code(), Code::unavailable);
}

TEST_F(NetworkTest, LetsMoreThanTheLimitWait) {
  ASSERT_TRUE(serve(1).ok());
  auto first = std::make_unique<TcpClient>(listener->port());
  ASSERT_TRUE(first->send("a\n"));
  EXPECT_EQ(first->line(), "a");
  TcpClient second(listener->port());
  ASSERT_TRUE(second.send("b\n"));
  EXPECT_TRUE(log.contains("more wait until one closes"));
  network->run([this] { echoes.clear(); });
  EXPECT_EQ(second.line(), "b");
}

TEST_F(NetworkTest, RunsTimersAndForgetsDroppedOnes) {
  std::promise<void> fired;
  std::unique_ptr<Timer> kept;
  bool dropped_fired = false;
  network->run([&] {
    auto dropped = network->call_after(std::chrono::milliseconds(0), [&] { dropped_fired = true; });
    kept = network->call_after(std::chrono::milliseconds(1), [&] { fired.set_value(); });
  });
  EXPECT_EQ(fired.get_future().wait_for(testing::kPatience), std::future_status::ready);
  network->run([&] { kept = nullptr; });
  EXPECT_FALSE(dropped_fired);
}

TEST_F(NetworkTest, BringsReceiptsBackToTheLoop) {
  std::promise<bool> inside;
  ReceiptPromise promise;
  promise.receipt().then(*network, [&](const Status& status) { inside.set_value(status.ok()); });
  promise.complete({});
  EXPECT_TRUE(inside.get_future().get());
}

// -- outgoing ---------------------------------------------------------------------------------------------------------

/// Connects, and says what came of it.
class Caller final : public ConnectionHandler {
 public:
  explicit Caller(Network& network) : network_(network) {}
  ~Caller() override {
    network_.run([this] {
      connecting_ = nullptr;
      connection_ = nullptr;
    });
  }

  Status connect(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout = testing::kPatience) {
    auto done = done_.get_future();
    network_.run([&] {
      connecting_ = network_.connect({host, port, timeout}, [this](Result<std::unique_ptr<Connection>> connection) {
        connecting_ = nullptr;
        if (connection.ok()) take(std::move(connection).value());
        done_.set_value(connection.status());
      });
    });
    if (done.wait_for(2 * testing::kPatience) != std::future_status::ready) return {Code::stopped, "no answer at all"};
    return done.get();
  }
  void drop() {
    network_.run([this] { connecting_ = nullptr; });
  }
  void write(std::shared_ptr<const Slab> slab, std::string_view bytes) {
    network_.run([&] { connection_->write(std::move(slab), bytes); });
  }
  void with(const std::function<void(Connection&)>& task) {
    network_.run([&] { task(*connection_); });
  }
  std::string wait_for(std::size_t size) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, testing::kPatience, [&] { return received_.size() >= size; });
    return received_;
  }
  const std::string& peer() const { return connection_->peer(); }

 private:
  void take(std::unique_ptr<Connection> connection) {
    connection_ = std::move(connection);
    connection_->attach(*this);
    connection_->resume_reading();
  }
  void readable() override {
    char chunk[64 * 1024];
    const auto read = connection_->read(chunk, sizeof chunk);
    if (!read.ok() || read->end) return connection_->pause_reading();
    std::lock_guard lock(mutex_);
    received_.append(chunk, read->size);
    changed_.notify_all();
  }
  void sent() override {}
  void failed(const Status&) override {}

  Network& network_;
  std::promise<Status> done_;
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<Connection> connection_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string received_;
};

TEST_F(NetworkTest, WhatIsCorkedGoesOutTogether) {
  ASSERT_TRUE(serve().ok());
  Caller caller(*network);
  ASSERT_TRUE(caller.connect("127.0.0.1", listener->port()).ok());
  std::string sent;
  caller.with([&](Connection& connection) {
    connection.cork();
    for (int i = 0; i < 200; ++i) {  // more pieces than one system call takes
      const std::string piece = std::to_string(i) + "\n";
      sent += piece;
      connection.write(piece);
    }
    EXPECT_EQ(connection.unsent(), sent.size());
    connection.uncork();
    EXPECT_EQ(connection.unsent(), 0u);
  });
  EXPECT_EQ(caller.wait_for(sent.size()), sent);
  const std::string large(16 << 20, 'x');  // more than the sockets hold
  caller.with([&](Connection& connection) {
    connection.cork();
    connection.write(std::string("head"));
    connection.write(large);
    connection.uncork();
    EXPECT_GT(connection.unsent(), 0u);
    connection.write(std::string("tail"));
  });
  EXPECT_TRUE(caller.wait_for(sent.size() + large.size() + 8) == sent + "head" + large + "tail");
}

class ConnectsTo : public NetworkTest, public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Hosts, ConnectsTo, ::testing::Values("127.0.0.1", "localhost"),
                         [](const auto& host) { return host.index == 0 ? "Address" : "Name"; });

TEST_P(ConnectsTo, Hosts) {
  if (::gethostbyname(GetParam()) == nullptr) GTEST_SKIP() << "/etc/hosts of this machine does not know " << GetParam();
  ASSERT_TRUE(serve().ok());
  Caller caller(*network);
  const Status status = caller.connect(GetParam(), listener->port());
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(caller.peer(), "127.0.0.1:" + std::to_string(listener->port()));
  auto slab = Slab::make(8 << 20);  // more than the sockets hold
  std::memset(slab->data(), 'x', slab->capacity());
  const std::string_view bytes(slab->data(), slab->capacity());
  caller.write(std::move(slab), bytes);
  EXPECT_TRUE(caller.wait_for(8 << 20) == std::string(8 << 20, 'x'));
}

/// Ends of connections, as the system lists them, at which it probes a silent peer.
std::size_t probing_ends(std::uint16_t port) {
  char wanted[8];
  std::snprintf(wanted, sizeof wanted, ":%04X", port);
  std::ifstream list("/proc/self/net/tcp");
  std::string line;
  std::size_t count = 0;
  while (std::getline(list, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer;
    fields >> number >> local >> remote >> state >> queues >> timer;
    const bool ours = local.ends_with(wanted) || remote.ends_with(wanted);
    if (ours && state == "01" && timer.starts_with("02:")) ++count;
  }
  return count;
}

TEST_F(NetworkTest, ProbesAPeerThatSaysNothing) {
  ASSERT_TRUE(serve().ok());
  Caller caller(*network);
  ASSERT_TRUE(caller.connect("127.0.0.1", listener->port()).ok());
  auto slab = Slab::make(4096);
  std::memset(slab->data(), 'x', 4);
  const std::string_view bytes(slab->data(), 4);
  caller.write(std::move(slab), bytes);
  EXPECT_EQ(caller.wait_for(4), "xxxx");
  // An acknowledgement that is still due has the timer before the probes get it.
  const auto deadline = std::chrono::steady_clock::now() + testing::kPatience;
  while (probing_ends(listener->port()) < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(probing_ends(listener->port()), 2u) << "the accepted end and the opened one";
}

TEST_F(NetworkTest, SaysWhomItCouldNotReach) {
  ASSERT_TRUE(serve().ok());
  const std::uint16_t port = listener->port();
  network->run([this] { listener = nullptr; });
  Caller refused(*network);
  Status status = refused.connect("127.0.0.1", port);
  EXPECT_EQ(status.code(), Code::unavailable);
  EXPECT_EQ(status.message(), "can't connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
  Caller unknown(*network);
  status = unknown.connect("no.such.host.invalid", 1);
  EXPECT_EQ(status.code(), Code::unavailable);
  EXPECT_NE(status.message().find("no.such.host.invalid:1: the name is unknown"), std::string::npos);
}

/// A port whose queue of connections is full: the system does not answer there.
class SilentPort {
 public:
  SilentPort() : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    EXPECT_EQ(::bind(listening_, reinterpret_cast<sockaddr*>(&address_), size), 0);
    EXPECT_EQ(::listen(listening_, 0), 0);
    EXPECT_EQ(::getsockname(listening_, reinterpret_cast<sockaddr*>(&address_), &size), 0);
    for (int& waiting : waiting_) {
      waiting = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      ::connect(waiting, reinterpret_cast<sockaddr*>(&address_), size);
    }
  }
  ~SilentPort() {
    for (const int waiting : waiting_) ::close(waiting);
    ::close(listening_);
  }
  std::uint16_t port() const { return ntohs(address_.sin_port); }

 private:
  const int listening_;
  int waiting_[3] = {};
  sockaddr_in address_ = {};
};

TEST_F(NetworkTest, GivesUpWhenNobodyAnswers) {
  const SilentPort silent;
  Caller caller(*network);
  const Status status = caller.connect("127.0.0.1", silent.port(), std::chrono::milliseconds(20));
  EXPECT_EQ(status.code(), Code::timeout);
  EXPECT_NE(status.message().find("no answer in 20 ms"), std::string::npos) << status.message();
}

TEST_F(NetworkTest, ForgetsADroppedAttempt) {
  const SilentPort silent;
  network->run([&] {
    const auto unwanted = network->connect({"localhost", silent.port(), std::chrono::milliseconds(1)},
                                           [](Result<std::unique_ptr<Connection>>) { FAIL() << "it was dropped"; });
  });
  Caller next(*network);  // by then the other's time is over as well
  EXPECT_EQ(next.connect("127.0.0.1", silent.port(), std::chrono::milliseconds(20)).code(), Code::timeout);
}

}  // namespace
}  // namespace standpipe

#include "net/network.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
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

TEST_F(NetworkTest, NamesTheAddressThatIsTaken) {
  ASSERT_TRUE(serve().ok());
  ListenOptions options;
  options.host = "127.0.0.1";
  options.port = listener->port();
  const auto second = network->listen(options, [](std::unique_ptr<Connection>) {});
  EXPECT_EQ(second.status().code(), Code::unavailable);
  EXPECT_NE(second.status().message().find(std::to_string(options.port)), std::string::npos);
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

}  // namespace
}  // namespace standpipe

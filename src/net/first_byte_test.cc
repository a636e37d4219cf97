#include "net/first_byte.h"

#include <future>

#include <gtest/gtest.h>

#include "support/patience.h"
#include "support/tcp_client.h"

namespace standpipe {
namespace {

/// Sends back what it reads, and ends when the peer does.
class Echo final : public ConnectionHandler {
 public:
  explicit Echo(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {
    connection_->attach(*this);
    connection_->resume_reading();
  }
  bool agreed() const { return connection_->agreed(); }

 private:
  void readable() override {
    char bytes[100];
    const auto read = connection_->read(bytes, sizeof bytes);
    if (!read.ok()) return connection_->pause_reading();
    if (read->size > 0) connection_->write(std::string(bytes, read->size));
    if (!read->end) return;
    connection_->pause_reading();
    connection_->finish_writing();
  }
  void sent() override {}
  void failed(const Status&) override {}
  std::unique_ptr<Connection> connection_;
};

class FirstByteTest : public ::testing::Test {
 protected:
  FirstByteTest() {
    ListenOptions where;
    where.host = "127.0.0.1";
    listener = network->listen(where, [this](std::unique_ptr<Connection> connection) { accept(std::move(connection)); })
                   .value();
  }
  ~FirstByteTest() override {
    network->run([this] {
      listener = nullptr;
      echo = nullptr;
    });
  }
  void accept(std::unique_ptr<Connection> connection) {
    echo = std::make_unique<Echo>(by_first_byte(
        std::move(connection),
        [this](std::unique_ptr<Connection> below, char first) {
          seen += first;
          return below;
        },
        *network));
    accepted.set_value();
  }
  bool agreed() {
    bool yes = false;
    network->run([&] { yes = echo->agreed(); });
    return yes;
  }

  std::unique_ptr<Network> network = make_network();
  std::unique_ptr<Listener> listener;
  std::promise<void> accepted;
  std::unique_ptr<Echo> echo;
  std::string seen;
};

TEST_F(FirstByteTest, TheByteIsSeenAndReadAgain) {
  testing::TcpClient client(listener->port());
  ASSERT_EQ(accepted.get_future().wait_for(testing::kPatience), std::future_status::ready);
  EXPECT_FALSE(agreed()) << "nobody knows yet what it speaks";
  client.send("a");
  EXPECT_EQ(client.bytes(1), "a");
  EXPECT_TRUE(agreed());
  client.send("nd more");
  EXPECT_EQ(client.bytes(7), "nd more");
  client.finish();
  EXPECT_EQ(client.rest(), "");
  EXPECT_EQ(seen, "a");
}

TEST_F(FirstByteTest, SaysThatNothingCame) {
  testing::TcpClient client(listener->port());
  client.finish();
  EXPECT_EQ(client.rest(), "");
  EXPECT_EQ(seen, "");
}

}  // namespace
}  // namespace standpipe

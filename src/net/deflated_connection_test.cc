#include "net/deflated_connection.h"

#include <zlib.h>

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include "support/patience.h"
#include "support/tcp_client.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using testing::TcpClient;

std::string zipped(const std::string& text, int flush = Z_SYNC_FLUSH) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit(&stream, 6), Z_OK);
  std::string bytes(text.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  ::deflate(&stream, flush);
  bytes.resize(bytes.size() - stream.avail_out);
  ::deflateEnd(&stream);
  return bytes;
}

std::string unzipped(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(::inflateInit(&stream), Z_OK);
  std::string text(64 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(::inflate(&stream, Z_SYNC_FLUSH), Z_STREAM_END) << "the stream was not ended";
  text.resize(text.size() - stream.avail_out);
  ::inflateEnd(&stream);
  return text;
}

/// Sends back what it reads, in small bites; keeps the failure.
class Echo final : public ConnectionHandler {
 public:
  Echo(std::unique_ptr<Connection> connection, std::size_t bite)
      : connection_(std::move(connection)), bite_(bite, '\0') {
    connection_->attach(*this);
    connection_->resume_reading();
  }
  Connection& connection() { return *connection_; }  ///< the loop's thread
  Status failure() const {
    std::lock_guard lock(mutex_);
    return failure_;
  }
  std::size_t received() const {
    std::lock_guard lock(mutex_);
    return received_;
  }
  bool wait_until(const std::function<bool()>& ready) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, testing::kPatience, ready);
  }
  bool failed_with(Code code) const {
    return wait_until([&] { return failure_.code() == code; });
  }

 private:
  void readable() override {
    const auto read = connection_->read(bite_.data(), bite_.size());
    std::lock_guard lock(mutex_);
    changed_.notify_all();
    if (!read.ok()) {
      failure_ = read.status();
      return connection_->pause_reading();
    }
    received_ += read->size;
    if (read->size > 0) connection_->write(bite_.substr(0, read->size));
    if (!read->end) return;
    connection_->pause_reading();
    connection_->finish_writing();
  }
  void sent() override {}
  void failed(const Status&) override {}

  std::unique_ptr<Connection> connection_;
  std::string bite_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Status failure_;
  std::size_t received_ = 0;
};

class DeflatedConnectionTest : public ::testing::Test {
 protected:
  void serve(DeflateOptions options, std::size_t bite) {
    network->run([this] { listener = nullptr; });
    ListenOptions where;
    where.host = "127.0.0.1";
    listener = network
                   ->listen(where,
                            [=, this](std::unique_ptr<Connection> connection) {
                              echo = std::make_unique<Echo>(deflated(std::move(connection), options, *network), bite);
                              accepted.set_value();
                            })
                   .value();
    client = std::make_unique<TcpClient>(listener->port());
    ASSERT_EQ(accepted.get_future().wait_for(testing::kPatience), std::future_status::ready);
  }
  void TearDown() override {
    network->run([this] {
      listener = nullptr;
      echo = nullptr;
    });
  }

  std::unique_ptr<Network> network = make_network();
  std::unique_ptr<Listener> listener;
  std::promise<void> accepted;
  std::unique_ptr<Echo> echo;
  std::unique_ptr<TcpClient> client;
};

TEST_F(DeflatedConnectionTest, HandsOnWhatArrivesInWhateverBites) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i * 7919 % 10007);
  for (const std::size_t bite : {std::size_t{1000}, std::size_t{1 << 20}}) {
    accepted = {};
    serve({.level = 6, .small = bite == 1000}, bite);
    client->send(zipped(text));
    client->finish();
    EXPECT_TRUE(unzipped(client->rest()) == text);
  }
}

TEST_F(DeflatedConnectionTest, FlushesEachWrite) {
  serve({}, 100);
  client->send(zipped("hello"));
  EXPECT_EQ(client->bytes(2), std::string("\x78\x9c", 2)) << "it waits for more";
}

TEST_F(DeflatedConnectionTest, FlushesOnceWhatIsCorked) {
  serve({}, 100);
  std::string text;
  network->run([&] {
    Connection& connection = echo->connection();
    connection.cork();
    for (int i = 0; i < 100; ++i) {
      const std::string line = std::to_string(i) + "\n";
      text += line;
      connection.write(line);
    }
    connection.uncork();
    connection.cork();
    connection.uncork();  // nothing was held back: nothing is flushed
    connection.finish_writing();
  });
  client->finish();
  const std::string compressed = client->rest();
  EXPECT_EQ(unzipped(compressed), text);
  const std::string_view flush("\0\0\xff\xff", 4);
  const std::size_t first = compressed.find(flush);
  ASSERT_NE(first, compressed.npos);
  EXPECT_EQ(compressed.find(flush, first + 1), compressed.npos);
}

TEST_F(DeflatedConnectionTest, TakesTheEndOfAStreamAndWhatFollows) {
  serve({}, 10);
  client->send(zipped("the whole text", Z_FINISH) + "and then nonsense");
  client->finish();
  EXPECT_EQ(unzipped(client->rest()), "the whole text");
}

TEST_F(DeflatedConnectionTest, SaysThatItIsNoStream) {
  serve({}, 100);
  client->send(std::string("\0\0\0\1\0\0\0\1", 8));
  ASSERT_TRUE(echo->failed_with(Code::corrupt));
  EXPECT_NE(echo->failure().message().find("set compression-type = deflate on both sides"), std::string::npos);
}

TEST_F(DeflatedConnectionTest, ABombExpandsAsItIsRead) {
  serve({}, 4096);
  client->send(zipped(std::string(32 << 20, 'x'), Z_FINISH));
  client->finish();
  EXPECT_TRUE(unzipped(client->rest()) == std::string(32 << 20, 'x'));
  EXPECT_EQ(echo->received(), 32u << 20);
}

}  // namespace
}  // namespace standpipe

#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "contract/source_contract.h"
#include "support/listening_source_test.h"
#include "support/rpc_client.h"

namespace standpipe::testing {

/// A source that takes requests, and clients of its protocol.
struct RpcSourceUnderTest {
  const SourceFactory* factory;
  Settings::Map settings;
  std::function<std::unique_ptr<RpcTestClient>(std::uint16_t port)> connect;
};

/// For the contract of all sources: a client that sends batches until each was stored, over a new connection after each
/// failure, as Flume's does.
class RpcSubject final : public SourceSubject {
 public:
  explicit RpcSubject(RpcSourceUnderTest tested) : tested_(std::move(tested)) {}

  std::unique_ptr<Source> make(Environment& environment) override {
    environment.network = network_.get();
    log_ = dynamic_cast<CapturingLog*>(&environment.log);
    Settings::Map values = tested_.settings;
    values.insert({{"bind", "127.0.0.1"}, {"port", "0"}});
    const auto settings = Settings::parse(*tested_.factory->info, std::move(values));
    return tested_.factory->create(*settings, environment).value();
  }

  void produce(std::size_t first, std::size_t count) override {
    constexpr std::size_t kBatch = 7;
    for (std::size_t at = 0; at < count; at += kBatch) {
      std::vector<SentEvent> events;
      for (const std::string& body : numbers(first + at, std::min(kBatch, count - at))) events.push_back({{}, body});
      for (std::string answer; answer != "OK";) {
        answer = tested_.connect(listening_port(*log_))->append_batch(events);
        if (answer.empty()) return;  // the source has stopped
      }
    }
  }

 private:
  const RpcSourceUnderTest tested_;
  std::unique_ptr<Network> network_ = make_network();
  CapturingLog* log_ = nullptr;
};

inline SourceUnderTest as_any_source(const RpcSourceUnderTest& tested) {
  return {[tested] { return std::make_unique<RpcSubject>(tested); }};
}

/// What every source must do that takes requests and answers them.
class RpcSourceContract : public ListeningSourceTest, public ::testing::WithParamInterface<RpcSourceUnderTest> {
 protected:
  RpcSourceContract() : ListeningSourceTest(*GetParam().factory) {}
  void start(Settings::Map values = {}) {
    values.insert(GetParam().settings.begin(), GetParam().settings.end());
    ListeningSourceTest::start(std::move(values));
  }
  std::unique_ptr<RpcTestClient> connect() { return GetParam().connect(port); }
};

TEST_P(RpcSourceContract, TakesEventsAndBatches) {
  start();
  const auto client = connect();
  EXPECT_EQ(client->append({{{"k", "v"}}, "hello"}), "OK");
  EXPECT_EQ(client->append_batch({{{}, "one"}, {{{"größe", "日本"}}, ""}, {{}, std::string(3, '\0')}}), "OK");
  EXPECT_EQ(client->append_batch({}), "OK");
  EXPECT_EQ(client->append_batch(std::vector<SentEvent>(20, SentEvent{{{"a", "b"}}, "x"})), "OK");
  std::vector<std::string> bodies = ingest.bodies();
  ASSERT_EQ(bodies.size(), 24u);
  bodies.resize(4);
  EXPECT_THAT(bodies, ::testing::ElementsAre("hello", "one", "", std::string(3, '\0')));
  EXPECT_EQ(ingest.headers()[0], (Headers{{"k", "v"}}));
  EXPECT_EQ(ingest.headers()[1], Headers{});
  EXPECT_EQ(ingest.headers()[2], (Headers{{"größe", "日本"}}));
  EXPECT_EQ(ingest.headers()[23], (Headers{{"a", "b"}}));
  EXPECT_EQ(env.count(counter_names::kEventReceived), 24);
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 24);
  EXPECT_EQ(env.count(counter_names::kAppendReceived), 1);
  EXPECT_EQ(env.count(counter_names::kAppendAccepted), 1);
  EXPECT_EQ(env.count(counter_names::kAppendBatchReceived), 3);
  EXPECT_EQ(env.count(counter_names::kAppendBatchAccepted), 3);
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 1);
}

TEST_P(RpcSourceContract, TakesLargeBodiesThatArriveInPieces) {
  start();
  const auto client = connect();
  std::string large(10 << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 % 251);
  EXPECT_EQ(client->append_batch({{{}, large}, {{}, "small"}, {{}, large}}), "OK");
  ASSERT_EQ(ingest.bodies().size(), 3u);
  EXPECT_TRUE(ingest.bodies()[0] == large);
  EXPECT_TRUE(ingest.bodies()[2] == large);
}

TEST_P(RpcSourceContract, TakesAFloodOfSmallRequests) {
  start();
  const auto client = connect();
  constexpr int kRequests = 20'000;
  std::string requests;
  for (int i = 0; i < kRequests; ++i) requests += client->request(SentEvent{{}, std::to_string(i)});
  auto sending = std::async(std::launch::async, [&] { client->raw().send(requests); });
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(client->answer(), "OK");
  sending.get();
  ASSERT_EQ(ingest.bodies().size(), std::size_t{kRequests});
  EXPECT_EQ(ingest.bodies().back(), std::to_string(kRequests - 1));
}

TEST_P(RpcSourceContract, AnswersAfterTheReceiptAndInOrder) {
  start();
  ingest.hold();
  const auto client = connect();
  std::vector<std::string> bodies;
  for (int i = 0; i < 70; ++i) bodies.push_back(std::to_string(i));
  for (const std::string& body : bodies) client->raw().send(client->request(SentEvent{{}, body}));
  ASSERT_TRUE(ingest.wait_for_deliveries(64));
  EXPECT_EQ(ingest.deliveries(), 64u) << "more than the pipeline";
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 0);
  ingest.release();
  for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_EQ(client->answer(), "OK");
  EXPECT_EQ(ingest.bodies(), bodies);
}

TEST_P(RpcSourceContract, SaysFailedWhenTheChannelIsFull) {
  start();
  ingest.answer_with({Code::full, "channel c1 is full"});
  const auto client = connect();
  EXPECT_EQ(client->append({{}, "a"}), "FAILED");
  EXPECT_EQ(client->append_batch({{{}, "a"}}), "FAILED");
  ingest.answer_with({});
  EXPECT_EQ(client->append({{}, "b"}), "OK") << "without a window each request stands for itself";
  EXPECT_THAT(ingest.bodies(), ::testing::ElementsAre("b"));
  EXPECT_EQ(env.count(counter_names::kEventReceived), 3);
  EXPECT_EQ(env.count(counter_names::kEventAccepted), 1);
  EXPECT_TRUE(env.log.contains("channel c1 is full"));
}

TEST_P(RpcSourceContract, WhoSendsNothingMoreStillHearsItsAnswers) {
  start();
  ingest.hold();
  const auto client = connect();
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += client->request(SentEvent{{}, std::to_string(i)});
  client->raw().send(requests + client->request(SentEvent{{}, "half"}).substr(0, 10));
  client->raw().finish();
  ASSERT_TRUE(ingest.wait_for_deliveries(4));
  ingest.release();
  for (int i = 0; i < 300; ++i) ASSERT_EQ(client->answer(), "OK");
  EXPECT_EQ(client->answer(), "");
  EXPECT_EQ(ingest.bodies().size(), 300u);
  EXPECT_TRUE(eventually([&] { return env.count(counter_names::kOpenConnections) == 0; }));
}

TEST_P(RpcSourceContract, DisconnectsWhoStopsHalfWay) {
  start({{"request-timeout", "20"}});
  const auto slow = connect();
  slow->raw().send(slow->request(SentEvent{{}, "hello"}).substr(0, 10));
  EXPECT_EQ(slow->raw().rest(), "");
  EXPECT_TRUE(env.log.contains("stopped in the middle of a request"));
  const auto silent = connect();  // nobody must send anything
  EXPECT_EQ(silent->append({{}, "a"}), "OK");
  TcpClient other(port);
  other.send("x");
  EXPECT_EQ(other.rest(), "") << "another one is swept away";
  EXPECT_EQ(silent->append({{}, "b"}), "OK");
}

TEST_P(RpcSourceContract, KeepsToItsLimitOfARequest) {
  start({{"max-request-bytes", "1000"}});
  const auto client = connect();
  EXPECT_EQ(client->append({{}, std::string(800, 'x')}), "OK");
  EXPECT_EQ(client->append({{}, std::string(1000, 'x')}), "");
  EXPECT_TRUE(env.log.contains("the limit is 1000"));
}

TEST_P(RpcSourceContract, HoldsBackAClientWhoseEventsFindNoRoom) {
  start();
  ingest.hold();
  const auto client = connect();
  constexpr int kRequests = 400;  // 20 MB: more than sockets and pipeline hold
  const std::vector<SentEvent> events(100, SentEvent{{}, std::string(500, 'x')});
  auto sending = std::async(std::launch::async, [&] {
    for (int i = 0; i < kRequests; ++i) client->raw().send(client->request(events));
  });
  ASSERT_TRUE(ingest.wait_for_deliveries(64));
  EXPECT_EQ(sending.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  EXPECT_LT(env.budget.used(), 8u << 20);
  EXPECT_EQ(ingest.deliveries(), 64u);
  ingest.release();
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(client->answer(), "OK");
  sending.get();
  EXPECT_EQ(ingest.bodies().size(), 100u * kRequests);
}

TEST_P(RpcSourceContract, WaitsForMemory) {
  start();
  env.budget.force_charge(env.budget.limit());
  const auto client = connect();
  client->raw().send(client->request(SentEvent{{}, "a"}));
  env.budget.release(env.budget.limit());
  EXPECT_EQ(client->answer(), "OK");
}

TEST_P(RpcSourceContract, IdleConnectionsHoldNoBuffers) {
  start();
  std::vector<std::unique_ptr<RpcTestClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(connect());
    ASSERT_EQ(clients.back()->append({{}, "x"}), "OK");
  }
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 100);
  EXPECT_TRUE(eventually([&] { return env.budget.used() == 0; }));
}

TEST_P(RpcSourceContract, StopsWithRequestsOpen) {
  start();
  source->stop();
  source->stop();
  start();
  ingest.hold();
  const auto client = connect();
  client->raw().send(client->request(SentEvent{{}, "a"}));
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  source->stop();  // the receipt never came: the client hears nothing
  EXPECT_EQ(client->answer(), "");
  EXPECT_EQ(env.count(counter_names::kOpenConnections), 0);
  ingest.release();
}

TEST_P(RpcSourceContract, AnswersWhatWasHandedOverBeforeItStops) {
  start();
  ingest.hold();
  const auto client = connect();
  client->raw().send(client->request(SentEvent{{}, "a"}));
  ASSERT_TRUE(ingest.wait_for_deliveries(1));
  auto stopping = std::async(std::launch::async, [this] { source->stop(); });
  ingest.release();
  EXPECT_EQ(client->answer(), "OK");
  stopping.get();
}

}  // namespace standpipe::testing

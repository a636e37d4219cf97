#include "rpc/avro/server_session.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "io/file_system.h"
#include "rpc/avro/message.h"
#include "support/avro_client.h"
#include "support/test_environment.h"

namespace standpipe::avro {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
namespace avro_bytes = standpipe::testing::avro_bytes;

/// What a test says is what comes; what goes out is kept.
struct Wire {
  std::string in;
  std::string out;
  bool end = false;
  std::size_t unsent = 0;
};

class WireConnection final : public Connection {
 public:
  explicit WireConnection(Wire& wire) : wire_(wire) {}
  void attach(ConnectionHandler&) override {}
  void resume_reading() override {}
  void pause_reading() override {}
  Result<Read> read(char* target, std::size_t room) override {
    const std::size_t size = std::min(room, wire_.in.size());
    if (size > 0) std::memcpy(target, wire_.in.data(), size);
    wire_.in.erase(0, size);
    return Read{size, size == 0 && wire_.end};
  }
  void write(std::string bytes) override { wire_.out += bytes; }
  void write(std::shared_ptr<const Slab>, std::string_view bytes) override { wire_.out += bytes; }
  void finish_writing() override {}
  std::size_t unsent() const override { return wire_.unsent; }
  const std::string& peer() const override { return peer_; }

 private:
  Wire& wire_;
  const std::string peer_ = "127.0.0.1:1";
};

/// Calls stay open until the test answers them, with the call's number as the message.
class OpenSession final : public ServerSession {
 public:
  using ServerSession::ServerSession;
  void answer_call(std::uint64_t number) {
    answer(number, std::to_string(number));
    go_on();
  }
  bool has_ended() const { return ended(); }
  std::vector<std::string> calls;

 private:
  Status call(const Call& call) override {
    if (call.method == "bad") return {Code::corrupt, "bad"};
    calls.emplace_back(call.method);
    return {};
  }
};

class ServerSessionTest : public ::testing::Test {
 protected:
  void start(bool in_order, bool answers_ended = true) {
    shared = std::make_unique<ServerShared>(env.environment,
                                            ServerRules{.protocol = kSourceProtocol,
                                                        .memory = env.budget,
                                                        .read_at_once = 4096,
                                                        .max_request = 1000,
                                                        .pipeline = 3,
                                                        .in_order = in_order,
                                                        .answers_ended = answers_ended},
                                            env.counters.counter("refused"));
    session = std::make_shared<OpenSession>(*shared, std::make_unique<WireConnection>(wire), [](ServerSession&) {});
    session->start();
  }

  void receive(const std::string& bytes) {
    wire.in += bytes;
    static_cast<ConnectionHandler&>(*session).readable();
  }
  static std::string request(std::int32_t serial, std::string_view method) {
    const std::string front = serial == 1 ? avro_bytes::handshake() : "";
    return avro_bytes::frame(serial, front + avro_bytes::number(0) + avro_bytes::text(method));
  }
  /// The calls with these names and serials from 1 on.
  void receive_calls(const std::vector<std::string>& methods) {
    std::string bytes;
    for (const std::string& method : methods) bytes += request(++serial, method);
    receive(bytes);
  }
  /// Serials of the frames that went out, in order.
  std::vector<int> answered() const {
    std::vector<int> serials;
    for (std::size_t at = 0; at < wire.out.size();) {
      serials.push_back(wire.out[at + 3]);
      at += kFrameHead + static_cast<unsigned char>(wire.out[at + kFrameHead - 1]);
    }
    return serials;
  }

  VirtualClock clock;
  standpipe::testing::TestEnvironment env{"s1", clock, real_file_system()};
  std::unique_ptr<ServerShared> shared;
  Wire wire;
  std::shared_ptr<OpenSession> session;
  std::int32_t serial = 0;
};

TEST_F(ServerSessionTest, AnswersInOrderOrAsTheyCome) {
  start(true);
  receive_calls({"a", "b", "c"});
  session->answer_call(1);
  EXPECT_EQ(wire.out, "");
  session->answer_call(0);
  session->answer_call(2);
  EXPECT_THAT(answered(), ElementsAre(1, 2, 3));

  wire = {};
  serial = 0;
  start(false);
  receive_calls({"a", "b", "c"});
  session->answer_call(1);
  session->answer_call(2);
  session->answer_call(0);
  EXPECT_THAT(answered(), ElementsAre(2, 3, 1));
}

TEST_F(ServerSessionTest, TakesNoMoreCallsThanItsPipelineHolds) {
  start(false);
  receive_calls({"a", "b", "c", "d"});
  EXPECT_THAT(session->calls, ElementsAre("a", "b", "c"));
  session->answer_call(1);
  EXPECT_THAT(session->calls, ElementsAre("a", "b", "c", "d"));
}

TEST_F(ServerSessionTest, TakesManyCallsThatCameAtOnce) {
  start(false);
  receive_calls(std::vector<std::string>(100, "a"));
  for (std::uint64_t number = 0; number < 100; ++number) session->answer_call(number);
  EXPECT_EQ(session->calls.size(), 100u);
  EXPECT_EQ(answered().size(), 100u);
}

TEST_F(ServerSessionTest, AnswersWhatCameBeforeDamageAndThenEnds) {
  start(true);
  receive_calls({"a", "bad", "c"});
  EXPECT_THAT(session->calls, ElementsAre("a"));
  EXPECT_FALSE(session->has_ended());
  session->answer_call(0);
  EXPECT_TRUE(session->has_ended());
  EXPECT_THAT(answered(), ElementsAre(1));
  EXPECT_EQ(env.count("refused"), 1);
}

TEST_F(ServerSessionTest, APeerThatSendsNothingMoreGetsItsAnswersOrHasGone) {
  start(true);
  receive_calls({"a"});
  wire.end = true;
  receive("");
  session->answer_call(0);
  EXPECT_THAT(answered(), ElementsAre(1));
  EXPECT_TRUE(session->has_ended());

  wire = {};
  serial = 0;
  start(true, false);
  receive_calls({"a"});
  wire.end = true;
  receive("");
  EXPECT_TRUE(session->has_ended());
}

TEST_F(ServerSessionTest, LeavesAPeerThatDoesNotFinishARequestHoweverBusyItLooks) {
  start(true);
  const std::string whole = request(1, "a");
  receive(whole.substr(0, 5));
  clock.advance(seconds(30));
  receive(whole.substr(5, 1));
  session->end_if_stalled(clock.steady_now() - seconds(31));
  EXPECT_FALSE(session->has_ended());
  clock.advance(seconds(2));
  session->end_if_stalled(clock.steady_now() - seconds(31));
  EXPECT_TRUE(session->has_ended());
  EXPECT_TRUE(env.log.contains("does not finish its request"));
}

TEST_F(ServerSessionTest, ASilentPeerMayStay) {
  start(true);
  receive_calls({"a"});
  session->answer_call(0);
  clock.advance(std::chrono::hours(1));
  session->end_if_stalled(clock.steady_now() - seconds(31));
  EXPECT_FALSE(session->has_ended());
  EXPECT_EQ(env.budget.used(), 0u) << "an idle connection holds no buffer";
}

}  // namespace
}  // namespace standpipe::avro

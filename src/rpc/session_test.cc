#include "rpc/session.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "io/file_system.h"
#include "support/manual_network.h"
#include "support/test_environment.h"

namespace standpipe::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// What a test says is what comes; what goes out is kept.
struct Wire {
  std::string in;
  std::string out;
  std::size_t unsent = 0;
  std::size_t reads = 0;
  bool end = false;
  bool paused = true;
  bool agreed = true;
  bool closed = false;
};

class WireConnection final : public Connection {
 public:
  explicit WireConnection(Wire& wire) : wire_(wire) {}
  ~WireConnection() override { wire_.closed = true; }
  void attach(ConnectionHandler&) override {}
  void resume_reading() override { wire_.paused = false; }
  void pause_reading() override { wire_.paused = true; }
  Result<Read> read(char* target, std::size_t room) override {
    ++wire_.reads;
    const std::size_t size = std::min(room, wire_.in.size());
    if (size > 0) std::memcpy(target, wire_.in.data(), size);
    wire_.in.erase(0, size);
    return Read{size, size == 0 && wire_.end};
  }
  void write(std::string bytes) override { wire_.out += bytes; }
  void write(std::shared_ptr<const Slab>, std::string_view bytes) override { wire_.out += bytes; }
  void finish_writing() override {}
  std::size_t unsent() const override { return wire_.unsent; }
  bool agreed() const override { return wire_.agreed; }
  const std::string& peer() const override { return peer_; }

 private:
  Wire& wire_;
  const std::string peer_ = "127.0.0.1:1";
};

/// Requests are lines of lower-case letters, 64 at a time as with real protocols. Their answers are due until the test
/// gives them.
class LineSession final : public Session {
 public:
  using Session::Session;
  void answer_line(std::uint64_t number) {
    answer(number, std::to_string(number));
    go_on();
  }
  void answer_frame(std::uint64_t number, std::string_view text) {
    const auto slab = Slab::make(text.size());
    std::memcpy(slab->data(), text.data(), text.size());
    answer(number, EncodedRequest{slab, {slab->data(), text.size()}});
    go_on();
  }
  std::vector<std::string> lines;
  bool was_told = false;
  using Session::taken;
  using Session::written;

 private:
  Status take_requests(StreamBuffer& buffer, std::vector<Request>& requests, bool& more) override {
    std::size_t count = 0;
    for (; count < 64; ++count) {
      const std::size_t size = buffer.unread().find('\n');
      if (size == std::string_view::npos) break;
      const StreamBuffer::Part part = buffer.take(size + 1);
      requests.push_back({part.slab, part.bytes.substr(0, size)});
    }
    more = count == 64;
    return {};
  }
  Status serve(const Request& request) override {
    if (request.bytes == "bad") return {Code::corrupt, "a bad line"};
    lines.emplace_back(request.bytes);
    if (request.bytes == "now") {
      answer("now");
    } else {
      begin_answer();
    }
    return {};
  }
  std::string_view hint(std::string_view first_bytes) const override {
    return first_bytes.starts_with("GET") ? "; it speaks HTTP" : "";
  }
  void closing() override { was_told = !ended(); }
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() { env.environment.network = &network; }

  void start(ServerRules rules) {
    wire = {};
    server = std::make_unique<Server>(env.environment, rules);
    session = std::make_shared<LineSession>(*server, std::make_unique<WireConnection>(wire));
    server->open(session);
  }
  ServerRules rules() {
    return {.memory = env.budget,
            .refused = env.counters.counter("refused"),
            .patience = seconds(60),
            .read_at_once = 4096,
            .pipeline = 3};
  }
  void start() { start(rules()); }

  void receive(const std::string& bytes) {
    wire.in += bytes;
    handle().readable();
    network.turn();
  }
  ConnectionHandler& handle() { return *session; }
  /// Looks at it after that time.
  void look_after(milliseconds time, bool memory_is_short = false) {
    clock.advance(time);
    session->end_if_stalled({clock.steady_now(), seconds(60), memory_is_short});
  }

  VirtualClock clock;
  standpipe::testing::TestEnvironment env{"s1", clock, real_file_system()};
  standpipe::testing::ManualNetwork network;
  std::unique_ptr<Server> server;
  Wire wire;
  std::shared_ptr<LineSession> session;
};

TEST_F(SessionTest, AnswersInTheOrderOfTheRequests) {
  start();
  receive("a\nb\nc\n");
  session->answer_line(1);
  EXPECT_EQ(wire.out, "");
  session->answer_line(0);
  EXPECT_EQ(wire.out, "01");
  session->answer_frame(2, "two");
  EXPECT_EQ(wire.out, "01two");
}

TEST_F(SessionTest, AnswersAsTheyCome) {
  ServerRules as_they_come = rules();
  as_they_come.in_order = false;
  start(as_they_come);
  receive("a\nb\nc\n");
  session->answer_line(1);
  session->answer_frame(2, "two");
  session->answer_line(0);
  EXPECT_EQ(wire.out, "1two0");
  EXPECT_EQ(session->written(), 5u);
  wire.unsent = 2;
  EXPECT_EQ(session->taken(), 3u);
}

TEST_F(SessionTest, LongAndShortAnswersThatWaitedKeepTheirOrder) {
  start();
  receive("a\nb\nc\n");
  session->answer_frame(1, "one");
  session->answer_line(2);
  session->answer_line(0);
  EXPECT_EQ(wire.out, "0one2");
}

TEST_F(SessionTest, TakesNoMoreRequestsThanItsPipelineHolds) {
  start();
  receive("a\nb\nc\nd\n");
  EXPECT_THAT(session->lines, ElementsAre("a", "b", "c"));
  EXPECT_TRUE(wire.paused);
  session->answer_line(0);
  EXPECT_THAT(session->lines, ElementsAre("a", "b", "c", "d"));
  session->answer_line(1);
  EXPECT_FALSE(wire.paused);
}

TEST_F(SessionTest, ServesNobodyWhoReadsNoAnswers) {
  start();
  wire.unsent = 64 * 1024 + 1;
  receive("a\n");
  EXPECT_THAT(session->lines, IsEmpty());
  EXPECT_EQ(wire.reads, 0u);
  EXPECT_TRUE(wire.paused);
  wire.unsent = 0;
  handle().sent();
  EXPECT_THAT(session->lines, ElementsAre("a"));
}

TEST_F(SessionTest, TakesManyRequestsThatCameAtOnce) {
  start();
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "now\n";
  receive(many);
  EXPECT_EQ(session->lines.size(), 1000u);
  EXPECT_EQ(wire.out.size(), 3000u);
}

TEST_F(SessionTest, LetsOthersHaveTheirTurn) {
  start();
  for (int i = 0; i < 5000; ++i) wire.in += "now\n";
  handle().readable();
  EXPECT_EQ(session->lines.size(), 4 * 64u);
  for (network.turn(); !wire.in.empty(); network.turn()) handle().readable();
  EXPECT_EQ(session->lines.size(), 5000u);
}

TEST_F(SessionTest, AnswersWhatCameBeforeDamageAndThenEnds) {
  start();
  receive("a\nbad\nc\n");
  EXPECT_THAT(session->lines, ElementsAre("a"));
  EXPECT_FALSE(session->ended());
  session->answer_line(0);
  EXPECT_TRUE(session->ended());
  EXPECT_TRUE(wire.closed);
  EXPECT_TRUE(session->was_told);
  EXPECT_EQ(wire.out, "0");
  EXPECT_EQ(env.count("refused"), 1);
  EXPECT_TRUE(env.log.contains("127.0.0.1:1 is disconnected: a bad line"));
}

TEST_F(SessionTest, TellsHowManyOthersWereDisconnectedMeanwhile) {
  start();
  for (int i = 0; i < 3; ++i) server->refuse("127.0.0.1:9", "no reason", "");
  EXPECT_THAT(env.log.lines(), ElementsAre("WARN 127.0.0.1:9 is disconnected: no reason"));
  clock.advance(seconds(60));
  server->refuse("127.0.0.1:9", "no reason", "");
  EXPECT_EQ(env.log.lines().back(), "WARN 127.0.0.1:9 is disconnected: no reason (2 more since the last such line)");
}

TEST_F(SessionTest, SaysWhatAPeerMayHaveMeant) {
  start();
  receive("GET / HTTP\nbad\n");
  session->answer_line(0);
  EXPECT_TRUE(env.log.contains("a bad line; it speaks HTTP"));
}

TEST_F(SessionTest, APeerThatSendsNothingMoreGetsItsAnswers) {
  start();
  wire.end = true;
  receive("a\n");
  receive("");
  EXPECT_FALSE(session->ended());
  session->answer_line(0);
  EXPECT_EQ(wire.out, "0");
  EXPECT_TRUE(session->ended());
  EXPECT_EQ(env.count("refused"), 0);
}

TEST_F(SessionTest, OrItHasGone) {
  ServerRules gone = rules();
  gone.answers_ended = false;
  start(gone);
  wire.end = true;
  receive("a\n");
  receive("");
  EXPECT_THAT(session->lines, ElementsAre("a"));
  EXPECT_TRUE(session->ended());
}

TEST_F(SessionTest, FinishesWhenWhatIsDueIsAnsweredAndSent) {
  start();
  receive("a\nb\nc\nd\n");
  session->finish();
  for (std::uint64_t number = 0; number < 3; ++number) {
    EXPECT_FALSE(session->ended());
    if (number == 2) wire.unsent = 1;
    session->answer_line(number);
  }
  EXPECT_THAT(session->lines, ElementsAre("a", "b", "c")) << "d was not begun";
  EXPECT_FALSE(session->ended()) << "not all is sent";
  wire.unsent = 0;
  handle().sent();
  EXPECT_TRUE(session->ended());
}

TEST_F(SessionTest, WaitsForMemory) {
  start();
  env.budget.force_charge(env.budget.limit());
  receive("a\n");
  EXPECT_TRUE(session->waits_for_memory());
  network.fire();
  EXPECT_TRUE(session->waits_for_memory());
  EXPECT_EQ(wire.reads, 0u);
  env.budget.release(env.budget.limit());
  network.fire();
  EXPECT_THAT(session->lines, ElementsAre("a"));
  EXPECT_FALSE(session->waits_for_memory());
}

TEST_F(SessionTest, ServesNothingWhileMemoryIsShort) {
  start();
  receive("a\nb\nc\nd\n");
  env.budget.force_charge(env.budget.limit());
  session->answer_line(0);
  EXPECT_EQ(session->lines.size(), 3u);
  env.budget.release(env.budget.limit());
  network.fire();
  EXPECT_EQ(session->lines.size(), 4u);
}

// -- peers that stand still -------------------------------------------------------------------------------------------

TEST_F(SessionTest, LeavesWhoDoesNotFinishARequest) {
  start();
  receive("half");
  look_after(seconds(59));
  EXPECT_FALSE(session->ended());
  look_after(seconds(1));
  EXPECT_TRUE(session->ended());
  EXPECT_TRUE(env.log.contains("stopped in the middle of a request"));
}

TEST_F(SessionTest, AByteNowAndThenIsNoRequest) {
  start();
  for (int i = 0; i < 60; ++i) {
    EXPECT_FALSE(session->ended()) << "after " << i << " seconds";
    receive(std::string(500, 'x'));
    look_after(seconds(1));
  }
  EXPECT_TRUE(session->ended());
  EXPECT_TRUE(env.log.contains("stopped in the middle of a request: 29500 bytes came in 60000 ms"));
}

TEST_F(SessionTest, WhoSendsALongRequestSteadilyIsHeard) {
  start();
  for (int i = 0; i < 300; ++i) {
    receive(std::string(1100, 'x'));
    look_after(seconds(1));
  }
  receive("\n");
  EXPECT_THAT(session->lines, ElementsAre(std::string(330'000, 'x')));
  EXPECT_FALSE(session->ended());
}

TEST_F(SessionTest, AnswersBeforeItLeavesWhoDoesNotFinishARequest) {
  start();
  receive("a\nhalf");
  look_after(seconds(30));
  look_after(seconds(30));
  EXPECT_FALSE(session->ended()) << "an answer is due";
  session->answer_line(0);
  EXPECT_TRUE(session->ended());
  EXPECT_EQ(wire.out, "0");
}

TEST_F(SessionTest, LeavesWhoReadsNoAnswer) {
  start();
  receive("a\n");
  wire.unsent = 1;
  session->answer_line(0);
  look_after(seconds(0));
  look_after(seconds(59));
  EXPECT_FALSE(session->ended());
  look_after(seconds(1));
  EXPECT_TRUE(session->ended());
  EXPECT_TRUE(session->was_told);
  EXPECT_TRUE(env.log.contains("it has read none of its answers"));
}

TEST_F(SessionTest, LeavesWhoNeverAgreesOnTls) {
  start();
  wire.agreed = false;
  look_after(seconds(60));
  EXPECT_TRUE(session->ended());
  EXPECT_TRUE(env.log.contains("TLS was not agreed upon"));
}

TEST_F(SessionTest, LeavesWhoWaitsForMemoryTooLong) {
  start();
  env.budget.force_charge(env.budget.limit());
  receive("a\n");
  look_after(seconds(0));
  look_after(seconds(60));
  EXPECT_TRUE(session->ended());
  EXPECT_TRUE(env.log.contains("there was no memory for its request"));
  network.fire();  // its timer has gone with it
  env.budget.release(env.budget.limit());
}

TEST_F(SessionTest, ASilentPeerMayStay) {
  start();
  receive("a\n");
  session->answer_line(0);
  look_after(std::chrono::hours(1));
  EXPECT_FALSE(session->ended());
  EXPECT_EQ(env.budget.used(), 0u) << "an idle connection holds no buffer";
}

}  // namespace
}  // namespace standpipe::rpc

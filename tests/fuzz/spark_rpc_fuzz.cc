// A whole connection of a Spark sink, with the bytes that a receiver may send: whatever they are and however they are
// cut, the session ends or waits for more, each call is answered once and under its own serial, and cut elsewhere the
// answers are the same.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "io/file_system.h"
#include "rpc/avro/spark_calls.h"
#include "sinks/spark/spark_session.h"
#include "support/manual_network.h"

namespace {

using namespace standpipe;

class NoLog final : public Log {
 public:
  bool enabled(Level) const override { return true; }
  void write(Level, std::string_view) override {}
};

/// Gives the bytes in pieces and keeps what is answered.
class TestConnection final : public Connection {
 public:
  TestConnection(std::string_view input, std::size_t piece, std::string& output)
      : input_(input), piece_(piece), output_(output) {}
  void attach(ConnectionHandler&) override {}
  void resume_reading() override {}
  void pause_reading() override {}
  Result<Read> read(char* target, std::size_t room) override {
    const std::size_t size = std::min({input_.size(), piece_, room});
    if (size == 0) return Read{0, ended_};
    std::memcpy(target, input_.data(), size);
    input_.remove_prefix(size);
    return Read{size, false};
  }
  void write(std::string bytes) override { output_ += bytes; }
  void write(std::shared_ptr<const Slab>, std::string_view bytes) override { output_ += bytes; }
  void finish_writing() override {}
  std::size_t unsent() const override { return 0; }
  const std::string& peer() const override { return peer_; }

  bool exhausted() const { return input_.empty(); }
  void end() { ended_ = true; }

 private:
  std::string_view input_;
  const std::size_t piece_;
  std::string& output_;
  bool ended_ = false;
  const std::string peer_ = "127.0.0.1:1";
};

/// A frame of the server's, which has one buffer.
std::string next_frame(std::string_view& output) {
  CHECK(output.size() >= avro::kFrameHead);
  std::size_t size = 0;
  for (std::size_t i = 8; i < avro::kFrameHead; ++i) size = size << 8 | static_cast<unsigned char>(output[i]);
  CHECK(output.size() - avro::kFrameHead >= size);
  const std::string frame(output.substr(0, avro::kFrameHead + size));
  output.remove_prefix(frame.size());
  return frame;
}

struct World {
  NoLog log;
  VirtualClock clock;
  testing::ManualNetwork network;
  MemoryBudget budget{64 << 20};
  CounterGroup counters;
  Environment environment{.agent = "a1",
                          .component = "k1",
                          .state_dir = "",
                          .log = log,
                          .clock = clock,
                          .files = real_file_system(),
                          .network = &network,
                          .budget = budget,
                          .counters = counters};
  rpc::Server server{environment,
                     {.memory = budget,
                      .refused = counters.counter("refused"),
                      .patience = std::chrono::seconds(60),
                      .read_at_once = 16 * 1024,
                      .pipeline = 8,
                      .in_order = false,
                      .answers_ended = false}};
  SparkShared shared{environment, [] {}};
};

/// What the sink would say: the number that was asked for, in a frame or in a message, or done.
SparkReply reply_to(const SparkRequest& request, World& world) {
  SparkReply reply{.to = request.caller, .message = request.caller.front};
  if (request.kind != SparkRequest::Kind::fetch) {
    avro::put_spark_done(reply.message);
    return reply;
  }
  const std::string text = std::to_string(request.events);
  if (request.events % 2 == 0) {
    avro::put_spark_error(reply.message, text);
    return reply;
  }
  const std::string message = request.caller.front + avro::spark_batch_front(text) + std::string(1, '\0');
  const std::string frame = avro::framed(request.caller.serial, message);
  const auto slab = Slab::make(frame.size(), &world.budget);
  std::memcpy(slab->data(), frame.data(), frame.size());
  reply.frame = {slab, {slab->data(), frame.size()}};
  reply.batch = 1;
  return reply;
}

/// All answers, sorted, and whether the connection was ended.
std::vector<std::string> serve(std::string_view stream, std::size_t piece) {
  World world;
  std::string output;
  auto own = std::make_unique<TestConnection>(stream, piece, output);
  TestConnection& connection = *own;
  const auto session = std::make_shared<SparkSession>(world.server, world.shared, std::move(own));
  ConnectionHandler& handler = *session;
  std::size_t open = 0;
  world.server.open(session);
  while (!session->ended()) {
    const bool last = connection.exhausted();
    handler.readable();
    world.network.turn();
    const std::vector<SparkRequest> requests = world.shared.inbox.take();
    for (const SparkRequest& request : requests) {
      if (session->ended()) continue;
      CHECK(session->reply(reply_to(request, world)));
      ++open;
    }
    if (last && requests.empty()) break;
  }
  std::vector<std::string> answers;
  for (std::string_view rest = output; !rest.empty();) answers.push_back(next_frame(rest));
  CHECK(answers.size() >= open);
  std::sort(answers.begin(), answers.end());
  answers.emplace_back(session->ended() ? "ended" : "waits");
  if (!session->ended()) {
    connection.end();
    handler.readable();
    CHECK(session->ended());
  }
  return answers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const SparkSequence sequence;
  CHECK(sequence.number(sequence.text(size)) == size);
  sequence.number(stream);
  CHECK(serve(stream, 1 + data[0]) == serve(stream, stream.size() + 1));
  return 0;
}

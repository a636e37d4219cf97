#include "sinks/spark/spark_sink.h"

#include <gmock/gmock.h>

#include <future>

#include "net/network.h"
#include "rpc/avro/protocol.h"
#include "support/engine_parts.h"
#include "support/listening_source_test.h"
#include "support/spark_receiver.h"
#include "support/test_environment.h"
#include "support/test_outlet.h"

namespace standpipe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SparkTestReceiver;
using ::testing::UnorderedElementsAre;
using Answer = SparkTestReceiver::Answer;
namespace avro_bytes = testing::avro_bytes;
namespace spark_bytes = testing::spark_bytes;

/// Turns the sink by hand, with a clock that stands still.
class SparkSinkTest : public ::testing::Test {
 protected:
  void start(Settings::Map values = {}) {
    env.environment.network = network.get();
    values.emplace("hostname", "127.0.0.1");
    values.emplace("port", "0");
    const auto settings = Settings::parse(*kSparkSink.info, std::move(values));
    ASSERT_TRUE(settings.ok()) << settings.status().message();
    auto made = kSparkSink.create(*settings, env.environment);
    ASSERT_TRUE(made.ok()) << made.status().message();
    sink = std::move(made).value();
    start_again();
  }

  void start_again() {
    const Status status = sink->start();
    ASSERT_TRUE(status.ok()) << status.message();
    port = testing::listening_port(env.log);
  }

  /// Turns until it holds; the first failure of a turn otherwise.
  Status turn_until(const std::function<bool()>& ready) {
    Status failure;
    EXPECT_TRUE(testing::eventually([&] {
      if (ready()) return true;
      const Result<Turn> turn = sink->process(outlet, {});
      last_turn = turn.ok() ? *turn : Turn{};
      failure = turn.status();
      return !failure.ok() || ready();
    }));
    return failure;
  }

  /// What a receiver is answered next, while the sink turns.
  Answer next_answer(SparkTestReceiver& receiver) {
    auto answer = std::async(std::launch::async, [&] { return receiver.answer(); });
    turn_until([&] { return answer.wait_for(seconds(0)) == std::future_status::ready; }).ignore();
    return answer.get();
  }

  Answer fetch(SparkTestReceiver& receiver, std::int32_t events = 1000) {
    receiver.ask(events);
    return next_answer(receiver);
  }

  /// Whether the sink leaves a client that it has nothing to say to.
  bool left_in_time(testing::TcpClient& client) {
    auto rest = std::async(std::launch::async, [&] { return client.rest(); });
    const bool left = testing::eventually([&] {
      clock.advance(milliseconds(5));
      return rest.wait_for(seconds(0)) == std::future_status::ready;
    });
    return rest.get().empty() && left;
  }

  /// Everything that the connections have sent is seen by the sink: this comes behind it.
  void settle() {
    SparkTestReceiver last(port);
    EXPECT_THAT(fetch(last, 0).message, HasSubstr("at least one"));
  }

  VirtualClock clock;
  testing::TestEnvironment env{"k1", clock, real_file_system()};
  std::unique_ptr<Network> network = make_network();
  testing::TestOutlet outlet;
  std::unique_ptr<Sink> sink;
  std::uint16_t port = 0;
  Turn last_turn;
};

TEST_F(SparkSinkTest, HandsOutBatchesAndCommitsThem) {
  start();
  outlet.put("one", {{"k", "v"}, {"größe", "日本"}});
  outlet.put_all({"", std::string(3, '\0')});
  {
    SparkTestReceiver receiver(port);
    const Answer first = fetch(receiver, 2);
    EXPECT_EQ(first.message, "");
    EXPECT_THAT(first.bodies(), ElementsAre("one", ""));
    EXPECT_EQ(first.events[0].headers, (Headers{{"k", "v"}, {"größe", "日本"}}));
    EXPECT_TRUE(first.events[1].headers.empty());
    receiver.ack(first.sequence);
    EXPECT_EQ(next_answer(receiver).error, "");
    EXPECT_THAT(outlet.committed(), ElementsAre("one", ""));
    const Answer second = fetch(receiver, 2);
    EXPECT_THAT(second.bodies(), ElementsAre(std::string(3, '\0')));
    EXPECT_NE(second.sequence, first.sequence);
    receiver.ack(second.sequence);
    EXPECT_EQ(next_answer(receiver).error, "");
    EXPECT_EQ(outlet.committed().size(), 3u);
  }
  sink->stop();
  EXPECT_EQ(env.count(counter_names::kDrainAttempt), 3);
  EXPECT_EQ(env.count(counter_names::kDrainSuccess), 3);
  EXPECT_EQ(env.count(counter_names::kBatchComplete), 1);
  EXPECT_EQ(env.count(counter_names::kBatchUnderflow), 1);
  EXPECT_EQ(env.count(counter_names::kConnectionCreated), 1);
  EXPECT_EQ(env.count(counter_names::kConnectionClosed), 1);
  EXPECT_EQ(env.count(counter_names::kLateAck), 0);
  EXPECT_EQ(env.budget.used(), 0u);
}

TEST_F(SparkSinkTest, CommitsNothingBeforeTheAcknowledgement) {
  start();
  outlet.put("a");
  SparkTestReceiver receiver(port);
  const Answer batch = fetch(receiver);
  EXPECT_THAT(outlet.committed(), IsEmpty());
  EXPECT_EQ(outlet.leased(), 1u);
  EXPECT_EQ(last_turn.wake_by, clock.steady_now() + seconds(60));
  receiver.ack(batch.sequence);
  next_answer(receiver);
  EXPECT_THAT(outlet.committed(), ElementsAre("a"));
  EXPECT_EQ(last_turn.wake_by, std::nullopt);
}

TEST_F(SparkSinkTest, ATurnHasWorkedWhenSomethingWasAcknowledged) {
  start();
  outlet.put("one");
  SparkTestReceiver receiver(port);
  const Answer batch = fetch(receiver);
  EXPECT_FALSE(last_turn.worked) << "what is lent proves nothing";
  receiver.ack(batch.sequence);
  EXPECT_TRUE(turn_until([&] { return last_turn.worked; }).ok()) << "a group's member that failed is well again";
  EXPECT_EQ(receiver.answer().error, "");
}

TEST_F(SparkSinkTest, ARefusedBatchComesAgain) {
  start();
  outlet.put_all({"a", "b"});
  SparkTestReceiver receiver(port);
  const Answer refused = fetch(receiver);
  receiver.nack(refused.sequence);
  EXPECT_EQ(next_answer(receiver).error, "");
  EXPECT_EQ(outlet.waiting(), 2u);
  EXPECT_EQ(env.count(counter_names::kEventWriteFail), 1);
  ASSERT_NE(sink->held_up(), nullptr);
  EXPECT_THAT(sink->held_up()->message(), HasSubstr("could not store a batch of 2 events"));
  const Answer again = fetch(receiver);
  EXPECT_THAT(again.bodies(), ElementsAre("a", "b"));
  EXPECT_NE(again.sequence, refused.sequence);
  receiver.ack(again.sequence);
  next_answer(receiver);
  EXPECT_EQ(sink->held_up(), nullptr);
  EXPECT_EQ(outlet.committed().size(), 2u);
}

TEST_F(SparkSinkTest, WhatIsNotAcknowledgedInTimeGoesBackAndALateAcknowledgementIsCounted) {
  start({{"timeout", "5"}});
  outlet.put_all({"a", "b"});
  SparkTestReceiver slow(port);
  const Answer lost = fetch(slow);
  clock.advance(milliseconds(4999));
  ASSERT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_EQ(outlet.leased(), 2u);
  clock.advance(milliseconds(1));
  ASSERT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_EQ(outlet.waiting(), 2u);
  EXPECT_TRUE(env.log.contains("has not acknowledged a batch of 2 events for 5 s"));
  ASSERT_NE(sink->held_up(), nullptr);

  SparkTestReceiver other(port);
  const Answer again = fetch(other);
  slow.ack(lost.sequence);
  EXPECT_EQ(next_answer(slow).error, "") << "as Spark's own sink answers it";
  EXPECT_THAT(outlet.committed(), IsEmpty()) << "they belong to another receiver now";
  EXPECT_EQ(env.count(counter_names::kLateAck), 1);
  EXPECT_EQ(env.count(counter_names::kDuplicate), 2);
  EXPECT_TRUE(env.log.contains("acknowledged too late"));
  const std::size_t lines = env.log.lines().size();
  slow.ack(lost.sequence);
  next_answer(slow);
  EXPECT_EQ(env.log.lines().size(), lines) << "once a minute";
  EXPECT_EQ(env.count(counter_names::kLateAck), 2);
  other.ack(again.sequence);
  next_answer(other);
  EXPECT_THAT(outlet.committed(), ElementsAre("a", "b"));
}

TEST_F(SparkSinkTest, ABatchOutlivesItsReceiverUntilTheTimeout) {
  start();
  outlet.put_all({"a", "b"});
  {
    SparkTestReceiver killed(port);
    EXPECT_THAT(fetch(killed, 1).bodies(), ElementsAre("a"));
  }
  SparkTestReceiver receiver(port);
  EXPECT_THAT(fetch(receiver).bodies(), ElementsAre("b")) << "it may have been stored, and its ack be on the way";
  clock.advance(seconds(60));
  EXPECT_THAT(fetch(receiver).bodies(), ElementsAre("a", "b")) << "the second one's time is over, too";
}

TEST_F(SparkSinkTest, AnAcknowledgementMayComeOverAnotherConnection) {
  start();
  outlet.put("a");
  std::string sequence;
  {
    SparkTestReceiver receiver(port);
    sequence = fetch(receiver).sequence;
  }
  SparkTestReceiver receiver(port);
  receiver.ack(sequence);
  EXPECT_EQ(next_answer(receiver).error, "");
  EXPECT_THAT(outlet.committed(), ElementsAre("a"));
  receiver.ack(sequence);
  EXPECT_EQ(next_answer(receiver).error, "");
  EXPECT_EQ(env.count(counter_names::kLateAck), 0) << "once more is not too late";
}

TEST_F(SparkSinkTest, NothingIsTakenForAReceiverThatHasGone) {
  start();
  {
    SparkTestReceiver gone(port);
    gone.ask(10);
    ASSERT_TRUE(turn_until([&] { return env.count(counter_names::kBatchEmpty) == 1; }).ok());
  }
  ASSERT_TRUE(testing::eventually([&] { return env.count(counter_names::kConnectionClosed) == 1; }));
  clock.advance(milliseconds(200));
  outlet.put("a");
  ASSERT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_EQ(outlet.waiting(), 1u);
}

TEST_F(SparkSinkTest, WhatCouldNotBeSentGoesBackAtOnce) {
  start();
  outlet.put(std::string(12 << 20, 'x'));
  {
    SparkTestReceiver deaf(port);
    deaf.ask(1);
    ASSERT_TRUE(turn_until([&] { return outlet.leased() == 1; }).ok());
  }
  ASSERT_TRUE(turn_until([&] { return outlet.waiting() == 1; }).ok()) << "the clock stands still";
  EXPECT_EQ(env.count(counter_names::kEventWriteFail), 0);
  SparkTestReceiver receiver(port);
  EXPECT_EQ(fetch(receiver).events[0].body.size(), 12u << 20);
}

TEST_F(SparkSinkTest, AReceiverThatReadsNothingIsLeftAfterTheTimeout) {
  start();
  outlet.put(std::string(12 << 20, 'x'));
  SparkTestReceiver deaf(port);
  deaf.ask(1);
  deaf.ask(1);
  ASSERT_TRUE(turn_until([&] { return outlet.leased() == 1; }).ok());
  // Its memory is the socket's from then on, but for what the socket does not take.
  ASSERT_TRUE(turn_until([&] { return env.count(counter_names::kOpenConnections) == 1; }).ok());
  clock.advance(seconds(60));
  ASSERT_TRUE(turn_until([&] { return env.count(counter_names::kConnectionClosed) == 1; }).ok());
  settle();
  EXPECT_EQ(outlet.waiting(), 1u) << "what its second call was given went back with it";
}

TEST_F(SparkSinkTest, ACallThatWaitsHoldsUpNoAcknowledgementBehindIt) {
  start();
  outlet.put("a");
  SparkTestReceiver receiver(port);
  const std::string sequence = fetch(receiver).sequence;
  const std::int32_t waits = receiver.ask(10);
  const std::int32_t acknowledges = receiver.ack(sequence);
  EXPECT_EQ(next_answer(receiver).serial, acknowledges);
  EXPECT_THAT(outlet.committed(), ElementsAre("a"));
  outlet.put("b");
  clock.advance(milliseconds(200));
  const Answer batch = next_answer(receiver);
  EXPECT_EQ(batch.serial, waits);
  EXPECT_THAT(batch.bodies(), ElementsAre("b"));
}

TEST_F(SparkSinkTest, SeveralThreadsOfSeveralReceiversGetBatchesOfTheirOwn) {
  start();
  outlet.put_all({"a", "b", "c", "d"});
  SparkTestReceiver one(port);
  SparkTestReceiver two(port);
  std::vector<std::string> bodies;
  std::vector<std::string> sequences;
  for (SparkTestReceiver* receiver : {&one, &two}) {
    receiver->ask(1);
    receiver->ask(1);
    for (int i = 0; i < 2; ++i) {
      const Answer batch = next_answer(*receiver);
      ASSERT_EQ(batch.events.size(), 1u);
      bodies.push_back(batch.events[0].body);
      sequences.push_back(batch.sequence);
    }
  }
  EXPECT_THAT(bodies, UnorderedElementsAre("a", "b", "c", "d"));
  for (const std::string& sequence : sequences) {
    two.ack(sequence);
    next_answer(two);
  }
  EXPECT_EQ(outlet.committed().size(), 4u);
}

TEST_F(SparkSinkTest, HandsOutAsManyBatchesAsThreadsSays) {
  start({{"threads", "1"}});
  outlet.put_all({"a", "b"});
  SparkTestReceiver one(port);
  SparkTestReceiver two(port);
  const Answer first = fetch(one, 1);
  two.ask(1);
  settle();
  EXPECT_EQ(outlet.leased(), 1u);
  one.ack(first.sequence);
  next_answer(one);
  EXPECT_THAT(next_answer(two).bodies(), ElementsAre("b"));
}

TEST_F(SparkSinkTest, GathersWhatComesWhileItWaitsForAnEmptyChannel) {
  start({{"backoffInterval", "300"}});
  SparkTestReceiver receiver(port);
  receiver.ask(10);
  ASSERT_TRUE(turn_until([&] { return env.count(counter_names::kBatchEmpty) == 1; }).ok());
  EXPECT_EQ(last_turn.wake_by, clock.steady_now() + milliseconds(300));
  outlet.put("a");
  clock.advance(milliseconds(299));
  ASSERT_TRUE(sink->process(outlet, {}).ok());
  EXPECT_EQ(outlet.waiting(), 1u);
  outlet.put("b");
  clock.advance(milliseconds(1));
  EXPECT_THAT(next_answer(receiver).bodies(), ElementsAre("a", "b"));
}

TEST_F(SparkSinkTest, TellsReceiversWhyTheChannelCantBeRead) {
  start();
  SparkTestReceiver receiver(port);
  outlet.fail_takes({Code::io, "the disk is broken"});
  receiver.ask(10);
  const Status status = turn_until([] { return false; });
  EXPECT_THAT(status.message(), HasSubstr("the disk is broken"));
  const Answer batch = receiver.answer();
  EXPECT_THAT(batch.message, HasSubstr("the disk is broken"));
  EXPECT_EQ(batch.sequence, "");
  outlet.fail_takes({});
  outlet.put("a");
  EXPECT_THAT(fetch(receiver).bodies(), ElementsAre("a"));
}

TEST_F(SparkSinkTest, RefusesABatchOfNoEventsAndMethodsThatDoNotExist) {
  start();
  outlet.put("a");
  SparkTestReceiver receiver(port);
  EXPECT_THAT(fetch(receiver, 0).message, HasSubstr("at least one"));
  EXPECT_THAT(fetch(receiver, -5).message, HasSubstr("at least one"));
  EXPECT_EQ(outlet.waiting(), 1u);
  testing::TcpClient raw(port);
  raw.send(avro_bytes::frame(1, spark_bytes::handshake() + avro_bytes::number(0) + avro_bytes::text("append")));
  testing::AvroBytesReader answer(testing::read_avro_answer(raw).message);
  EXPECT_EQ(answer.raw(6), std::string("\0\0\0\0\0\1", 6)) << "known, and an error";
  EXPECT_EQ(answer.number(), 0);
  EXPECT_EQ(answer.text(), "no such method: append");
}

TEST_F(SparkSinkTest, DisconnectsWhoSpeaksSomethingElseAndNobodyElse) {
  start();
  SparkTestReceiver receiver(port);
  outlet.put("a");
  const std::string sequence = fetch(receiver).sequence;
  testing::TcpClient browser(port);
  browser.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(browser.rest(), "");
  EXPECT_TRUE(env.log.contains("it speaks HTTP"));
  testing::TcpClient large(port);
  large.send(std::string("\0\0\0\1\0\0\0\1\x7f\xff\xff\xff", 12));
  EXPECT_EQ(large.rest(), "");
  testing::TcpClient damaged(port);
  damaged.send(
      avro_bytes::frame(1, spark_bytes::handshake() + avro_bytes::number(0) + avro_bytes::text("ack") + "\xff"));
  EXPECT_EQ(damaged.rest(), "");
  EXPECT_EQ(env.count(counter_names::kConnectionFailed), 3);
  receiver.ack(sequence);
  EXPECT_EQ(next_answer(receiver).error, "");
  EXPECT_THAT(outlet.committed(), ElementsAre("a"));
}

// -- receivers that stand still ---------------------------------------------------------------------------------------

TEST_F(SparkSinkTest, DisconnectsWhoStopsHalfWay) {
  start({{"request-timeout", "20"}});
  SparkTestReceiver silent(port);
  testing::TcpClient half(port);
  half.send(avro_bytes::frame(1, spark_bytes::handshake() + spark_bytes::get_event_batch(5)).substr(0, 30));
  EXPECT_TRUE(left_in_time(half));
  EXPECT_TRUE(env.log.contains("stopped in the middle of a request"));
  testing::TcpClient second(port);
  second.send("x");
  EXPECT_TRUE(left_in_time(second)) << "another one is swept away";
  outlet.put("a");
  EXPECT_THAT(fetch(silent).bodies(), ElementsAre("a")) << "nobody must send anything";
}

TEST_F(SparkSinkTest, WhoReadsNoAnswerIsLeftAndItsBatchGoesBack) {
  start({{"request-timeout", "20"}, {"timeout", "1000000"}});
  outlet.put(std::string(12 << 20, 'x'));
  testing::TcpClient deaf(port);
  deaf.send(avro_bytes::frame(1, spark_bytes::handshake() + spark_bytes::get_event_batch(1)));
  ASSERT_TRUE(turn_until([&] { return outlet.leased() == 1; }).ok());
  ASSERT_TRUE(turn_until([&] {
                clock.advance(milliseconds(5));
                return outlet.waiting() == 1;
              }).ok());
  EXPECT_TRUE(env.log.contains("it has read none of its answers for 20 ms"));
  EXPECT_EQ(env.count(counter_names::kEventWriteFail), 0) << "long before its time was over";
}

/// Each is answered with the protocol's text, and the client reads nothing.
TEST_F(SparkSinkTest, AHandshakeWithoutEndIsLeft) {
  start({{"request-timeout", "20"}});
  testing::TcpClient deaf(port);
  const std::string unknown =
      std::string(16, 'x') + avro_bytes::number(0) + std::string(16, 'y') + avro_bytes::number(0);
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += avro_bytes::frame(i, unknown);
  auto sending = std::async(std::launch::async, [&] {
    int sent = 0;
    while (sent < 1000 && deaf.send(many)) ++sent;
    return sent;
  });
  EXPECT_TRUE(testing::eventually([&] {
    clock.advance(milliseconds(5));
    return sending.wait_for(seconds(0)) == std::future_status::ready;
  }));
  EXPECT_LT(sending.get(), 1000);
  EXPECT_TRUE(env.log.contains("is disconnected"));
}

TEST_F(SparkSinkTest, SpeaksWithReceiversWhoseProtocolItMustBeTold) {
  start();
  outlet.put("a");
  testing::TcpClient receiver(port);
  const std::string hash = "0123456789abcdef";
  const std::string call = spark_bytes::get_event_batch(5);
  receiver.send(avro_bytes::frame(1, hash + std::string(1, '\0') + hash + std::string("\2\0", 2) + call));
  testing::AvroBytesReader asked(testing::read_avro_answer(receiver).message);
  EXPECT_EQ(asked.number(), 2) << "NONE";
  EXPECT_EQ(asked.number(), 1);
  const std::string text = asked.text();
  EXPECT_EQ(text, avro::kSparkProtocolText);
  EXPECT_EQ(asked.number(), 1);
  const std::string server = asked.raw(16);
  receiver.send(avro_bytes::frame(
      2, hash + avro_bytes::number(1) + avro_bytes::text(text) + server + std::string("\2\0", 2) + call));
  std::future<testing::AvroAnswer> answer =
      std::async(std::launch::async, [&] { return testing::read_avro_answer(receiver); });
  ASSERT_TRUE(turn_until([&] { return answer.wait_for(seconds(0)) == std::future_status::ready; }).ok());
  const testing::AvroAnswer batch = answer.get();
  EXPECT_EQ(batch.serial, 2);
  EXPECT_TRUE(batch.message.starts_with(std::string("\0\0\0\0\0\0\0", 7))) << "BOTH, no error, an empty errorMsg";
  EXPECT_THAT(batch.message, HasSubstr("\x02\x61")) << "the body";
}

TEST_F(SparkSinkTest, NamesTheProtocolOfAnAgentThatSendsHere) {
  start();
  testing::TcpClient sender(port);
  const std::string source_hash = "\x86\xaa\xda\xe2\xc4\x54\x74\xc0\xfe\x93\xff\xd0\xf2\x35\x0a\x65";
  sender.send(avro_bytes::frame(1, source_hash + avro_bytes::number(1) + avro_bytes::text(avro::kSourceProtocolText) +
                                       source_hash + std::string("\2\0", 2) + avro_bytes::append({{}, "a"})));
  EXPECT_THAT(testing::read_avro_answer(sender).message, HasSubstr("it is not SparkFlumeProtocol"));
  EXPECT_EQ(sender.rest(), "");
  EXPECT_TRUE(env.log.contains("it is not SparkFlumeProtocol"));
}

TEST_F(SparkSinkTest, HandsOutLargeEventsInSeveralBatches) {
  start();
  const std::string large(9 << 20, 'x');
  outlet.put_all({large, large, "small"});
  SparkTestReceiver receiver(port);
  EXPECT_EQ(fetch(receiver).events.size(), 1u);
  EXPECT_EQ(outlet.waiting(), 2u);
  const Answer rest = fetch(receiver);
  ASSERT_EQ(rest.events.size(), 2u);
  EXPECT_TRUE(rest.events[0].body == large);
}

TEST_F(SparkSinkTest, HandsOutOneBatchHoweverFullTheMemoryIs) {
  start();
  outlet.put_all({"a", "b"});
  env.budget.force_charge(env.budget.limit());
  SparkTestReceiver receiver(port);
  EXPECT_THAT(fetch(receiver, 1).bodies(), ElementsAre("a"));
  receiver.ask(1);
  settle();
  EXPECT_EQ(outlet.leased(), 1u);
  EXPECT_EQ(last_turn.wake_by, clock.steady_now() + milliseconds(20));
  env.budget.release(env.budget.limit());
  clock.advance(milliseconds(20));
  EXPECT_THAT(next_answer(receiver).bodies(), ElementsAre("b"));
}

TEST_F(SparkSinkTest, TellsReceiversThatItStopsAndGivesBackWhatTheyDoNotAcknowledge) {
  start();
  outlet.put_all({"a", "b"});
  SparkTestReceiver holds(port);
  SparkTestReceiver acknowledges(port);
  fetch(holds, 1);
  const Answer second = fetch(acknowledges, 1);
  acknowledges.ask(1);
  ASSERT_TRUE(turn_until([&] { return env.count(counter_names::kBatchEmpty) == 1; }).ok());
  auto stopped = std::async(std::launch::async, [&] { sink->stop(); });
  EXPECT_EQ(acknowledges.answer().message, "Spark sink has been stopped!");
  acknowledges.ack(second.sequence);
  EXPECT_EQ(acknowledges.answer().error, "");
  clock.advance(seconds(1));
  stopped.get();
  EXPECT_THAT(outlet.committed(), ElementsAre("b"));
  EXPECT_EQ(outlet.waiting(), 1u);
  EXPECT_EQ(holds.answer().serial, 0) << "the connection has ended";
  sink->stop();
}

TEST_F(SparkSinkTest, TakesNoAcknowledgementOfAnEarlierRun) {
  start();
  outlet.put("a");
  std::string sequence;
  {
    SparkTestReceiver receiver(port);
    sequence = fetch(receiver).sequence;
  }
  ASSERT_TRUE(testing::eventually([&] { return env.count(counter_names::kConnectionClosed) == 1; }));
  sink->stop();
  start_again();
  SparkTestReceiver receiver(port);
  EXPECT_THAT(fetch(receiver).bodies(), ElementsAre("a"));
  receiver.ack(sequence);
  EXPECT_EQ(next_answer(receiver).error, "");
  EXPECT_THAT(outlet.committed(), IsEmpty());
  EXPECT_EQ(env.count(counter_names::kLateAck), 1);
  EXPECT_TRUE(env.log.contains("names no batch of this sink"));
}

TEST_F(SparkSinkTest, AnAcknowledgementOfABatchThatIsStillToComeSettlesNothing) {
  start();
  outlet.put_all({"a", "b"});
  SparkTestReceiver receiver(port);
  const std::string first = fetch(receiver, 1).sequence;
  receiver.ack(first.substr(0, first.find('-')) + "-2");
  EXPECT_EQ(next_answer(receiver).error, "");
  EXPECT_EQ(env.count(counter_names::kLateAck), 1);
  EXPECT_THAT(fetch(receiver, 1).bodies(), ElementsAre("b"));
  EXPECT_THAT(outlet.committed(), IsEmpty());
}

TEST_F(SparkSinkTest, SaysThatItsPortIsTaken) {
  start();
  const auto settings = Settings::parse(*kSparkSink.info, {{"hostname", "127.0.0.1"}, {"port", std::to_string(port)}});
  auto second = kSparkSink.create(*settings, env.environment).value();
  const Status status = second->start();
  EXPECT_EQ(status.code(), Code::unavailable);
  EXPECT_THAT(status.message(), HasSubstr(std::to_string(port)));
  second->stop();
}

}  // namespace
}  // namespace standpipe

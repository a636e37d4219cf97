#include "support/spark_receiver.h"

#include <gtest/gtest.h>

namespace standpipe::testing {

namespace spark_bytes {

using avro_bytes::number;
using avro_bytes::text;

std::string handshake() {
  const std::string hash = "\x45\xf3\xc2\xc4\xaa\x53\x24\x4c\xea\xac\xda\x67\x31\xde\xdf\xfb";
  return hash + number(0) + hash + number(1) + number(0);
}

std::string get_event_batch(std::int32_t events) { return number(0) + text("getEventBatch") + number(events); }
std::string ack(std::string_view sequence) { return number(0) + text("ack") + text(sequence); }
std::string nack(std::string_view sequence) { return number(0) + text("nack") + text(sequence); }

}  // namespace spark_bytes

namespace {

void read_batch(AvroBytesReader& reader, SparkTestReceiver::Answer& answer) {
  answer.message = reader.text();
  answer.sequence = reader.text();
  for (std::int64_t count = reader.number(); count > 0; count = reader.number()) {
    for (; count > 0; --count) {
      SentEvent& event = answer.events.emplace_back();
      for (std::int64_t headers = reader.number(); headers > 0; headers = reader.number()) {
        for (; headers > 0; --headers) {
          const std::string name = reader.text();
          event.headers.set(name, reader.text());
        }
      }
      event.body = reader.text();
    }
  }
}

}  // namespace

std::vector<std::string> SparkTestReceiver::Answer::bodies() const {
  std::vector<std::string> result;
  for (const SentEvent& event : events) result.push_back(event.body);
  return result;
}

std::int32_t SparkTestReceiver::send(const std::string& call, bool fetches) {
  const std::string front = sent_ == 0 ? spark_bytes::handshake() : "";
  open_[++sent_] = fetches;
  client_.send(avro_bytes::frame(sent_, front + call));
  return sent_;
}

SparkTestReceiver::Answer SparkTestReceiver::answer() {
  AvroAnswer read = read_avro_answer(client_);
  Answer answer{.serial = read.serial, .error = {}, .message = {}, .sequence = {}, .events = {}};
  if (read.message.empty()) return answer;
  AvroBytesReader reader(std::move(read.message));
  if (!greeted_) {
    EXPECT_EQ(reader.number(), 0) << "not both sides know the protocol";
    for (int i = 0; i < 3; ++i) EXPECT_EQ(reader.number(), 0) << "no text, no hash, no meta";
    greeted_ = true;
  }
  EXPECT_EQ(reader.number(), 0) << "the call's meta map";
  const bool failed = reader.raw(1) == std::string(1, '\1');
  const auto call = open_.find(answer.serial);
  if (call == open_.end()) {
    ADD_FAILURE() << "an answer to no open call: " << answer.serial;
    return answer;
  }
  const bool fetched = call->second;
  open_.erase(call);
  if (failed) {
    EXPECT_EQ(reader.number(), 0) << "not an error of every method";
    answer.error = reader.text();
  } else if (fetched) {
    read_batch(reader, answer);
  }
  EXPECT_TRUE(reader.at_end()) << "more than an answer";
  return answer;
}

}  // namespace standpipe::testing

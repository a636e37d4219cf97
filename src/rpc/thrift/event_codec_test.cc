#include <gtest/gtest.h>

#include "rpc/thrift/event_decoder.h"
#include "rpc/thrift/event_encoder.h"
#include "rpc/thrift/frame_reader.h"
#include "rpc/thrift/message.h"
#include "support/test_outlet.h"
#include "support/thrift_client.h"
#include "support/thrift_reader.h"

namespace standpipe::thrift {
namespace {

class ThriftEventsTest : public ::testing::TestWithParam<Protocol> {
 protected:
  /// What a receiver makes of an encoded request.
  Batch decode(const EncodedRequest& request) {
    Reader reader(request.bytes.substr(kFrameHead), protocol);
    MessageHead head;
    EXPECT_TRUE(reader.get_message(head));
    EXPECT_EQ(head.name, kAppendBatch);
    Batch batch;
    EventDecoder decoder;
    const Status status = decoder.append_batch(reader, batch);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(reader.remaining(), 0u);
    return batch;
  }
  Status decode_batch(const std::string& message, EventLimits limits, Batch& batch) {
    Reader reader(message, protocol);
    MessageHead head;
    EXPECT_TRUE(reader.get_message(head));
    return EventDecoder(limits).append_batch(reader, batch);
  }

  const Protocol protocol = GetParam();
  const testing::ThriftBytes bytes{GetParam() == Protocol::compact};
};

INSTANTIATE_TEST_SUITE_P(Protocols, ThriftEventsTest, ::testing::Values(Protocol::compact, Protocol::binary),
                         [](const auto& tested) { return tested.param == Protocol::compact ? "Compact" : "Binary"; });

TEST_P(ThriftEventsTest, SurviveTheWire) {
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes += static_cast<char>(i);
  Headers many;
  for (int i = 0; i < 1000; ++i) many.set("name " + std::to_string(i), std::string(static_cast<std::size_t>(i), 'v'));
  testing::TestOutlet outlet;
  outlet.put("");
  outlet.put(all_bytes, {{"größe", "日本"}, {"empty", ""}, {"", "no name"}});
  outlet.put(std::string(10 << 20, '\xfe'), many);
  outlet.put_all({"one", "two", "three"}, {{"k", "v"}});
  const Lease lease = outlet.take(100).value();
  MemoryBudget budget(64 << 20);
  const RequestExtent extent = measure_batch(lease, protocol, 1 << 30);
  EXPECT_EQ(extent.events, lease.size());
  const EncodedRequest request = encode_batch(lease, protocol, extent, 17, budget, false);
  ASSERT_NE(request.slab, nullptr);
  EXPECT_LE(extent.bytes - request.bytes.size(), 64u);
  const Batch batch = decode(request);
  ASSERT_EQ(batch.size(), lease.size());
  for (std::size_t i = 0; i < lease.size(); ++i) {
    EXPECT_TRUE(batch[i].body == lease[i].body) << i;
    EXPECT_EQ(*batch[i].headers, *lease[i].headers) << i;
  }
  EXPECT_EQ(batch[3].headers, batch[5].headers);
  EXPECT_EQ(batch[5].body.data() + 5 + 2, request.bytes.data() + request.bytes.size())
      << "bodies are slices of the message";
}

TEST_P(ThriftEventsTest, AreWrittenAsOthersReadThem) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{14}, std::size_t{15}, std::size_t{300}}) {
    testing::TestOutlet outlet;
    for (std::size_t i = 0; i < count; ++i) {
      outlet.put(std::string(i, 'b'),
                 i % 3 == 0 ? Headers{} : Headers{{"n", std::to_string(i)}, {"k", std::string(200, 'v')}});
    }
    const Lease lease = outlet.take(count).value();
    MemoryBudget budget(64 << 20);
    const RequestExtent extent = measure_batch(lease, protocol, 1 << 30);
    const EncodedRequest request = encode_batch(lease, protocol, extent, 100'000, budget, false);
    testing::ThriftReader reader(bytes.compact(), std::string(request.bytes.substr(kFrameHead)));
    const auto head = reader.head();
    EXPECT_EQ(head.name, "appendBatch");
    EXPECT_EQ(head.type, 1);
    EXPECT_EQ(head.serial, 100'000u);
    reader.need_field(1, 0, 15);
    ASSERT_EQ(reader.list_of_structures(), count);
    for (std::size_t i = 0; i < count; ++i) {
      const testing::SentEvent event = reader.event();
      EXPECT_EQ(event.body, lease[i].body);
      EXPECT_EQ(event.headers, *lease[i].headers);
    }
    reader.need_end();
    EXPECT_TRUE(reader.at_end());
  }
}

TEST_P(ThriftEventsTest, AFullBudgetIsSaidAndCanBeForced) {
  testing::TestOutlet outlet;
  outlet.put(std::string(1000, 'x'));
  const Lease lease = outlet.take(1).value();
  MemoryBudget budget(500);
  const RequestExtent extent = measure_batch(lease, protocol, 1 << 20);
  EXPECT_EQ(encode_batch(lease, protocol, extent, 1, budget, false).slab, nullptr);
  EXPECT_NE(encode_batch(lease, protocol, extent, 1, budget, true).slab, nullptr);
}

TEST_P(ThriftEventsTest, LargeOnesAreSentInParts) {
  testing::TestOutlet outlet;
  for (int i = 0; i < 10; ++i) outlet.put(std::string(1000, 'x'));
  const Lease lease = outlet.take(10).value();
  MemoryBudget budget(64 << 20);
  const RequestExtent some = measure_batch(lease, protocol, 3500);
  EXPECT_EQ(some.events, 3u);
  EXPECT_LE(some.bytes, 3500u);
  EXPECT_EQ(decode(encode_batch(lease, protocol, some, 1, budget, false)).size(), 3u);
  EXPECT_EQ(measure_batch(lease, protocol, 10).events, 1u) << "one that is larger alone is sent alone";
}

TEST_P(ThriftEventsTest, TakesFieldsInAnyOrderAndTheLastOfEqualHeaders) {
  std::string headers = bytes.compact() ? bytes.count(3) + '\x88' : "\x0b\x0b" + bytes.count(3);
  for (const char* text : {"b", "1", "a", "2", "b", "3"}) headers += bytes.text(text);
  const std::string event = bytes.field(2, 0, 11) + bytes.text("body") +
                            (bytes.compact() ? std::string("\x0b\x02") : bytes.field(1, 0, 13)) + headers + '\0';
  const std::string call = bytes.head(1, "append", 1) + bytes.field(1, 0, 12) + event + '\0';
  Reader whole(call, protocol);
  MessageHead head;
  ASSERT_TRUE(whole.get_message(head));
  Batch batch;
  const Status status = EventDecoder().append(whole, batch);
  ASSERT_TRUE(status.ok()) << status.message();
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(std::as_const(batch)[0].body, "body");
  EXPECT_EQ(*std::as_const(batch)[0].headers, (Headers{{"a", "2"}, {"b", "3"}}));
}

TEST_P(ThriftEventsTest, EndsAtEveryCut) {
  const std::string call = bytes.append_batch({{{{"k", "v"}}, "a"}, {{{"k", "v"}}, "b"}, {{}, ""}}, 1);
  const std::size_t head_size = bytes.head(1, "appendBatch", 1).size();
  for (std::size_t size = head_size; size <= call.size(); ++size) {
    Batch batch;
    const Status status = decode_batch(call.substr(0, size), {}, batch);
    EXPECT_EQ(status.ok(), size == call.size()) << size;
    if (size < call.size()) {
      EXPECT_EQ(status.code(), Code::corrupt) << size;
    }
  }
}

TEST_P(ThriftEventsTest, KeepsWithinLimits) {
  std::vector<testing::SentEvent> events;
  for (int i = 0; i < 3; ++i) events.push_back({{{std::to_string(i), ""}, {"x", ""}}, ""});
  const std::string three = bytes.append_batch(events, 1);
  const auto refused = [&](EventLimits limits) {
    Batch batch;
    return decode_batch(three, limits, batch).message();
  };
  EXPECT_EQ(refused({.events = 2}), "more than 2 events in one request");
  EXPECT_EQ(refused({.headers = 1}), "more than 1 headers in one event");
  EXPECT_EQ(refused({.headers_in_all = 5}), "more than 5 headers in one request");
}

TEST_P(ThriftEventsTest, RefusesOtherTypesAndRepetitions) {
  const std::string head = bytes.head(1, "appendBatch", 1);
  const std::string list = bytes.field(1, 0, 15) + bytes.events({{{}, "a"}});
  Batch batch;
  const std::string again = bytes.compact() ? std::string("\x09\x02") : bytes.field(1, 0, 15);
  EXPECT_EQ(decode_batch(head + list + again + bytes.events({{{}, "b"}}) + '\0', {}, batch).code(), Code::corrupt);
  const std::string numbers = bytes.compact() ? "\x15\x02" : "\x08" + bytes.count(1) + bytes.number(1);
  Batch other;
  EXPECT_EQ(decode_batch(head + bytes.field(1, 0, 15) + numbers + '\0', {}, other).code(), Code::corrupt);
}

}  // namespace
}  // namespace standpipe::thrift

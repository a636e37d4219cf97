#include <gtest/gtest.h>

#include "rpc/avro/event_decoder.h"
#include "rpc/avro/event_encoder.h"
#include "rpc/avro/frame_reader.h"
#include "rpc/avro/message.h"
#include "support/test_outlet.h"

namespace standpipe::avro {
namespace {

struct Decoded {
  std::string method;
  Batch batch;
};

/// What a receiver makes of an encoded request.
Decoded decode(const EncodedRequest& request) {
  Decoded decoded;
  DatumReader reader(request.bytes.substr(kFrameHead));
  std::string_view method;
  EXPECT_TRUE(get_call(reader, method));
  decoded.method = method;
  EventDecoder decoder;
  const Status status = decoder.append_batch(reader, decoded.batch);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(reader.remaining(), 0u);
  return decoded;
}

Status decode_batch(const std::string& datum, EventLimits limits, Batch& batch) {
  DatumReader reader(datum);
  return EventDecoder(limits).append_batch(reader, batch);
}

TEST(AvroEvents, SurviveTheWire) {
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
  const RequestExtent extent = measure_batch(lease, 1 << 30);
  EXPECT_EQ(extent.events, lease.size());
  const EncodedRequest request = encode_batch(lease, extent, 17, budget, false);
  ASSERT_NE(request.slab, nullptr);
  EXPECT_EQ(request.bytes.size(), extent.bytes);
  EXPECT_EQ(budget.used(), request.bytes.size());
  const Decoded decoded = decode(request);
  EXPECT_EQ(decoded.method, "appendBatch");
  ASSERT_EQ(decoded.batch.size(), lease.size());
  for (std::size_t i = 0; i < lease.size(); ++i) {
    EXPECT_TRUE(decoded.batch[i].body == lease[i].body) << i;
    EXPECT_EQ(*decoded.batch[i].headers, *lease[i].headers) << i;
  }
  EXPECT_EQ(decoded.batch[3].headers, decoded.batch[5].headers);
  EXPECT_EQ(static_cast<const void*>(decoded.batch[5].body.data() + 6), request.bytes.data() + request.bytes.size())
      << "bodies are slices of the message";
}

TEST(AvroEvents, AFullBudgetIsSaidAndCanBeForced) {
  testing::TestOutlet outlet;
  outlet.put(std::string(1000, 'x'));
  const Lease lease = outlet.take(1).value();
  MemoryBudget budget(500);
  const RequestExtent extent = measure_batch(lease, 1 << 20);
  EXPECT_EQ(encode_batch(lease, extent, 1, budget, false).slab, nullptr);
  EXPECT_NE(encode_batch(lease, extent, 1, budget, true).slab, nullptr);
}

TEST(AvroEvents, LargeOnesAreSentInParts) {
  testing::TestOutlet outlet;
  for (int i = 0; i < 10; ++i) outlet.put(std::string(1000, 'x'));
  const Lease lease = outlet.take(10).value();
  MemoryBudget budget(64 << 20);
  const RequestExtent some = measure_batch(lease, 3500);
  EXPECT_EQ(some.events, 3u);
  EXPECT_LE(some.bytes, 3500u);
  EXPECT_EQ(decode(encode_batch(lease, some, 1, budget, false)).batch.size(), 3u);
  EXPECT_EQ(measure_batch(lease, 10).events, 1u) << "one that is larger alone is sent alone";
}

TEST(AvroEvents, ReadsSeveralBlocksAndSizesOfBlocks) {
  std::string datum;
  put_long(datum, -1);
  std::string event;
  put_long(event, -1);
  put_long(event, 4);
  event += "\x02k\x02v";
  put_long(event, 1);
  event += "\x02j\x02w";
  put_long(event, 0);
  put_bytes(event, "body");
  put_long(datum, static_cast<std::int64_t>(event.size()));
  datum += event;
  put_long(datum, 2);
  put_event(datum, {}, "b");
  put_event(datum, {}, "c");
  put_long(datum, 0);
  Batch batch;
  ASSERT_TRUE(decode_batch(datum, {}, batch).ok());
  ASSERT_EQ(batch.size(), 3u);
  EXPECT_EQ(*std::as_const(batch)[0].headers, (Headers{{"j", "w"}, {"k", "v"}}));
  EXPECT_TRUE(std::as_const(batch)[1].headers->empty());
  EXPECT_EQ(std::as_const(batch)[2].body, "c");
}

TEST(AvroEvents, OfARepeatedHeaderTheLastValueCounts) {
  std::string datum;
  put_long(datum, 1);
  put_long(datum, 3);
  for (const char* text : {"b", "1", "a", "2", "b", "3"}) put_bytes(datum, text);
  put_long(datum, 0);
  put_bytes(datum, "");
  put_long(datum, 0);
  Batch batch;
  ASSERT_TRUE(decode_batch(datum, {}, batch).ok());
  EXPECT_EQ(*std::as_const(batch)[0].headers, (Headers{{"a", "2"}, {"b", "3"}}));
}

TEST(AvroEvents, KeepsWithinLimits) {
  std::string claims;
  put_long(claims, std::int64_t{1} << 40);
  Batch batch;
  EXPECT_NE(decode_batch(claims, {}, batch).message().find("more than 1048576 events"), std::string::npos);

  std::string more;
  put_long(more, 1'000'000);  // within the limit, and not in these bytes
  EXPECT_EQ(decode_batch(more, {}, batch).message(), "the bytes are no Flume events");

  std::string three;
  put_long(three, 3);
  for (int i = 0; i < 3; ++i) put_event(three, Headers{{std::to_string(i), ""}, {"x", ""}}, "");
  put_long(three, 0);
  Batch other;
  EXPECT_NE(decode_batch(three, {.events = 2}, other).message().find("more than 2 events"), std::string::npos);
  Batch third;
  EXPECT_NE(decode_batch(three, {.headers = 1}, third).message().find("more than 1 headers in one event"),
            std::string::npos);
  Batch fourth;
  EXPECT_NE(decode_batch(three, {.headers_in_all = 5}, fourth).message().find("more than 5 headers in one request"),
            std::string::npos);
}

}  // namespace
}  // namespace standpipe::avro

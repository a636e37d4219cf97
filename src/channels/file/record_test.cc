#include "channels/file/record.h"

#include <cstring>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channels/file/record_scan.h"
#include "channels/file/segment_format.h"
#include "channels/file/snapshot.h"
#include "support/engine_parts.h"

namespace standpipe::file_channel {
namespace {

using ::testing::ElementsAre;

constexpr std::uint32_t kSeed = 77;

std::string record_of(const Batch& batch, std::uint64_t first, std::uint32_t synced = 0) {
  MemoryBudget budget(1 << 30);
  EncodedPut put(batch, Form::clear, budget);
  return std::string(put.seal(first, kSeed, synced));
}

/// Bodies of all that was read, with their numbers: "7=abc".
std::vector<std::string> events_of(const Scan& scan) {
  std::vector<std::string> result;
  for (const Run& run : scan.runs) {
    for (std::size_t i = 0; i < run.count; ++i) {
      result.push_back(std::to_string(run.first + i) + "=" + std::string(scan.batch[run.at + i].body));
    }
  }
  return result;
}

Scan scan(const std::string& bytes, bool last = true) {
  auto slab = Slab::make(bytes.size());
  std::memcpy(slab->data(), bytes.data(), bytes.size());
  return scan_records(slab, {.bytes = {slab->data(), bytes.size()}, .seed = kSeed, .last = last});
}

Batch small_batch(std::vector<std::string> bodies) {
  Batch batch;
  const auto block = batch.add_headers({{"k", "v"}, {"empty", ""}});
  bool with_headers = true;
  for (const std::string& body : bodies) {
    batch.add_copy(body, with_headers ? block : Batch::kNoHeaders);
    with_headers = !with_headers;
  }
  return batch;
}

TEST(Record, WhatWasWrittenIsRead) {
  const std::string bytes =
      record_of(small_batch({"a", "", "ccc"}), 5) + record_of(small_batch({std::string("\0x", 2)}), 8);
  EXPECT_EQ(bytes.size() % kRecordAlignment, 0u);
  const Scan found = scan(bytes);
  EXPECT_THAT(events_of(found), ElementsAre("5=a", "6=", "7=ccc", std::string("8=\0x", 4)));
  EXPECT_EQ(found.runs.size(), 1u) << "numbers that follow each other are one run";
  EXPECT_EQ(*found.batch[0].headers, (Headers{{"k", "v"}, {"empty", ""}}));
  EXPECT_TRUE(found.batch[1].headers->empty());
  EXPECT_EQ(found.batch[0].headers, found.batch[2].headers) << "equal headers share a block";
  EXPECT_EQ(found.used, bytes.size());
  EXPECT_EQ(found.end, bytes.size());
  EXPECT_EQ(found.next, 9u);
  EXPECT_TRUE(found.damages.empty());
}

TEST(Record, ALargePutBecomesSeveralRecords) {
  Batch batch;
  for (int i = 0; i < 30; ++i) batch.add_copy(std::string(100'000, static_cast<char>('a' + i % 26)));
  const std::string bytes = record_of(batch, 100);
  const auto first = parse_record_header(bytes, kSeed);
  ASSERT_TRUE(first.has_value());
  EXPECT_LT(first->length, kRecordTarget + 10'000);
  const Scan found = scan(bytes);
  ASSERT_EQ(found.batch.size(), 30u);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(found.batch[i].body, batch[i].body);
  EXPECT_EQ(found.runs.size(), 1u);
}

TEST(Record, ARecordThatIsNotAllThereIsAskedFor) {
  const std::string bytes = record_of(small_batch({"first", "second"}), 1) + record_of(small_batch({"third"}), 3);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Scan part = scan(bytes.substr(0, size), false);
    EXPECT_TRUE(part.damages.empty()) << size;
    if (part.used == 0) {
      EXPECT_GT(part.wanted, size);
    }
    const Scan rest = scan(bytes.substr(part.used), false);
    EXPECT_EQ(part.batch.size() + rest.batch.size(), 3u) << size;
  }
}

TEST(Record, BytesOfAnotherSegmentDoNotCheck) {
  const std::string bytes = record_of(small_batch({"x"}), 1);
  EXPECT_FALSE(parse_record_header(bytes, kSeed + 1).has_value());
}

/// Every bit of a row of records: only events whose own bytes were hit are missing, and each is reported.
TEST(Record, AFlippedBitCostsOnlyTheEventItIsIn) {
  Batch three = small_batch({"first body", "second body", "third body"});
  const std::string before = record_of(small_batch({"before"}), 1);
  const std::string middle = record_of(three, 2);
  const std::string after = record_of(small_batch({"after"}), 5);
  const std::string good = before + middle + after;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const Scan found = scan(bytes);
    const std::size_t at = bit / 8;
    const bool in_middle = at >= before.size() && at < before.size() + middle.size();
    std::size_t lost = 3 + 2 - found.batch.size();
    if (in_middle) {
      const std::size_t headers_at = before.size() + kRecordHeader + 8 + 3 * 12;
      const std::size_t bodies_at = middle.find("first body") + before.size();
      const bool in_headers = at >= headers_at && at < bodies_at;
      const bool in_bodies = at >= bodies_at && at < bodies_at + 31;
      EXPECT_EQ(lost, in_headers ? 2u : in_bodies ? 1u : 0u) << "byte " << at;
    } else {
      EXPECT_LE(lost, 1u) << "byte " << at;
    }
    if (lost > 0) {
      EXPECT_FALSE(found.damages.empty()) << "byte " << at;
    }
    for (std::size_t i = 0; i < found.batch.size(); ++i) {
      EXPECT_NE(good.find(found.batch[i].body), std::string::npos) << "an invented event at byte " << at;
    }
  }
}

TEST(Record, ZeroedAndCutStretchesLoseNothingElse) {
  const std::string a = record_of(small_batch({"aaaa", "aaab"}), 1);
  const std::string b = record_of(small_batch({"bbbb", "bbbc"}), 3);
  const std::string c = record_of(small_batch({"cccc", "cccd"}), 5);
  std::string zeroed = a + std::string(b.size(), '\0') + c;
  EXPECT_THAT(events_of(scan(zeroed)), ElementsAre("1=aaaa", "2=aaab", "5=cccc", "6=cccd"));
  for (std::size_t cut = 0; cut < c.size(); ++cut) {
    const Scan found = scan(a + b + c.substr(0, cut));
    ASSERT_GE(found.batch.size(), 4u) << cut;
    EXPECT_EQ(found.end, cut < kRecordHeader ? a.size() + b.size() : a.size() + b.size() + cut);
  }
}

TEST(Record, ZerosBehindTheLastRecordAreItsEnd) {
  const std::string record = record_of(small_batch({"x"}), 1);
  const Scan found = scan(record + std::string(10'000, '\0'));
  EXPECT_TRUE(found.damages.empty());
  EXPECT_EQ(found.end, record.size());
  EXPECT_EQ(scan(record + std::string(64, 'y')).damages.size(), 1u);
}

TEST(Record, NumbersThatWereThereBeforeAreNotReadTwice) {
  const std::string one = record_of(small_batch({"one"}), 1);
  const std::string two = record_of(small_batch({"two"}), 2);
  EXPECT_THAT(events_of(scan(one + two + one)), ElementsAre("1=one", "2=two"));
}

TEST(SegmentFormat, TheHeaderComesBackAndEveryFlippedBitIsSeen) {
  const SegmentHeader header{
      .channel_id = 1, .segment_id = 2, .first = 3, .made_ms = 4, .size = 5, .previous_id = 6, .previous_end = 7};
  const std::string bytes = format_segment_header(header);
  ASSERT_EQ(bytes.size(), kSegmentHeader);
  EXPECT_EQ(parse_segment_header(bytes).value(), header);
  for (std::size_t bit = 0; bit < kSegmentHeaderUsed * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(parse_segment_header(damaged).status().code(), Code::corrupt) << bit;
  }
}

TEST(SegmentFormat, Names) {
  EXPECT_EQ(segment_name(42), "segment-000000000000002a");
  EXPECT_EQ(parse_segment_name("segment-000000000000002a"), 42u);
  for (const char* other :
       {"segment-2a", "segment-", "log-1", "segment-000000000000002a.tmp", "segment-00000000000000zz"}) {
    EXPECT_FALSE(parse_segment_name(other).has_value()) << other;
  }
}

TEST(SnapshotFormat, ComesBackAndEveryFlippedBitIsSeen) {
  const Snapshot snapshot{.channel_id = 9,
                          .generation = 8,
                          .next = 700,
                          .gone = {{0, 10}, {20, 30}},
                          .directories = {{"/data/1", {{1, 0, 5000}, {2, 40, 4096}}}, {"/data/22", {}}}};
  const std::string bytes = format_snapshot(snapshot);
  EXPECT_EQ(parse_snapshot(bytes).value(), snapshot);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(parse_snapshot(damaged).ok()) << bit;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(parse_snapshot(bytes.substr(0, size)).ok());
}

TEST(ConsumedFormat, AFlippedBitCostsOneRecord) {
  const std::vector<Range> first = {{1, 5}};
  const std::vector<Range> second = {{9, 12}, {20, 21}};
  const std::string good =
      format_consumed_header(3, 4) + format_consumed_record(3, 4, first) + format_consumed_record(3, 4, second);
  const auto whole = parse_consumed(good, 3, 4).value();
  EXPECT_THAT(whole.ranges, ElementsAre(Range{1, 5}, Range{9, 12}, Range{20, 21}));
  EXPECT_FALSE(whole.damaged);
  EXPECT_TRUE(parse_consumed(good, 3, 5).value().ranges.empty()) << "of another generation";
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const auto found = parse_consumed(damaged, 3, 4).value();
    EXPECT_TRUE(found.damaged) << bit;
    for (const Range& range : found.ranges) EXPECT_TRUE(range == first[0] || range == second[0] || range == second[1]);
    EXPECT_GE(found.ranges.size(), 1u) << bit;
  }
}

}  // namespace
}  // namespace standpipe::file_channel

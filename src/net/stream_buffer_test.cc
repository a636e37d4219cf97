#include "net/stream_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace standpipe {
namespace {

void put(StreamBuffer& buffer, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = buffer.room();
    ASSERT_FALSE(room.empty());
    const std::size_t size = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), size);
    buffer.filled(size);
    bytes.remove_prefix(size);
  }
}

TEST(StreamBuffer, KeepsWhatIsNotTaken) {
  MemoryBudget budget(1 << 20);
  StreamBuffer buffer(budget);
  put(buffer, "one\ntw");
  const StreamBuffer::Part part = buffer.take(4);
  EXPECT_EQ(part.bytes, "one\n");
  EXPECT_EQ(buffer.unread(), "tw");
  put(buffer, "o\n");
  EXPECT_EQ(buffer.take(4).bytes, "two\n");
  EXPECT_EQ(part.bytes, "one\n");
}

TEST(StreamBuffer, PinsNoLargeSlabForFewBytes) {
  MemoryBudget budget(1 << 20);
  StreamBuffer buffer(budget);
  put(buffer, "hello\n");
  const StreamBuffer::Part part = buffer.take(6);
  buffer.release_if_empty();
  EXPECT_EQ(budget.used(), 6u);
}

TEST(StreamBuffer, CopiesNothingOfAFlood) {
  MemoryBudget budget(8 << 20);
  StreamBuffer buffer(budget);
  std::vector<StreamBuffer::Part> parts;
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const std::span<char> room = buffer.room();
    std::memset(room.data(), 'a' + i % 26, room.size());
    expected.append(room.data(), room.size());
    const char* where = room.data();
    buffer.filled(room.size());
    parts.push_back(buffer.take(room.size()));
    EXPECT_EQ(parts.back().bytes.data(), where);
    if (expected.size() > (4u << 20)) break;
  }
  std::string taken;
  for (const auto& part : parts) taken += part.bytes;
  EXPECT_EQ(taken, expected);
  EXPECT_LT(parts.size(), 40u) << "slabs did not grow with the stream";
}

TEST(StreamBuffer, CarriesALongRecordOverManySlabs) {
  MemoryBudget budget(64 << 20);
  StreamBuffer buffer(budget);
  std::string record;
  for (int i = 0; i < 3'000'000; ++i) record.push_back(static_cast<char>('a' + i % 23));
  put(buffer, record);
  EXPECT_EQ(buffer.unread(), record);
}

TEST(StreamBuffer, SaysThatTheBudgetHasNoRoom) {
  MemoryBudget budget(1000);
  StreamBuffer buffer(budget);
  EXPECT_TRUE(buffer.room().empty());
}

TEST(StreamBuffer, GivesEverythingBack) {
  MemoryBudget budget(1 << 20);
  {
    StreamBuffer buffer(budget);
    put(buffer, "x");
    buffer.release_if_empty();
    EXPECT_GT(budget.used(), 0u);
    const auto part = buffer.take(1);
    buffer.release_if_empty();
    EXPECT_EQ(budget.used(), 1u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(StreamBuffer, GrowsTowardsAnExpectedRecordWithWhatArrives) {
  MemoryBudget budget(64 << 20);
  StreamBuffer buffer(budget);
  put(buffer, std::string(100, 'x'));
  buffer.expect(8 << 20);
  ASSERT_FALSE(buffer.room().empty());
  EXPECT_LT(budget.used(), 64u << 10) << "a claim alone costs next to nothing";
  std::size_t moves = 0;
  const char* where = buffer.unread().data();
  while (buffer.unread().size() < (8 << 20)) {
    put(buffer, std::string(1000, 'y'));
    if (buffer.unread().data() != where) ++moves;
    where = buffer.unread().data();
  }
  EXPECT_LT(moves, 12u);
  EXPECT_LE(budget.used(), 16u << 20);
  const auto part = buffer.take(8 << 20);
  EXPECT_EQ(part.bytes.data(), where) << "it was copied";
}

}  // namespace
}  // namespace standpipe

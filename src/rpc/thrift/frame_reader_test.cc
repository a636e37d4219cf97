#include "rpc/thrift/frame_reader.h"

#include <gtest/gtest.h>

#include <cstring>

namespace standpipe::thrift {
namespace {

class ThriftFrameTest : public ::testing::Test {
 protected:
  void read(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::span<char> room = buffer.room();
      ASSERT_FALSE(room.empty());
      const std::size_t size = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), size);
      buffer.filled(size);
      bytes.remove_prefix(size);
    }
  }
  std::vector<std::string> take() {
    std::vector<std::string_view> messages;
    const StreamBuffer::Part part = frames.take(buffer, messages);
    return {messages.begin(), messages.end()};
  }

  static std::string frame(const std::string& message) {
    std::string bytes(kFrameHead, '\0');
    write_frame_head(bytes.data(), static_cast<std::uint32_t>(message.size()));
    return bytes + message;
  }

  MemoryBudget budget{64 << 20};
  StreamBuffer buffer{budget};
  FrameReader frames{1000};
};

TEST_F(ThriftFrameTest, FindsWholeOnes) {
  read(frame("one") + frame("two") + frame("three").substr(0, 6));
  ASSERT_TRUE(frames.scan(buffer).ok());
  EXPECT_EQ(take(), (std::vector<std::string>{"one", "two"}));
  ASSERT_TRUE(frames.scan(buffer).ok());
  EXPECT_FALSE(frames.found());
  read("ree");
  ASSERT_TRUE(frames.scan(buffer).ok());
  EXPECT_EQ(take(), std::vector<std::string>{"three"});
  buffer.release_if_empty();
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(ThriftFrameTest, FindsThemByteByByte) {
  const std::string bytes = frame("hello") + frame(std::string(900, 'x'));
  std::vector<std::string> found;
  for (const char byte : bytes) {
    read(std::string(1, byte));
    ASSERT_TRUE(frames.scan(buffer).ok());
    if (frames.found()) found.push_back(take().at(0));
  }
  EXPECT_EQ(found, (std::vector<std::string>{"hello", std::string(900, 'x')}));
}

TEST_F(ThriftFrameTest, TakesAMeasureAtATime) {
  std::string bytes;
  for (std::size_t i = 0; i < 100; ++i) bytes += frame("x");
  read(bytes);
  ASSERT_TRUE(frames.scan(buffer).ok());
  EXPECT_TRUE(frames.more());
  EXPECT_EQ(take().size(), FrameReader::kFramesAtOnce);
  ASSERT_TRUE(frames.scan(buffer).ok());
  EXPECT_FALSE(frames.more());
  EXPECT_EQ(take().size(), 100 - FrameReader::kFramesAtOnce);
}

TEST_F(ThriftFrameTest, RefusesTooLargeAndEmptyOnesAndKeepsThoseBefore) {
  read(frame("good") + frame(std::string(997, 'x')));
  EXPECT_EQ(frames.scan(buffer).message(), "a Thrift frame of 1001 bytes; the limit is 1000");
  EXPECT_EQ(take(), std::vector<std::string>{"good"});
  FrameReader others(1000);
  StreamBuffer empty(budget);
  std::memset(empty.room().data(), 0, 4);
  empty.filled(4);
  EXPECT_EQ(others.scan(empty).code(), Code::corrupt);
}

TEST_F(ThriftFrameTest, AClaimAloneCostsNothing) {
  FrameReader patient(1u << 30);
  std::string claim(kFrameHead, '\0');
  write_frame_head(claim.data(), 1 << 29);
  read(claim + "some");
  ASSERT_TRUE(patient.scan(buffer).ok());
  EXPECT_FALSE(buffer.room().empty());
  EXPECT_LT(budget.used(), 64u << 10);
}

}  // namespace
}  // namespace standpipe::thrift

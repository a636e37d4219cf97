#include "rpc/avro/frame_reader.h"

#include <cstring>
#include <string>

#include <gmock/gmock.h>

namespace standpipe::avro {
namespace {

using ::testing::ElementsAre;

/// A frame of several buffers, as Java writes it.
std::string frame(std::int32_t serial, const std::vector<std::string>& buffers) {
  const auto word = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
    return bytes;
  };
  std::string bytes = word(static_cast<std::uint32_t>(serial)) + word(static_cast<std::uint32_t>(buffers.size()));
  for (const std::string& buffer : buffers) bytes += word(static_cast<std::uint32_t>(buffer.size())) + buffer;
  return bytes;
}

class FrameReaderTest : public ::testing::Test {
 protected:
  /// Feeds the stream in pieces; messages as "serial:bytes".
  Status feed(std::string_view bytes, std::size_t piece) {
    while (!bytes.empty()) {
      const std::span<char> room = buffer_.room();
      const std::size_t size = std::min({room.size(), bytes.size(), piece});
      std::memcpy(room.data(), bytes.data(), size);
      buffer_.filled(size);
      bytes.remove_prefix(size);
      TRY(reader_.scan(buffer_));
      if (!reader_.found()) continue;
      const StreamBuffer::Part part = reader_.take(buffer_, messages_);
      for (const Message& message : messages_) {
        read_.push_back(std::to_string(message.serial) + ":" + std::string(message.bytes));
      }
    }
    return {};
  }

  MemoryBudget budget_{64 << 20};
  StreamBuffer buffer_{budget_};
  FrameReader reader_{1 << 20};
  std::vector<Message> messages_;
  std::vector<std::string> read_;
};

TEST_F(FrameReaderTest, JoinsTheBuffersOfAFrame) {
  const std::string stream =
      frame(1, {"one ", "", "message"}) + frame(-2, {""}) + frame(3, {"", "x"}) + frame(4, {std::string(5, 'y')});
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, stream.size()}) {
    read_.clear();
    ASSERT_TRUE(feed(stream, piece).ok());
    EXPECT_THAT(read_, ElementsAre("1:one message", "-2:", "3:x", "4:yyyyy")) << piece;
  }
}

TEST_F(FrameReaderTest, ReadsLongFramesOfManyBuffers) {
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += static_cast<char>('a' + i % 23);
  std::vector<std::string> buffers;
  for (std::size_t at = 0; at < text.size(); at += 8192) buffers.push_back(text.substr(at, 8192));
  const std::string stream = frame(7, buffers) + frame(8, {"next"}) + frame(9, {text});
  ASSERT_TRUE(feed(stream, 64 * 1024).ok());
  ASSERT_EQ(read_.size(), 3u);
  EXPECT_TRUE(read_[0] == "7:" + text);
  EXPECT_EQ(read_[1], "8:next");
  EXPECT_TRUE(read_[2] == "9:" + text);
}

TEST_F(FrameReaderTest, ABatchOfFramesPinsOneSlab) {
  std::string stream;
  for (int i = 0; i < 10; ++i) stream += frame(i, {std::string(300, 'x')});
  std::memcpy(buffer_.room().data(), stream.data(), stream.size());
  buffer_.filled(stream.size());
  ASSERT_TRUE(reader_.scan(buffer_).ok());
  const char* where = buffer_.unread().data();
  const StreamBuffer::Part part = reader_.take(buffer_, messages_);
  ASSERT_EQ(messages_.size(), 10u);
  EXPECT_EQ(messages_.front().bytes.data(), where + kFrameHead) << "it was copied";
}

TEST_F(FrameReaderTest, RefusesWhatIsTooLargeBeforeItHasCome) {
  const std::string claims[] = {
      frame(1, {"x"}).substr(0, 8) + std::string("\x7f\xff\xff\xff", 4),  // a buffer of 2 GiB
      std::string("\0\0\0\1\x7f\xff\xff\xff\0\0\0\0", 12),                // as many buffers
      frame(1, {std::string(1 << 19, 'x'), std::string(1 << 19, 'x')}),
  };
  for (const std::string& claim : claims) {
    MemoryBudget budget(8 << 20);
    StreamBuffer buffer(budget);
    FrameReader reader(1 << 20);
    Status status;
    for (std::size_t at = 0; at < claim.size() && status.ok(); at += 1000) {
      const std::span<char> room = buffer.room();
      const std::size_t size = std::min({claim.size() - at, std::size_t{1000}, room.size()});
      ASSERT_EQ(size, std::min(claim.size() - at, std::size_t{1000}));
      std::memcpy(room.data(), claim.data() + at, size);
      buffer.filled(size);
      status = reader.scan(buffer);
    }
    EXPECT_EQ(status.code(), Code::corrupt);
    EXPECT_NE(status.message().find("the limit is 1048576"), std::string::npos) << status.message();
  }
}

TEST_F(FrameReaderTest, RefusesAFrameWithoutBuffers) { EXPECT_EQ(feed(std::string(8, '\0'), 8).code(), Code::corrupt); }

TEST_F(FrameReaderTest, WritesWhatItReads) {
  ASSERT_TRUE(feed(framed(5, "hello") + framed(-1, ""), 4).ok());
  EXPECT_THAT(read_, ElementsAre("5:hello", "-1:"));
  EXPECT_EQ(framed(5, "hello"), frame(5, {"hello"}));
}

}  // namespace
}  // namespace standpipe::avro

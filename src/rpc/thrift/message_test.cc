#include "rpc/thrift/message.h"

#include <gtest/gtest.h>

#include "rpc/thrift/frame_reader.h"
#include "support/thrift_reader.h"

namespace standpipe::thrift {
namespace {

class ThriftMessageTest : public ::testing::TestWithParam<Protocol> {
 protected:
  /// What our own client makes of an answer.
  Status answer(const std::string& frame, std::int32_t& serial) {
    Reader reader(std::string_view(frame).substr(kFrameHead), protocol);
    MessageHead head;
    if (!reader.get_message(head)) return {Code::corrupt, "no message"};
    serial = head.serial;
    return get_answer(reader, head);
  }
  const Protocol protocol = GetParam();
};

INSTANTIATE_TEST_SUITE_P(Protocols, ThriftMessageTest, ::testing::Values(Protocol::compact, Protocol::binary),
                         [](const auto& tested) { return tested.param == Protocol::compact ? "Compact" : "Binary"; });

TEST_P(ThriftMessageTest, CarriesAnswers) {
  constexpr const char* kTexts[] = {"ok", "unavailable: answered FAILED", "unavailable: answered ERROR",
                                    "unavailable: answered UNKNOWN", "unavailable: answered with status 4"};
  for (std::int32_t result = 0; result < 5; ++result) {
    std::string frame;
    put_answer(frame, protocol, kAppend, 1000, result);
    std::int32_t serial = 0;
    EXPECT_EQ(answer(frame, serial).to_string(), kTexts[result]);
    EXPECT_EQ(serial, 1000);
    testing::ThriftReader reader(protocol == Protocol::compact, frame.substr(kFrameHead));
    EXPECT_EQ(reader.head().name, "append");
    reader.need_field(0, 0, 8);
    EXPECT_EQ(reader.number(), result);
    reader.need_end();
    EXPECT_TRUE(reader.at_end());
  }
}

TEST_P(ThriftMessageTest, CarriesErrors) {
  std::string frame = "before";
  put_fault(frame, protocol, "remove", 7, Fault::unknown_method, "no such method");
  frame.erase(0, 6);
  std::int32_t serial = 0;
  EXPECT_EQ(answer(frame, serial).message(), "answered with an error: no such method");
  EXPECT_EQ(serial, 7);
  frame.clear();
  put_fault(frame, protocol, "remove", 7, Fault::internal, "");
  EXPECT_EQ(answer(frame, serial).message(), "answered with an error of kind 6");
}

TEST_P(ThriftMessageTest, CarriesWindows) {
  std::string frame;
  put_window_call(frame, protocol, 3, 8);
  Reader reader(std::string_view(frame).substr(kFrameHead), protocol);
  MessageHead head;
  ASSERT_TRUE(reader.get_message(head));
  EXPECT_EQ(head.name, kWindowMethod);
  EXPECT_EQ(head.type, MessageType::call);
  unsigned window = 0;
  ASSERT_TRUE(get_window_call(reader, window));
  EXPECT_EQ(window, 8u);
}

TEST_P(ThriftMessageTest, RefusesWhatIsNoAnswer) {
  std::string frame;
  put_answer(frame, protocol, kAppend, 1, 0);
  std::int32_t serial = 0;
  for (std::size_t size = kFrameHead; size < frame.size(); ++size) {
    EXPECT_EQ(answer(frame.substr(0, size), serial).code(), Code::corrupt) << size;
  }
  std::string call(kFrameHead, '\0');
  put_message(call, protocol, {kAppend, MessageType::call, 1});
  put_stop(call);
  EXPECT_EQ(answer(call, serial).code(), Code::corrupt);
  std::string empty(kFrameHead, '\0');
  put_message(empty, protocol, {kAppend, MessageType::reply, 1});
  put_stop(empty);
  EXPECT_EQ(answer(empty, serial).code(), Code::corrupt) << "no result in it";
}

TEST(ThriftMessage, TellsTheProtocolsApart) {
  std::string compact;
  std::string binary;
  put_message(compact, Protocol::compact, {kAppend, MessageType::call, 1});
  put_message(binary, Protocol::binary, {kAppend, MessageType::call, 1});
  EXPECT_TRUE(speaks(compact, Protocol::compact));
  EXPECT_FALSE(speaks(compact, Protocol::binary));
  EXPECT_TRUE(speaks(binary, Protocol::binary));
  EXPECT_FALSE(speaks(binary, Protocol::compact));
  EXPECT_FALSE(speaks("", Protocol::compact));
}

}  // namespace
}  // namespace standpipe::thrift

#include "rpc/thrift/wire.h"

#include <gtest/gtest.h>

#include <limits>

namespace standpipe::thrift {
namespace {

class ThriftWireTest : public ::testing::TestWithParam<Protocol> {
 protected:
  const Protocol protocol = GetParam();
};

INSTANTIATE_TEST_SUITE_P(Protocols, ThriftWireTest, ::testing::Values(Protocol::compact, Protocol::binary),
                         [](const auto& tested) { return tested.param == Protocol::compact ? "Compact" : "Binary"; });

TEST_P(ThriftWireTest, ReadsWhatItWrites) {
  std::string bytes;
  put_message(bytes, protocol, {"name", MessageType::exception, -5});
  put_field(bytes, protocol, 0, {0, Type::i32});
  put_i32(bytes, protocol, std::numeric_limits<std::int32_t>::min());
  put_field(bytes, protocol, 0, {15, Type::string});
  put_string(bytes, protocol, std::string(300, 'x'));
  put_field(bytes, protocol, 15, {31, Type::i32});
  put_i32(bytes, protocol, 7);
  put_field(bytes, protocol, 31, {-2, Type::string});
  put_string(bytes, protocol, "");
  put_stop(bytes);

  Reader reader(bytes, protocol);
  MessageHead head;
  ASSERT_TRUE(reader.get_message(head));
  EXPECT_EQ(head.name, "name");
  EXPECT_EQ(head.type, MessageType::exception);
  EXPECT_EQ(head.serial, -5);
  Field field;
  std::int32_t number = 0;
  std::string_view text;
  ASSERT_TRUE(reader.get_field(field) && reader.get_i32(number));
  EXPECT_EQ(field.id, 0);
  EXPECT_EQ(number, std::numeric_limits<std::int32_t>::min());
  ASSERT_TRUE(reader.get_field(field) && reader.get_string(text));
  EXPECT_EQ(field.id, 15);
  EXPECT_EQ(text, std::string(300, 'x'));
  ASSERT_TRUE(reader.get_field(field) && reader.get_i32(number));
  EXPECT_EQ(field.id, 31);
  EXPECT_EQ(number, 7);
  ASSERT_TRUE(reader.get_field(field) && reader.get_string(text));
  EXPECT_EQ(field.id, -2);
  EXPECT_EQ(text, "");
  ASSERT_TRUE(reader.get_field(field));
  EXPECT_EQ(field.type, Type::stop);
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST_P(ThriftWireTest, EndsAtEveryCut) {
  std::string bytes;
  put_message(bytes, protocol, {"name", MessageType::call, 1'000'000});
  put_field(bytes, protocol, 0, {1, Type::string});
  put_string(bytes, protocol, "value");
  put_stop(bytes);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    Reader reader(std::string_view(bytes).substr(0, size), protocol);
    MessageHead head;
    const bool read = reader.get_message(head) && reader.skip(Type::structure);
    EXPECT_EQ(read, size == bytes.size()) << size;
  }
}

/// Bytes that pairs of hexadecimal digits stand for, with blanks between some of them.
std::string hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    if (digits[i] == ' ') ++i;
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

struct Value {
  Protocol protocol;
  Type type;
  const char* bytes;
};

/// One of each type, as the protocols' descriptions have them.
constexpr Value kValues[] = {
    {Protocol::compact, Type::boolean, ""},
    {Protocol::compact, Type::byte, "7f"},
    {Protocol::compact, Type::i16, "ffff03"},
    {Protocol::compact, Type::i64, "ffffffffffffffffff01"},
    {Protocol::compact, Type::real, "0102030405060708"},
    {Protocol::compact, Type::list, "31 01 02 01"},                          // three booleans
    {Protocol::compact, Type::set, "f5 0f 000000000000000000000000000000"},  // fifteen numbers
    {Protocol::compact, Type::map, "00"},
    {Protocol::compact, Type::map, "01 85 0161 04"},                        // "a" to a number
    {Protocol::compact, Type::structure, "15 02 11 2c 00 09 0e 15 04 00"},  // one in it; an id of its own
    {Protocol::binary, Type::boolean, "01"},
    {Protocol::binary, Type::byte, "7f"},
    {Protocol::binary, Type::i16, "7fff"},
    {Protocol::binary, Type::i64, "0102030405060708"},
    {Protocol::binary, Type::real, "0102030405060708"},
    {Protocol::binary, Type::list, "02 00000003 010001"},
    {Protocol::binary, Type::set, "06 00000002 00010002"},
    {Protocol::binary, Type::map, "0b 0b 00000000"},
    {Protocol::binary, Type::map, "0b 08 00000001 0000000161 00000002"},
    {Protocol::binary, Type::structure, "08 0001 00000001 0c 0002 00 00"},
};

TEST(ThriftSkip, EndsBehindTheValue) {
  for (const Value& value : kValues) {
    const std::string bytes = hex(value.bytes);
    Reader reader(bytes, value.protocol);
    EXPECT_TRUE(reader.skip(value.type)) << value.bytes;
    EXPECT_EQ(reader.remaining(), 0u) << value.bytes;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Reader cut(std::string_view(bytes).substr(0, size), value.protocol);
      EXPECT_FALSE(cut.skip(value.type)) << value.bytes << " cut at " << size;
    }
  }
}

TEST(ThriftSkip, RefusesTypesThatAreNone) {
  for (const Value& value : {Value{Protocol::compact, Type::list, "1d 00"},
                             {Protocol::compact, Type::map, "01 0800"},
                             {Protocol::compact, Type::structure, "1e 00"},
                             {Protocol::binary, Type::list, "01 00000001 00"},
                             {Protocol::binary, Type::structure, "10 0001 00 00"}}) {
    const std::string bytes = hex(value.bytes);
    Reader reader(bytes, value.protocol);
    EXPECT_FALSE(reader.skip(value.type)) << value.bytes;
  }
}

TEST(ThriftReader, BelievesNoSizeThatIsNotThere) {
  const std::string compact = hex("ffffffff07");
  const std::string binary = hex("7fffffff");
  std::string_view text;
  EXPECT_FALSE(Reader(compact, Protocol::compact).get_string(text));
  EXPECT_FALSE(Reader(binary, Protocol::binary).get_string(text));
  EXPECT_FALSE(Reader(hex("ffffffff"), Protocol::binary).get_string(text)) << "a negative one";
  Type type{};
  std::uint32_t count = 0;
  EXPECT_FALSE(Reader(hex("fc ffffffff07"), Protocol::compact).get_list(type, count));
  EXPECT_FALSE(Reader(hex("ec 00"), Protocol::compact).get_list(type, count));
  EXPECT_FALSE(Reader(hex("0b 0b 00000002 000000"), Protocol::binary).get_map(type, type, count))
      << "each entry has two parts";
}

}  // namespace
}  // namespace standpipe::thrift

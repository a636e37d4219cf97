#include "support/thrift_client.h"

#include <gtest/gtest.h>

#include "support/thrift_reader.h"

namespace standpipe::testing {

namespace {

std::string big_endian(std::uint32_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}

std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
  return text + static_cast<char>(value);
}

char compact_type(char binary_type) {
  switch (binary_type) {
    case 8: return 5;
    case 10: return 6;
    case 11: return 8;
    case 12: return 12;
    case 13: return 11;
    default: return 9;  // a list
  }
}

}  // namespace

std::string ThriftBytes::count(std::size_t value) const {
  return compact_ ? varint(value) : big_endian(static_cast<std::uint32_t>(value), 4);
}

std::string ThriftBytes::number(std::int32_t value) const {
  if (!compact_) return big_endian(static_cast<std::uint32_t>(value), 4);
  return varint(static_cast<std::uint32_t>(value) << 1 ^ static_cast<std::uint32_t>(value >> 31));
}

std::string ThriftBytes::head(int type, std::string_view name, std::uint32_t serial) const {
  if (!compact_) return std::string("\x80\x01\0", 3) + static_cast<char>(type) + text(name) + big_endian(serial, 4);
  return std::string("\x82") + static_cast<char>(type << 5 | 1) + varint(serial) + text(name);
}

std::string ThriftBytes::field(int id, int last, char binary_type) const {
  if (!compact_) return binary_type + big_endian(static_cast<std::uint32_t>(id), 2);
  return std::string(1, static_cast<char>((id - last) << 4 | compact_type(binary_type)));
}

std::string ThriftBytes::headers(const Headers& headers) const {
  std::string bytes = compact_ ? "" : "\x0b\x0b";
  bytes += count(headers.size());
  if (compact_ && !headers.empty()) bytes += '\x88';
  for (const auto& [name, value] : headers) bytes += text(name) + text(value);
  return bytes;
}

std::string ThriftBytes::event(const SentEvent& event) const {
  return field(1, 0, 13) + headers(event.headers) + field(2, 1, 11) + text(event.body) + '\0';
}

std::string ThriftBytes::events(const std::vector<SentEvent>& events) const {
  std::string bytes;
  if (!compact_) {
    bytes = '\x0c' + count(events.size());
  } else if (events.size() < 15) {
    bytes = static_cast<char>(events.size() << 4 | 12);
  } else {
    bytes = '\xfc' + count(events.size());
  }
  for (const SentEvent& each : events) bytes += event(each);
  return bytes;
}

std::string ThriftBytes::append(const SentEvent& sent, std::uint32_t serial, int type) const {
  return head(type, "append", serial) + field(1, 0, 12) + event(sent) + '\0';
}

std::string ThriftBytes::append_batch(const std::vector<SentEvent>& sent, std::uint32_t serial) const {
  return head(1, "appendBatch", serial) + field(1, 0, 15) + events(sent) + '\0';
}

std::string ThriftBytes::ask_window(unsigned window, std::uint32_t serial) const {
  return head(1, "standpipe.window", serial) + field(1, 0, 8) + number(static_cast<std::int32_t>(window)) + '\0';
}

std::string ThriftBytes::frame(std::string_view message) {
  return big_endian(static_cast<std::uint32_t>(message.size()), 4) + std::string(message);
}

bool ThriftTestClient::send(std::string_view message) {
  ++next_;
  return client_.send(ThriftBytes::frame(message));
}

std::string ThriftTestClient::answer() {
  const std::string size = client_.bytes(4);
  if (size.size() < 4) return "";
  std::size_t bytes = 0;
  for (const char byte : size) bytes = bytes << 8 | static_cast<unsigned char>(byte);
  ThriftReader reader(bytes_.compact(), client_.bytes(bytes));
  const ThriftReader::Head head = reader.head();
  EXPECT_EQ(head.serial, answered_++) << "not the oldest request's answer";
  if (head.type == 3) {
    reader.need_field(1, 0, 11);
    const std::string text = reader.text();
    reader.need_field(2, 1, 8);
    const std::string kind = std::to_string(reader.number());
    reader.need_end();
    return "error " + kind + ": " + text;
  }
  EXPECT_EQ(head.type, 2);
  reader.need_field(0, 0, 8);
  const int result = reader.number();
  reader.need_end();
  EXPECT_TRUE(reader.at_end());
  if (head.name == "standpipe.window") return std::to_string(result);
  return result == 0 ? "OK" : result == 1 ? "FAILED" : "status " + std::to_string(result);
}

}  // namespace standpipe::testing

#include "support/avro_client.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace standpipe::testing {

namespace avro_bytes {

namespace {
std::string word(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}
}  // namespace

std::string number(std::int64_t value) {
  auto rest = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  std::string bytes;
  for (; rest >= 0x80; rest >>= 7) bytes += static_cast<char>(rest | 0x80);
  return bytes + static_cast<char>(rest);
}

std::string text(std::string_view bytes) {
  return number(static_cast<std::int64_t>(bytes.size())) + std::string(bytes);
}

std::string event(const SentEvent& event) {
  std::string bytes;
  if (!event.headers.empty()) bytes += number(static_cast<std::int64_t>(event.headers.size()));
  for (const auto& [name, value] : event.headers) bytes += text(name) + text(value);
  return bytes + number(0) + text(event.body);
}

std::string handshake(unsigned window) {
  const std::string hash = "\x86\xaa\xda\xe2\xc4\x54\x74\xc0\xfe\x93\xff\xd0\xf2\x35\x0a\x65";
  const std::string meta =
      window == 0 ? number(0) : number(1) + text("standpipe.window") + text(std::to_string(window)) + number(0);
  return hash + number(0) + hash + number(1) + meta;
}

std::string append(const SentEvent& sent) { return number(0) + text("append") + event(sent); }

std::string append_batch(const std::vector<SentEvent>& events) {
  std::string bytes = number(0) + text("appendBatch");
  if (!events.empty()) bytes += number(static_cast<std::int64_t>(events.size()));
  for (const SentEvent& sent : events) bytes += event(sent);
  return bytes + number(0);
}

std::string frame(std::int32_t serial, std::string_view message, std::size_t buffer) {
  if (buffer == 0) buffer = std::max<std::size_t>(1, message.size());
  const std::size_t count = std::max<std::size_t>(1, (message.size() + buffer - 1) / buffer);
  std::string bytes = word(static_cast<std::uint32_t>(serial)) + word(static_cast<std::uint32_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view piece = message.substr(i * buffer, buffer);
    bytes += word(static_cast<std::uint32_t>(piece.size())) + std::string(piece);
  }
  return bytes;
}

}  // namespace avro_bytes

namespace {

std::uint32_t word_of(const std::string& bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::int64_t AvroBytesReader::number() {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_.at(at_++));
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
}

std::string AvroBytesReader::raw(std::size_t size) {
  std::string part = bytes_.substr(at_, size);
  at_ += size;
  return part;
}

AvroAnswer read_avro_answer(TcpClient& client) {
  const std::string head = client.bytes(8);
  if (head.size() < 8) return {};
  AvroAnswer answer{static_cast<std::int32_t>(word_of(head.substr(0, 4))), {}};
  for (std::uint32_t left = word_of(head.substr(4)); left > 0; --left) {
    answer.message += client.bytes(word_of(client.bytes(4)));
  }
  return answer;
}

std::string AvroTestClient::next(std::string_view call) {
  const std::string front = sent_ == 0 ? avro_bytes::handshake(window_) : "";
  ++sent_;
  return avro_bytes::frame(sent_, front + std::string(call), 8192);
}

std::string AvroTestClient::answer() {
  AvroAnswer read = read_avro_answer(client_);
  if (read.message.empty()) return "";
  ++answered_;
  EXPECT_EQ(read.serial, answered_) << "not the oldest request's answer";
  AvroBytesReader answer(std::move(read.message));
  if (answered_ == 1) {
    EXPECT_EQ(answer.number(), 0) << "not both sides know the protocol";
    EXPECT_EQ(answer.number(), 0);
    EXPECT_EQ(answer.number(), 0);
    if (answer.number() == 1) {
      EXPECT_EQ(answer.number(), 1);
      EXPECT_EQ(answer.text(), "standpipe.window");
      granted_ = answer.text();
      EXPECT_EQ(answer.number(), 0);
    }
  }
  EXPECT_EQ(answer.number(), 0) << "the call's meta map";
  if (answer.raw(1) == std::string(1, '\1')) {
    EXPECT_EQ(answer.number(), 0) << "not an error of every method";
    return "error: " + answer.text();
  }
  const std::int64_t status = answer.number();
  return status == 0 ? "OK" : status == 1 ? "FAILED" : "UNKNOWN";
}

}  // namespace standpipe::testing

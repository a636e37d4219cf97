#include "channels/file/flume/protobuf.h"

#include "channels/file/little_endian.h"

namespace standpipe::file_channel::flume {

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    if (i == 9 && byte > 1) return std::nullopt;
    value |= std::uint64_t{byte & 0x7fu} << (7 * i);
    if (byte >= 0x80) continue;
    bytes.remove_prefix(i + 1);
    return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> take_delimited(std::string_view& bytes) {
  std::string_view rest = bytes;
  const auto length = take_varint(rest);
  if (!length || *length > rest.size()) return std::nullopt;
  const std::string_view message = rest.substr(0, *length);
  bytes = rest.substr(*length);
  return message;
}

namespace {

template <typename Number>
bool take_fixed(std::string_view& bytes, std::uint64_t& value) {
  if (bytes.size() < sizeof(Number)) return false;
  value = load<Number>(bytes.data());
  bytes.remove_prefix(sizeof(Number));
  return true;
}

bool take_content(std::string_view& bytes, Field& field) {
  switch (field.type) {
    case WireType::varint: {
      const auto value = take_varint(bytes);
      field.value = value.value_or(0);
      return value.has_value();
    }
    case WireType::fixed64: return take_fixed<std::uint64_t>(bytes, field.value);
    case WireType::fixed32: return take_fixed<std::uint32_t>(bytes, field.value);
    case WireType::bytes: {
      const auto content = take_delimited(bytes);
      field.bytes = content.value_or(std::string_view());
      return content.has_value();
    }
  }
  return false;
}

}  // namespace

std::optional<Field> FieldReader::next() {
  if (left_.empty() || damaged_) return std::nullopt;
  const auto tag = take_varint(left_);
  Field field{};
  if (tag && *tag >> 3 != 0 && *tag >> 3 < (1u << 29)) {
    field.number = static_cast<std::uint32_t>(*tag >> 3);
    field.type = static_cast<WireType>(*tag & 7);
    if (take_content(left_, field)) return field;
  }
  damaged_ = true;
  return std::nullopt;
}

void put_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

void put_fixed32(std::string& to, std::uint32_t field, std::uint32_t value) {
  put_varint(to, field << 3 | static_cast<std::uint32_t>(WireType::fixed32));
  append(to, value);
}

void put_fixed64(std::string& to, std::uint32_t field, std::uint64_t value) {
  put_varint(to, field << 3 | static_cast<std::uint32_t>(WireType::fixed64));
  append(to, value);
}

void put_bytes(std::string& to, std::uint32_t field, std::string_view bytes) {
  put_varint(to, field << 3 | static_cast<std::uint32_t>(WireType::bytes));
  put_delimited(to, bytes);
}

void put_delimited(std::string& to, std::string_view message) {
  put_varint(to, message.size());
  to += message;
}

std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

}  // namespace standpipe::file_channel::flume

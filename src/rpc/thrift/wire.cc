#include "rpc/thrift/wire.h"

#include <limits>

namespace standpipe::thrift {

namespace {

constexpr unsigned char kCompactId = 0x82;
constexpr unsigned kCompactVersion = 1;
constexpr std::uint32_t kBinaryVersion = 0x8001;
constexpr int kDeepest = 64;  // as Java's
constexpr auto kLargestSize = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max());

// The compact protocol's numbers of the types; 1 and 2 are the two values of a boolean field.
constexpr Type kCompactTypes[] = {Type::stop, Type::boolean, Type::boolean,  Type::byte,   Type::i16,
                                  Type::i32,  Type::i64,     Type::real,     Type::string, Type::list,
                                  Type::set,  Type::map,     Type::structure};

unsigned char compact_code(Type type) {
  for (unsigned char code = 0; code < std::size(kCompactTypes); ++code) {
    if (kCompactTypes[code] == type) return code;
  }
  return 0;
}

bool is_type(unsigned char code) {
  switch (static_cast<Type>(code)) {
    case Type::boolean:
    case Type::byte:
    case Type::real:
    case Type::i16:
    case Type::i32:
    case Type::i64:
    case Type::string:
    case Type::structure:
    case Type::map:
    case Type::set:
    case Type::list: return true;
    case Type::stop: return false;
  }
  return false;
}

std::int64_t unzigzag(std::uint64_t value) { return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1)); }

void put_big_endian(std::string& out, std::uint32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

}  // namespace

// -- reading ----------------------------------------------------------------------------------------------------------

bool Reader::get_byte(unsigned char& value) {
  if (at_ == end_) return false;
  value = static_cast<unsigned char>(*at_++);
  return true;
}

bool Reader::get_varint(std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    unsigned char byte = 0;
    if (!get_byte(byte) || (shift == 63 && byte > 1)) return false;
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool Reader::get_big_endian(std::uint32_t& value, int bytes) {
  if (remaining() < static_cast<std::size_t>(bytes)) return false;
  value = 0;
  for (; bytes > 0; --bytes) value = value << 8 | static_cast<unsigned char>(*at_++);
  return true;
}

/// A size that is there: of bytes, or of elements, each of which takes one at least.
bool Reader::get_size(std::uint32_t& size) {
  if (!compact()) return get_big_endian(size, 4) && size <= remaining();
  std::uint64_t wide = 0;
  if (!get_varint(wide) || wide > kLargestSize || wide > remaining()) return false;
  size = static_cast<std::uint32_t>(wide);
  return true;
}

bool Reader::advance(std::size_t bytes) {
  if (bytes > remaining()) return false;
  at_ += bytes;
  return true;
}

bool Reader::get_message(MessageHead& head) {
  if (!(compact() ? get_message_compact(head) : get_message_binary(head))) return false;
  return head.type >= MessageType::call && head.type <= MessageType::oneway;
}

bool Reader::get_message_compact(MessageHead& head) {
  unsigned char id = 0;
  unsigned char version_and_type = 0;
  std::uint64_t serial = 0;
  if (!get_byte(id) || id != kCompactId || !get_byte(version_and_type)) return false;
  if ((version_and_type & 0x1fu) != kCompactVersion || !get_varint(serial)) return false;
  if (serial > std::numeric_limits<std::uint32_t>::max()) return false;
  head.type = static_cast<MessageType>(version_and_type >> 5);
  head.serial = static_cast<std::int32_t>(serial);
  return get_string(head.name);
}

bool Reader::get_message_binary(MessageHead& head) {
  std::uint32_t version_and_type = 0;
  std::uint32_t serial = 0;
  if (!get_big_endian(version_and_type, 4) || version_and_type >> 16 != kBinaryVersion) return false;
  if (!get_string(head.name) || !get_big_endian(serial, 4)) return false;
  head.type = static_cast<MessageType>(version_and_type & 0xff);
  head.serial = static_cast<std::int32_t>(serial);
  return true;
}

bool Reader::get_element_type(unsigned char code, Type& type) const {
  if (!compact()) {
    type = static_cast<Type>(code);
    return is_type(code);
  }
  if (code == 0 || code >= std::size(kCompactTypes)) return false;
  type = kCompactTypes[code];
  return true;
}

bool Reader::get_field(Field& field) {
  unsigned char head = 0;
  if (!get_byte(head)) return false;
  if (head == 0) {
    field.type = Type::stop;
    return true;
  }
  if (!compact()) {
    std::uint32_t id = 0;
    if (!get_big_endian(id, 2)) return false;
    field.id = static_cast<std::int16_t>(id);
    return get_element_type(head, field.type);
  }
  std::int64_t id = field.id + (head >> 4);
  if (head >> 4 == 0) {
    std::uint64_t whole = 0;
    if (!get_varint(whole)) return false;
    id = unzigzag(whole);
  }
  field.id = static_cast<std::int16_t>(id);
  return field.id == id && get_element_type(head & 0x0f, field.type);
}

bool Reader::get_i32(std::int32_t& value) {
  if (!compact()) {
    std::uint32_t word = 0;
    if (!get_big_endian(word, 4)) return false;
    value = static_cast<std::int32_t>(word);
    return true;
  }
  std::uint64_t wide = 0;
  if (!get_varint(wide)) return false;
  value = static_cast<std::int32_t>(unzigzag(wide));
  return value == unzigzag(wide);
}

bool Reader::get_string(std::string_view& value) {
  std::uint32_t size = 0;
  if (!get_size(size)) return false;
  value = {at_, size};
  at_ += size;
  return true;
}

bool Reader::get_list(Type& elements, std::uint32_t& count) {
  unsigned char head = 0;
  if (!get_byte(head)) return false;
  if (!compact()) return get_size(count) && (get_element_type(head, elements) || count == 0);
  count = head >> 4;
  if (count == 15 && !get_size(count)) return false;
  return count <= remaining() && (get_element_type(head & 0x0f, elements) || count == 0);
}

bool Reader::get_map(Type& keys, Type& values, std::uint32_t& count) {
  unsigned char types = 0;
  if (compact()) {
    if (!get_size(count)) return false;
    if (count == 0) return true;
    return get_byte(types) && get_element_type(types >> 4, keys) && get_element_type(types & 0x0f, values) &&
           count <= remaining() / 2;
  }
  unsigned char others = 0;
  if (!get_byte(types) || !get_byte(others) || !get_size(count)) return false;
  if (count == 0) return true;
  return get_element_type(types, keys) && get_element_type(others, values) && count <= remaining() / 2;
}

bool Reader::skip(Type type, bool in_field, int depth) {
  if (depth > kDeepest) return false;
  std::uint64_t number = 0;
  std::uint32_t count = 0;
  std::string_view text;
  Type first = Type::stop;
  Type second = Type::stop;
  switch (type) {
    case Type::stop: return false;
    case Type::boolean:  // the compact protocol has a field's value in its type
      return (compact() && in_field) || advance(1);
    case Type::byte: return advance(1);
    case Type::i16: return compact() ? get_varint(number) : advance(2);
    case Type::i32: return compact() ? get_varint(number) : advance(4);
    case Type::i64: return compact() ? get_varint(number) : advance(8);
    case Type::real: return advance(8);
    case Type::string: return get_string(text);
    case Type::structure: return skip_structure(depth);
    case Type::map: return get_map(first, second, count) && skip_elements(first, second, count, depth);
    case Type::set:
    case Type::list: return get_list(first, count) && skip_elements(first, Type::stop, count, depth);
  }
  return false;
}

bool Reader::skip_structure(int depth) {
  for (Field field;;) {
    if (!get_field(field)) return false;
    if (field.type == Type::stop) return true;
    if (!skip(field.type, true, depth + 1)) return false;
  }
}

/// `second` is what follows each `first`: stop where nothing does.
bool Reader::skip_elements(Type first, Type second, std::uint32_t count, int depth) {
  for (; count > 0; --count) {
    if (!skip(first, false, depth + 1)) return false;
    if (second != Type::stop && !skip(second, false, depth + 1)) return false;
  }
  return true;
}

// -- writing ----------------------------------------------------------------------------------------------------------

void put_message(std::string& out, Protocol protocol, const MessageHead& head) {
  if (protocol == Protocol::binary) {
    put_big_endian(out, kBinaryVersion << 16 | static_cast<std::uint32_t>(head.type), 4);
    put_string(out, protocol, head.name);
    return put_big_endian(out, static_cast<std::uint32_t>(head.serial), 4);
  }
  out += static_cast<char>(kCompactId);
  out += static_cast<char>(static_cast<unsigned>(head.type) << 5 | kCompactVersion);
  put_varint(out, static_cast<std::uint32_t>(head.serial));
  put_string(out, protocol, head.name);
}

void put_field(std::string& out, Protocol protocol, std::int16_t last, Field field) {
  if (protocol == Protocol::binary) {
    out += static_cast<char>(field.type);
    return put_big_endian(out, static_cast<std::uint16_t>(field.id), 2);
  }
  const int distance = field.id - last;
  const unsigned code = compact_code(field.type);
  if (distance > 0 && distance <= 15) {
    out += static_cast<char>(static_cast<unsigned>(distance) << 4 | code);
    return;
  }
  out += static_cast<char>(code);
  put_varint(out, zigzag(field.id));
}

void put_i32(std::string& out, Protocol protocol, std::int32_t value) {
  if (protocol == Protocol::binary) return put_big_endian(out, static_cast<std::uint32_t>(value), 4);
  put_varint(out, zigzag(value));
}

void put_string(std::string& out, Protocol protocol, std::string_view value) {
  if (protocol == Protocol::binary) {
    put_big_endian(out, static_cast<std::uint32_t>(value.size()), 4);
  } else {
    put_varint(out, value.size());
  }
  out += value;
}

void put_stop(std::string& out) { out += '\0'; }

}  // namespace standpipe::thrift

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace standpipe::thrift {

/// Thrift's two encodings that Flume speaks; the binary one in its strict form.
enum class Protocol : unsigned char { compact, binary };

enum class MessageType : unsigned char { call = 1, reply = 2, exception = 3, oneway = 4 };

/// What a message begins with.
struct MessageHead {
  std::string_view name;
  MessageType type = MessageType::call;
  std::int32_t serial = 0;
};

/// Types of values, numbered as the binary protocol does it.
enum class Type : unsigned char {
  stop = 0,
  boolean = 2,
  byte = 3,
  real = 4,
  i16 = 6,
  i32 = 8,
  i64 = 10,
  string = 11,
  structure = 12,
  map = 13,
  set = 14,
  list = 15
};

/// A field's head. The compact protocol writes an id as its distance from the one before.
struct Field {
  std::int16_t id = 0;
  Type type = Type::stop;
};

/// Reads a message out of memory that it does not own. Every call checks its bounds and returns false when the bytes do
/// not hold what was asked for; where it then stands is undefined. Counts are never larger than the bytes that are
/// left.
class Reader {
 public:
  Reader(std::string_view bytes, Protocol protocol)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()), protocol_(protocol) {}

  bool get_message(MessageHead& head);
  /// The next field of a structure; `field` is the one before (a new one at the structure's begin). Type::stop: the
  /// structure has ended.
  bool get_field(Field& field);
  bool get_i32(std::int32_t& value);
  bool get_string(std::string_view& value);
  bool get_list(Type& elements, std::uint32_t& count);  ///< also of a set
  bool get_map(Type& keys, Type& values, std::uint32_t& count);
  /// The value of a field of that type, whatever is in it; false also when it is nested too deeply.
  bool skip(Type type) { return skip(type, true, 0); }
  bool advance(std::size_t bytes);

  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  std::string_view rest() const { return {at_, remaining()}; }
  std::string_view since(std::size_t position) const { return {begin_ + position, this->position() - position}; }

 private:
  bool compact() const { return protocol_ == Protocol::compact; }
  bool get_byte(unsigned char& value);
  bool get_varint(std::uint64_t& value);
  bool get_big_endian(std::uint32_t& value, int bytes);
  bool get_size(std::uint32_t& size);
  bool get_element_type(unsigned char code, Type& type) const;
  bool get_message_compact(MessageHead& head);
  bool get_message_binary(MessageHead& head);
  bool skip(Type type, bool in_field, int depth);
  bool skip_structure(int depth);
  bool skip_elements(Type first, Type second, std::uint32_t count, int depth);

  const char* begin_;
  const char* at_;
  const char* end_;
  const Protocol protocol_;
};

// Writing appends to a string: for what is short. Events are written by the event encoder.

void put_message(std::string& out, Protocol protocol, const MessageHead& head);
/// A field's head; `last` is the id of the one before in the same structure, 0 at its begin.
void put_field(std::string& out, Protocol protocol, std::int16_t last, Field field);
void put_i32(std::string& out, Protocol protocol, std::int32_t value);
void put_string(std::string& out, Protocol protocol, std::string_view value);
void put_stop(std::string& out);

}  // namespace standpipe::thrift

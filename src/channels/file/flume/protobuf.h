#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// As much of the protobuf wire form as Flume's file channel uses: docs/formats/flume-file-channel.md.
namespace standpipe::file_channel::flume {

enum class WireType : unsigned char { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct Field {
  std::uint32_t number;
  WireType type;
  std::uint64_t value;     ///< of numbers
  std::string_view bytes;  ///< of WireType::bytes: lies in the message

  bool is(std::uint32_t wanted, WireType wanted_type) const { return number == wanted && type == wanted_type; }
};

/// The fields of one message, one after the other.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : left_(message) {}
  /// None: the message ends here, or its bytes make no sense (damaged() tells).
  std::optional<Field> next();
  bool damaged() const { return damaged_; }

 private:
  std::string_view left_;
  bool damaged_ = false;
};

/// Cuts a varint off the front of `bytes`; none: it is not whole, or longer than 64 bits.
std::optional<std::uint64_t> take_varint(std::string_view& bytes);
/// Cuts a message with its length before it off the front; none: it is not whole.
std::optional<std::string_view> take_delimited(std::string_view& bytes);

void put_varint(std::string& to, std::uint64_t value);
void put_fixed32(std::string& to, std::uint32_t field, std::uint32_t value);
void put_fixed64(std::string& to, std::uint32_t field, std::uint64_t value);
void put_bytes(std::string& to, std::uint32_t field, std::string_view bytes);
void put_delimited(std::string& to, std::string_view message);

/// The size of the varint.
std::size_t varint_size(std::uint64_t value);

}  // namespace standpipe::file_channel::flume

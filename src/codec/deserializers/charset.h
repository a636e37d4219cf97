#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "codec/deserializers/deserializer.h"
#include "standpipe/status.h"

namespace standpipe {

/// Text of a Java charset, seen as bytes: where its lines end and what they mean. Charsets beyond UTF-8, ISO-8859-1 and
/// US-ASCII are the C library's. Not thread-safe.
class Charset {
 public:
  static Result<Charset> find(std::string_view java_name);
  Charset(Charset&&) noexcept;
  Charset& operator=(Charset&&) noexcept;
  ~Charset();

  bool is_utf8() const { return kind_ == Kind::utf8; }
  /// Bytes of one code unit: 1, 2 or 4. A line feed is one unit.
  std::size_t unit() const { return unit_; }
  bool is_line_feed(const char* at) const;

  /// Appends `bytes` as UTF-8 to `out`. With DecodeErrorPolicy::fail, Code::corrupt says how far into `bytes` it got.
  Status decode(std::string_view bytes, DecodeErrorPolicy policy, std::string& out);
  /// Appends valid UTF-8 `text` in this charset to `out`; what it can't express becomes '?', as in Java.
  void encode(std::string_view text, std::string& out);
  /// The longest start of `bytes` that is a whole number of `units` UTF-16 units and no part of a character; all of it
  /// where the charset does not allow to tell.
  std::size_t whole_pieces(std::string_view bytes, std::size_t units) const;

 private:
  enum class Kind : unsigned char { utf8, latin1, ascii, other };
  struct Converters;
  Charset(Kind kind, std::size_t unit, bool little_endian);
  Status decode_other(std::string_view bytes, DecodeErrorPolicy policy, std::string& out);

  Kind kind_;
  std::size_t unit_;
  bool little_endian_;
  std::unique_ptr<Converters> converters_;
};

/// UTF-16 units that `text` (valid UTF-8) has in Java.
std::size_t utf16_units(std::string_view text);
/// The longest start of valid UTF-8 `text` that has at most `units` UTF-16 units.
std::size_t utf8_prefix(std::string_view text, std::size_t units);

}  // namespace standpipe

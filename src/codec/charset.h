#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "standpipe/status.h"

namespace standpipe {

/// A character set under one of the names that Java knows ("UTF-8", "ISO8859_1", "Cp1252", "GBK", "UTF-16").
/// A small value; thread-safe.
class Charset {
 public:
  enum class Family : unsigned char { utf8, ascii, latin1, other };

  /// Code::invalid for a name that this machine has no conversion for.
  static Result<Charset> find(std::string_view java_name);
  static Charset utf8() { return {}; }

  const std::string& name() const { return name_; }
  Family family() const { return family_; }
  bool is_utf8() const { return family_ == Family::utf8; }
  /// Bytes of one code unit: 2 and 4 for UTF-16 and UTF-32, else 1. A line feed is one unit, so that lines can be cut
  /// before they are decoded.
  std::size_t unit() const { return unit_; }
  /// Whether the unit at `at` is a line feed.
  bool is_line_feed(const char* at) const;
  /// The longest start of `bytes` that is a whole number of pieces of `units` UTF-16 units and cuts no character; for
  /// character sets of several bytes that don't tell, only a whole number of units.
  std::size_t whole_pieces(std::string_view bytes, std::size_t units) const;

 private:
  friend class CharsetDecoder;
  friend class CharsetEncoder;
  std::string name_ = "UTF-8";   // as the user wrote it
  std::string iconv_ = "UTF-8";  // as iconv knows it
  Family family_ = Family::utf8;
  std::size_t unit_ = 1;
  bool low_byte_first_ = false;
};

/// What happens to bytes that mean nothing, or to characters that a character set lacks.
enum class OnMalformed : unsigned char {
  fail,     ///< Code::corrupt
  replace,  ///< U+FFFD; '?' when encoding
  ignore,   ///< left out
};

/// Bytes of a character set to UTF-8, in pieces. One thread at a time; keeps the state of its stream.
class CharsetDecoder {
 public:
  CharsetDecoder(Charset charset, OnMalformed policy);
  ~CharsetDecoder();
  CharsetDecoder(CharsetDecoder&&) noexcept;
  CharsetDecoder& operator=(CharsetDecoder&&) noexcept;

  /// Appends the text of `bytes` to `out`; returns how many bytes were used. Unless `last`, a character that is cut off
  /// at the end stays unused: give it again with what follows. Code::corrupt (policy fail) names the offset within
  /// `bytes`; what stood before it is in `out` then.
  Result<std::size_t> decode(std::string_view bytes, std::string& out, bool last = true);
  /// Begins another stream: shift states and byte-order marks are forgotten.
  void reset();

 private:
  struct Iconv;
  Result<std::size_t> decode_utf8(std::string_view bytes, std::string& out, bool last) const;
  Result<std::size_t> decode_single_bytes(std::string_view bytes, std::string& out) const;
  Result<std::size_t> decode_iconv(std::string_view bytes, std::string& out, bool last);
  Status malformed(std::size_t offset, std::string& out) const;

  Charset charset_;
  OnMalformed policy_;
  std::unique_ptr<Iconv> iconv_;
};

/// All of `bytes` as UTF-8, with what is damaged replaced. The character set must be one of those that every machine
/// has (Java's standard charsets).
std::string to_utf8(std::string_view bytes, std::string_view standard_charset);

/// UTF-8 to bytes of a character set. One thread at a time.
class CharsetEncoder {
 public:
  CharsetEncoder(Charset charset, OnMalformed policy);
  ~CharsetEncoder();
  CharsetEncoder(CharsetEncoder&&) noexcept;
  CharsetEncoder& operator=(CharsetEncoder&&) noexcept;

  /// Appends `utf8` in the character set to `out`, as one whole text.
  Status encode(std::string_view utf8, std::string& out);

 private:
  struct Iconv;
  Status encode_iconv(std::string_view utf8, std::string& out);
  Status unmappable(std::size_t offset, std::string& out);

  Charset charset_;
  OnMalformed policy_;
  std::unique_ptr<Iconv> iconv_;
};

}  // namespace standpipe

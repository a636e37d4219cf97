#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "standpipe/status.h"

namespace standpipe {

/// Turns text of one charset into UTF-8 as Java does: what is damaged becomes U+FFFD. For charsets in which a line feed
/// is the byte 0x0A wherever it stands, so that text can be cut into lines before it is decoded.
/// Not thread-safe; movable.
class TextDecoder {
 public:
  /// Code::invalid when the machine lacks the charset or it can't be cut into lines (UTF-16, UTF-32).
  static Result<TextDecoder> make(std::string_view charset);

  TextDecoder(TextDecoder&&) noexcept;
  TextDecoder& operator=(TextDecoder&&) noexcept;
  ~TextDecoder();

  /// True when decoding would change nothing: the usual case, worth asking for many lines at once.
  bool is_plain(std::string_view text) const;
  std::string decode(std::string_view text);

 private:
  struct Converter;
  explicit TextDecoder(std::unique_ptr<Converter> converter);
  std::unique_ptr<Converter> converter_;  // null: the charset is UTF-8
};

/// The number of UTF-16 units, which Java counts as characters, in (possibly damaged) UTF-8 text.
std::size_t utf16_length(std::string_view text);

}  // namespace standpipe

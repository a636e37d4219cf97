#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace standpipe {

/// The code point that begins at `text[at]`, and how many bytes it takes; length 0 when the bytes are not UTF-8 (RFC
/// 3629: no surrogates, no overlong forms).
struct CodePoint {
  char32_t value = 0;
  unsigned length = 0;
};
CodePoint decode_utf8(std::string_view text, std::size_t at);

bool is_utf8(std::string_view text);
void append_utf8(std::string& out, char32_t value);
std::string latin1_to_utf8(std::string_view bytes);
/// `bytes` without the mark. A lone surrogate becomes U+FFFD.
std::string utf16_to_utf8(std::string_view bytes, bool big_endian);

}  // namespace standpipe

#pragma once

#include <string>
#include <string_view>

namespace standpipe {

/// What copying from a web page or a word processor leaves in a text, taken out again.
struct OddText {
  std::string text;
  char32_t first_odd = 0;  ///< the first character that was replaced or removed; 0: none, `text` is as given
  bool changed() const { return first_odd != 0; }
};

/// Everywhere: odd spaces become blanks, zero-width characters go, full-width forms, curly quotes and typographic
/// dashes become their ASCII ones. For names, numbers, lists. With `is_key` an ideographic full stop is a dot, too.
OddText plain_text(std::string_view text, bool is_key);

/// Only odd spaces and zero-width characters at the two ends go. For paths and free text, whose inside stays exact.
OddText plain_ends(std::string_view text);

/// The first character that plain_text() would touch; 0: none.
char32_t first_odd_character(std::string_view text);

/// "a non-breaking space (U+00A0)".
std::string describe_character(char32_t character);

}  // namespace standpipe

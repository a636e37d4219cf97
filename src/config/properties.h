#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"

namespace standpipe {

/// One logical line "key = value" of a properties file, unescaped, and where it stood.
struct PropertyLine {
  std::string key;
  std::string value;
  std::uint32_t file = 0;        ///< index into the list of files
  std::uint32_t first_line = 0;  ///< from 1
  std::uint32_t last_line = 0;   ///< differs from first_line when continued by backslashes
  char separator = 0;            ///< '=' or ':'; ' ' for blanks only; 0: nothing follows the key
  std::string gap;               ///< what stood between key and value: " = "
  bool indented = false;         ///< white space before the key
  bool latin1 = false;           ///< its bytes were not UTF-8 and were read as ISO-8859-1
};

/// Reads one text by the rules of java.util.Properties: natural lines end at LF, CR or CRLF; `#` and `!` begin
/// comments; an odd number of backslashes at the end continues a line; `=`, `:` or white space ends a key; \t \n \r \f
/// \uXXXX escapes, a backslash before anything else is dropped. Differs in the encoding: UTF-8, with or without a
/// byte-order mark; a line that is not UTF-8 is read as ISO-8859-1; UTF-16 with a mark is understood. A malformed \u is
/// reported and stays as written. Every line that holds a key comes back, in order, also repeated keys; values are
/// untrimmed at their end. Bounded by the text's size; never fails.
std::vector<PropertyLine> parse_properties(std::string_view bytes, std::uint32_t file_index, std::string_view file_name,
                                           Diagnostics& diagnostics);

/// The same text in UTF-8 alone: without a byte-order mark, UTF-16 and lines in ISO-8859-1 turned into it. For a reader
/// that knows no other encoding.
std::string properties_as_utf8(std::string_view bytes);

/// Text that parse_properties() reads back as this key and value: for backups and generated files.
std::string format_property(std::string_view key, std::string_view value);

}  // namespace standpipe

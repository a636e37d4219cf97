#pragma once

#include <string>
#include <string_view>

#include "codec/charset.h"
#include "standpipe/status.h"

namespace standpipe {

/// Turns lines of one charset into UTF-8 as Java does: what is damaged becomes U+FFFD. For charsets in which a line
/// feed is the byte 0x0A wherever it stands, so that text can be cut into lines before it is decoded. Not thread-safe;
/// movable.
class TextDecoder {
 public:
  /// Code::invalid when the machine lacks the charset or it can't be cut into lines (UTF-16, UTF-32).
  static Result<TextDecoder> make(std::string_view charset);

  /// True when decoding would change nothing: the usual case, worth asking for many lines at once.
  bool is_plain(std::string_view text) const;
  std::string decode(std::string_view text);

 private:
  explicit TextDecoder(const Charset& charset);
  bool utf8_;
  CharsetDecoder decoder_;
};

}  // namespace standpipe

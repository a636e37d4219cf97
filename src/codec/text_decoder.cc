#include "codec/text_decoder.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "codec/utf8.h"

namespace standpipe {

TextDecoder::TextDecoder(const Charset& charset) : utf8_(charset.is_utf8()), decoder_(charset, OnMalformed::replace) {}

Result<TextDecoder> TextDecoder::make(std::string_view name) {
  TRY_ASSIGN(const Charset charset, Charset::find(trim(name)));
  if (charset.unit() > 1) {
    return Status(Code::invalid,
                  "charset '" + charset.name() + "' can't be cut into lines at a line feed's byte here: send UTF-8");
  }
  return TextDecoder(charset);
}

bool TextDecoder::is_plain(std::string_view text) const {
  if (utf8_) return utf8::is_valid(text);
  // Escape and shift codes switch some charsets to another alphabet within ASCII.
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || byte == 0x1B || byte == 0x0E || byte == 0x0F;
  });
}

std::string TextDecoder::decode(std::string_view text) {
  std::string result;
  result.reserve(text.size() + 16);
  decoder_.reset();
  CHECK(decoder_.decode(text, result).ok());  // what is damaged is replaced
  return result;
}

}  // namespace standpipe

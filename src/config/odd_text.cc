#include "config/odd_text.h"

#include <fmt/format.h>

#include "base/text.h"
#include "codec/utf8.h"

namespace standpipe {

namespace {

enum class Class : unsigned char { normal, space, zero_width, full_width, quote, dash, full_stop };

Class classify(char32_t c) {
  if (c < 0xA0) return Class::normal;
  if (c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000) {
    return Class::space;
  }
  const bool direction_mark = (c >= 0x200E && c <= 0x200F) || (c >= 0x202A && c <= 0x202E);
  if (c == 0xAD || (c >= 0x200B && c <= 0x200D) || direction_mark || c == 0x2060 || c == 0xFEFF) {
    return Class::zero_width;
  }
  if (c >= 0xFF01 && c <= 0xFF5E) return Class::full_width;
  if (c >= 0x2018 && c <= 0x201F) return Class::quote;
  if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212) return Class::dash;
  if (c == 0x3002) return Class::full_stop;
  return Class::normal;
}

void append_plain(std::string& out, char32_t c, Class kind) {
  switch (kind) {
    case Class::space: out.push_back(' '); break;
    case Class::zero_width: break;
    case Class::full_width: utf8::append(out, c - 0xFEE0); break;
    case Class::quote: out.push_back(c <= 0x201B ? '\'' : '"'); break;
    case Class::dash: out.push_back('-'); break;
    case Class::full_stop: out.push_back('.'); break;
    case Class::normal: utf8::append(out, c); break;
  }
}

bool is_invisible(Class kind) { return kind == Class::space || kind == Class::zero_width; }

}  // namespace

OddText plain_text(std::string_view text, bool is_key) {
  OddText result;
  if (utf8::is_ascii(text)) {
    result.text = text;
    return result;
  }
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Step c = utf8::step(text.substr(at));
    if (c.code_point == utf8::kMalformed) {  // can't be: the parser hands out UTF-8; keep the byte
      result.text.push_back(text[at++]);
      continue;
    }
    Class kind = classify(c.code_point);
    if (kind == Class::full_stop && !is_key) kind = Class::normal;
    if (kind != Class::normal && !result.changed()) result.first_odd = c.code_point;
    append_plain(result.text, c.code_point, kind);
    at += c.size;
  }
  return result;
}

OddText plain_ends(std::string_view text) {
  OddText result;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const utf8::Step c = utf8::step(text.substr(begin));
    const bool blank = c.size == 1 && c.code_point <= ' ';
    if (c.code_point == utf8::kMalformed || (!blank && !is_invisible(classify(c.code_point)))) break;
    if (!blank && !result.changed()) result.first_odd = c.code_point;
    begin += c.size;
  }
  std::size_t end = text.size();
  while (end > begin) {
    std::size_t last = end - 1;
    while (last > begin && (static_cast<unsigned char>(text[last]) & 0xC0U) == 0x80) --last;
    const utf8::Step c = utf8::step(text.substr(last));
    const bool blank = c.size == 1 && c.code_point <= ' ';
    if (c.code_point == utf8::kMalformed || (!blank && !is_invisible(classify(c.code_point)))) break;
    if (!blank && !result.changed()) result.first_odd = c.code_point;
    end = last;
  }
  result.text = result.changed() ? text.substr(begin, end - begin) : text;
  return result;
}

char32_t first_odd_character(std::string_view text) { return plain_text(text, false).first_odd; }

std::string describe_character(char32_t character) {
  const auto code = static_cast<std::uint32_t>(character);
  switch (classify(character)) {
    case Class::space:
      return fmt::format("{} (U+{:04X})",
                         character == 0x3000 ? "a full-width space" : "a non-breaking or special space", code);
    case Class::zero_width: return fmt::format("an invisible character (U+{:04X})", code);
    case Class::full_width:
    case Class::full_stop: return fmt::format("full-width punctuation or letters (U+{:04X})", code);
    case Class::quote: return fmt::format("a curly quote (U+{:04X})", code);
    case Class::dash: return fmt::format("a typographic dash (U+{:04X})", code);
    case Class::normal: break;
  }
  return fmt::format("an odd character (U+{:04X})", code);
}

}  // namespace standpipe

#include "codec/utf8.h"

#include <algorithm>
#include <cstring>

#include <simdjson.h>

namespace standpipe::utf8 {

namespace {

struct Lead {
  std::size_t size = 0;        // 0: no lead byte
  unsigned char least = 0x80;  // of the second byte
  unsigned char most = 0xbf;
};

Lead lead(unsigned char byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {2, 0x80, 0xbf};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};  // no surrogates
  if (byte >= 0xe1 && byte <= 0xef) return {3, 0x80, 0xbf};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {4, 0x80, 0xbf};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  return {};
}

std::size_t units_of(Step step) { return step.code_point != kMalformed && step.code_point >= 0x10000 ? 2 : 1; }

}  // namespace

bool is_ascii(std::string_view text) {
  std::uint64_t high = 0;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    high |= word;
  }
  for (; at < text.size(); ++at) high |= static_cast<unsigned char>(text[at]);
  return (high & 0x8080808080808080u) == 0;
}

Step step(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  const Lead found = lead(first);
  if (found.size == 0) return {kMalformed, 1};
  std::uint32_t code_point = first & (0x7fu >> found.size);
  for (std::size_t i = 1; i < found.size; ++i) {
    const auto byte = static_cast<unsigned char>(i < text.size() ? text[i] : 0);
    const bool fits = i == 1 ? byte >= found.least && byte <= found.most : (byte & 0xc0) == 0x80;
    if (i >= text.size() || !fits) return {kMalformed, i};
    code_point = code_point << 6 | (byte & 0x3fu);
  }
  return {code_point, found.size};
}

bool is_valid(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

void append(std::string& out, std::uint32_t code_point) {
  if ((code_point >= 0xd800 && code_point <= 0xdfff) || code_point > 0x10ffff) code_point = 0xfffd;
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xc0 | code_point >> 6);
    out += static_cast<char>(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xe0 | code_point >> 12);
    out += static_cast<char>(0x80 | (code_point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code_point & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code_point >> 18);
    out += static_cast<char>(0x80 | (code_point >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code_point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code_point & 0x3f));
  }
}

void append_replacing(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const Step next = step(text);
    out += next.code_point == kMalformed ? kReplacement : text.substr(0, next.size);
    text.remove_prefix(next.size);
  }
}

std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  while (!text.empty()) {
    const Step next = step(text);
    units += units_of(next);
    text.remove_prefix(next.size);
  }
  return units;
}

std::size_t utf16_prefix(std::string_view text, std::size_t units) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Step next = step(text.substr(at));
    const std::size_t more = units_of(next);
    if (more > units && at > 0) break;
    units -= std::min(more, units);
    at += next.size;
  }
  return at;
}

}  // namespace standpipe::utf8

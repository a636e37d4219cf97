#include "net/text_decoder.h"

#include <iconv.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/text.h"

namespace standpipe {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_utf8(std::string_view charset) {
  return equals_ignoring_case(charset, "utf-8") || equals_ignoring_case(charset, "utf8");
}

struct Sequence {
  std::size_t size;  // bytes of the character, or of the damage that one replacement stands for
  bool good;
};

/// What follows a lead byte, and between which limits the first of it must lie (no overlong form, no surrogate).
struct Lead {
  std::size_t more;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {0};
}

Sequence next_sequence(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {1, true};
  Lead lead = lead_of(first);
  if (lead.more == 0) return {1, false};
  for (std::size_t i = 1; i <= lead.more; ++i) {
    const auto byte = i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    if (byte < lead.low || byte > lead.high) return {i, false};
    lead.low = 0x80;
    lead.high = 0xBF;
  }
  return {lead.more + 1, true};
}

std::string repair_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size() + 16);
  while (!text.empty()) {
    const Sequence sequence = next_sequence(text);
    result += sequence.good ? text.substr(0, sequence.size) : kReplacement;
    text.remove_prefix(sequence.size);
  }
  return result;
}

}  // namespace

struct TextDecoder::Converter {
  explicit Converter(iconv_t opened) : handle(opened) {}
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() { ::iconv_close(handle); }

  std::string convert(std::string_view text) {
    std::string result;
    std::array<char, 1024> chunk;
    char* in = const_cast<char*>(text.data());  // iconv's signature: it does not write there
    std::size_t left = text.size();
    ::iconv(handle, nullptr, nullptr, nullptr, nullptr);
    while (left > 0) {
      char* out = chunk.data();
      std::size_t room = chunk.size();
      const std::size_t done = ::iconv(handle, &in, &left, &out, &room);
      const int error = errno;
      result.append(chunk.data(), chunk.size() - room);
      if (done != static_cast<std::size_t>(-1) || error == E2BIG) continue;
      result += kReplacement;
      if (error == EINVAL) break;  // ends in the middle of a character
      ++in;
      --left;
    }
    return result;
  }

  iconv_t handle;
};

TextDecoder::TextDecoder(std::unique_ptr<Converter> converter) : converter_(std::move(converter)) {}
TextDecoder::TextDecoder(TextDecoder&&) noexcept = default;
TextDecoder& TextDecoder::operator=(TextDecoder&&) noexcept = default;
TextDecoder::~TextDecoder() = default;

Result<TextDecoder> TextDecoder::make(std::string_view charset) {
  charset = trim(charset);
  if (is_utf8(charset)) return TextDecoder(nullptr);
  const iconv_t handle = ::iconv_open("UTF-8", std::string(charset).c_str());
  if (handle == reinterpret_cast<iconv_t>(-1)) {
    return Status(Code::invalid,
                  fmt::format("charset '{}' is unknown: 'iconv -l' lists those of this machine", charset));
  }
  auto converter = std::make_unique<Converter>(handle);
  // is_plain() and the cutting into lines rest on ASCII standing for itself.
  if (converter->convert("A\n") != "A\n") {
    return Status(Code::invalid, fmt::format("charset '{}' can't be cut into lines here: send UTF-8", charset));
  }
  return TextDecoder(std::move(converter));
}

bool TextDecoder::is_plain(std::string_view text) const {
  if (converter_ == nullptr) return simdjson::validate_utf8(text.data(), text.size());
  // Escape and shift codes switch some charsets to another alphabet within ASCII.
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || byte == 0x1B || byte == 0x0E || byte == 0x0F) return false;
  }
  return true;
}

std::string TextDecoder::decode(std::string_view text) {
  return converter_ == nullptr ? repair_utf8(text) : converter_->convert(text);
}

std::size_t utf16_length(std::string_view text) {
  std::size_t units = 0;
  while (!text.empty()) {
    const Sequence sequence = next_sequence(text);
    units += sequence.good && sequence.size == 4 ? 2 : 1;
    text.remove_prefix(sequence.size);
  }
  return units;
}

}  // namespace standpipe

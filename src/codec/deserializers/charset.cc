#include "codec/deserializers/charset.h"

#include <iconv.h>

#include <cerrno>
#include <cstdint>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/utf8.h"

namespace standpipe {

namespace {

// Java's names of what the C library spells otherwise.
std::string library_name(const std::string& name) {
  if (name.starts_with("windows-")) return "CP" + name.substr(8);
  if (name.starts_with("x-windows-")) return "CP" + name.substr(10);
  if (name.starts_with("ibm")) return "IBM" + name.substr(name.starts_with("ibm-") ? 4 : 3);
  if (name.starts_with("x-")) return name.substr(2);
  return name;
}

struct Iconv {
  iconv_t handle = reinterpret_cast<iconv_t>(-1);
  Iconv(const std::string& to, const std::string& from) : handle(::iconv_open(to.c_str(), from.c_str())) {}
  Iconv(const Iconv&) = delete;
  Iconv& operator=(const Iconv&) = delete;
  ~Iconv() {
    if (good()) ::iconv_close(handle);
  }
  bool good() const { return handle != reinterpret_cast<iconv_t>(-1); }

  // Converts what it can; returns the bytes of `bytes` that are left (0: all done).
  std::size_t run(std::string_view bytes, std::string& out) {
    char* in = const_cast<char*>(bytes.data());  // iconv's signature; it does not write there
    std::size_t left = bytes.size();
    while (left > 0) {
      char buffer[4096];
      char* to = buffer;
      std::size_t room = sizeof buffer;
      const std::size_t result = ::iconv(handle, &in, &left, &to, &room);
      out.append(buffer, sizeof buffer - room);
      if (result == static_cast<std::size_t>(-1) && errno != E2BIG) break;
    }
    return left;
  }
  void reset() { ::iconv(handle, nullptr, nullptr, nullptr, nullptr); }
};

Status undecodable(std::size_t at) {
  return {Code::corrupt, fmt::format("the bytes {} bytes into the line are not of the input charset", at)};
}

}  // namespace

struct Charset::Converters {
  Iconv decoder;
  Iconv encoder;
};

Charset::Charset(Kind kind, std::size_t unit, bool little_endian)
    : kind_(kind), unit_(unit), little_endian_(little_endian) {}
Charset::Charset(Charset&&) noexcept = default;
Charset& Charset::operator=(Charset&&) noexcept = default;
Charset::~Charset() = default;

Result<Charset> Charset::find(std::string_view java_name) {
  const std::string name = to_lower(java_name);
  if (name == "utf-8" || name == "utf8") return Charset(Kind::utf8, 1, false);
  if (name == "iso-8859-1" || name == "iso8859_1" || name == "latin1") return Charset(Kind::latin1, 1, false);
  if (name == "us-ascii" || name == "ascii") return Charset(Kind::ascii, 1, false);
  const std::size_t unit = name.starts_with("utf-16") ? 2 : name.starts_with("utf-32") ? 4 : 1;
  // Java reads UTF-16 without a mark as big-endian.
  std::string library = library_name(name);
  if (library == "utf-16" || library == "utf-32") library += "be";
  Charset charset(Kind::other, unit, library.ends_with("le"));
  charset.converters_.reset(new Converters{{"UTF-8", library}, {library, "UTF-8"}});
  if (!charset.converters_->decoder.good() || !charset.converters_->encoder.good()) {
    return Status(Code::invalid, fmt::format("the charset '{}' is not known here", java_name));
  }
  return charset;
}

Status check_charset(std::string_view name) { return Charset::find(name).status(); }

bool Charset::is_line_feed(const char* at) const {
  for (std::size_t i = 0; i < unit_; ++i) {
    const bool low = little_endian_ ? i == 0 : i + 1 == unit_;
    if (at[i] != (low ? '\n' : '\0')) return false;
  }
  return true;
}

Status Charset::decode(std::string_view bytes, DecodeErrorPolicy policy, std::string& out) {
  if (kind_ == Kind::other) return decode_other(bytes, policy, out);
  for (std::size_t at = 0; at < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    utf8::Step step{byte, 1};
    if (kind_ == Kind::utf8) step = utf8::step(bytes.substr(at));
    if (kind_ == Kind::ascii && byte >= 0x80) step.code_point = utf8::kMalformed;
    if (step.code_point != utf8::kMalformed) {
      utf8::append(out, step.code_point);
    } else if (policy == DecodeErrorPolicy::fail) {
      return undecodable(at);
    } else if (policy == DecodeErrorPolicy::replace) {
      out += utf8::kReplacement;
    }
    at += step.size;
  }
  return {};
}

Status Charset::decode_other(std::string_view bytes, DecodeErrorPolicy policy, std::string& out) {
  converters_->decoder.reset();
  std::string_view rest = bytes;
  for (;;) {
    const std::size_t left = converters_->decoder.run(rest, out);
    if (left == 0) return {};
    if (policy == DecodeErrorPolicy::fail) return undecodable(bytes.size() - left);
    if (policy == DecodeErrorPolicy::replace) out += utf8::kReplacement;
    rest = rest.substr(rest.size() - left + std::min(left, unit_));
  }
}

void Charset::encode(std::string_view text, std::string& out) {
  if (kind_ == Kind::utf8) {
    out += text;
    return;
  }
  if (kind_ == Kind::other) {
    converters_->encoder.reset();
    for (;;) {
      const std::size_t left = converters_->encoder.run(text, out);
      if (left == 0) return;
      text = text.substr(text.size() - left);
      converters_->encoder.run("?", out);
      text.remove_prefix(utf8::step(text).size);
    }
  }
  const std::uint32_t limit = kind_ == Kind::latin1 ? 0x100 : 0x80;
  while (!text.empty()) {
    const utf8::Step step = utf8::step(text);
    out += step.code_point < limit ? static_cast<char>(step.code_point) : '?';
    text.remove_prefix(step.size);
  }
}

std::size_t Charset::whole_pieces(std::string_view bytes, std::size_t units) const {
  if (kind_ == Kind::other) {
    const std::size_t piece = units * std::max<std::size_t>(unit_, 1);
    return bytes.size() < piece ? bytes.size() / unit_ * unit_ : bytes.size() / piece * piece;
  }
  if (kind_ != Kind::utf8) return bytes.size() < units ? bytes.size() : bytes.size() / units * units;
  std::size_t whole = 0;
  std::size_t counted = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const utf8::Step step = utf8::step(bytes.substr(at));
    // A sequence that the end of the bytes cuts is left for the next piece.
    if (step.code_point == utf8::kMalformed && bytes.size() - at < 4) break;
    const std::size_t wide = step.code_point != utf8::kMalformed && step.code_point >= 0x10000 ? 2 : 1;
    if (counted + wide > units) {
      whole = at;
      counted = 0;
    }
    counted += wide;
    at += step.size;
  }
  return whole;
}

std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    units += (byte & 0xC0) != 0x80;  // every sequence
    units += byte >= 0xF0;           // a surrogate pair
  }
  return units;
}

std::size_t utf8_prefix(std::string_view text, std::size_t units) {
  std::size_t at = 0;
  while (at < text.size()) {
    const utf8::Step step = utf8::step(text.substr(at));
    const std::size_t wide = step.code_point >= 0x10000 && step.code_point != utf8::kMalformed ? 2 : 1;
    if (wide > units) break;
    units -= wide;
    at += step.size;
  }
  return at;
}

}  // namespace standpipe

#include "codec/charset.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "codec/utf8.h"

namespace standpipe {

namespace {

constexpr std::size_t kChunk = 4096;
const iconv_t kNone = reinterpret_cast<iconv_t>(-1);

// Java's names (lower case) that iconv spells otherwise.
constexpr std::array<std::pair<std::string_view, std::string_view>, 24> kNames = {{
    {"utf8", "UTF-8"},
    {"utf-16", "UTF-16BE"},  // without a byte-order mark Java takes the high byte first; see decode_iconv()
    {"utf16", "UTF-16BE"},
    {"utf-32", "UTF-32BE"},
    {"utf32", "UTF-32BE"},
    {"unicodebigunmarked", "UTF-16BE"},
    {"unicodelittleunmarked", "UTF-16LE"},
    {"ascii7", "US-ASCII"},
    {"iso8859_1", "ISO-8859-1"},
    {"iso8859_2", "ISO-8859-2"},
    {"iso8859_5", "ISO-8859-5"},
    {"iso8859_7", "ISO-8859-7"},
    {"iso8859_9", "ISO-8859-9"},
    {"iso8859_15", "ISO-8859-15"},
    {"koi8_r", "KOI8-R"},
    {"euc_cn", "GB2312"},
    {"euc_jp", "EUC-JP"},
    {"euc_kr", "EUC-KR"},
    {"ms932", "CP932"},
    {"ms936", "CP936"},
    {"ms949", "CP949"},
    {"ms950", "CP950"},
    {"windows-31j", "CP932"},
    {"x-macroman", "MACINTOSH"},
}};

/// What glibc may call it: the table's, or the name itself with Java's prefixes removed.
std::string iconv_name(std::string_view java_name) {
  const std::string lower = to_lower(java_name);
  for (const auto& [java, native] : kNames) {
    if (java == lower) return std::string(native);
  }
  if (lower.starts_with("x-windows-")) return "CP" + lower.substr(10);
  if (lower.starts_with("x-")) return std::string(java_name.substr(2));
  return std::string(java_name);
}

Charset::Family family_of(const std::string& native) {
  const std::string lower = to_lower(native);
  if (lower == "utf-8") return Charset::Family::utf8;
  if (lower == "us-ascii" || lower == "ascii" || lower == "iso646-us" || lower == "646") return Charset::Family::ascii;
  if (lower == "iso-8859-1" || lower == "latin1" || lower == "l1" || lower == "iso_8859-1" || lower == "iso8859-1") {
    return Charset::Family::latin1;
  }
  return Charset::Family::other;
}

bool is_marked_unicode(std::string_view java_name) {
  const std::string lower = to_lower(java_name);
  return lower == "utf-16" || lower == "utf16" || lower == "utf-32" || lower == "utf32";
}

/// An iconv descriptor; closed with its owner.
struct Descriptor {
  Descriptor(const std::string& to, const std::string& from) : handle(iconv_open(to.c_str(), from.c_str())) {}
  ~Descriptor() {
    if (handle != kNone) iconv_close(handle);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  iconv_t handle;
};

/// Converts until the end or the first trouble: moves `in` forward, appends to `out`; returns errno, 0 when all was
/// done.
int convert(iconv_t handle, std::string_view& in, std::string& out) {
  std::array<char, kChunk> buffer;
  for (;;) {
    char* from = const_cast<char*>(in.data());
    std::size_t left = in.size();
    char* to = buffer.data();
    std::size_t room = buffer.size();
    const std::size_t result = iconv(handle, &from, &left, &to, &room);
    const int error = result == static_cast<std::size_t>(-1) ? errno : 0;
    out.append(buffer.data(), buffer.size() - room);
    in.remove_prefix(in.size() - left);
    if (error != E2BIG) return error;
  }
}

}  // namespace

Result<Charset> Charset::find(std::string_view java_name) {
  Charset result;
  result.name_ = java_name;
  result.iconv_ = iconv_name(java_name);
  result.family_ = family_of(result.iconv_);
  if (result.family_ != Family::other) return result;
  // A slash would be one of iconv's own suffixes.
  const bool plain = !java_name.empty() && java_name.find('/') == std::string_view::npos &&
                     java_name.find('\0') == std::string_view::npos;
  const Descriptor decoder("UTF-8", plain ? result.iconv_ : "none");
  const Descriptor encoder(plain ? result.iconv_ : "none", "UTF-8");
  if (decoder.handle == kNone || encoder.handle == kNone) {
    return Status(Code::invalid, "unknown charset '" + std::string(java_name) +
                                     "': use a Java name such as UTF-8, ISO-8859-1, windows-1252 or GBK");
  }
  const std::string native = to_lower(result.iconv_);
  result.unit_ = native.starts_with("utf-32") ? 4 : native.starts_with("utf-16") ? 2 : 1;
  result.low_byte_first_ = native.ends_with("le");
  std::string text;
  std::string_view line_feed = "\n";
  if (result.unit_ == 1 && (convert(decoder.handle, line_feed, text) != 0 || text != "\n")) {
    return Status(Code::invalid, "charset '" + std::string(java_name) + "' can't be cut into lines: use UTF-8");
  }
  return result;
}

bool Charset::is_line_feed(const char* at) const {
  for (std::size_t i = 0; i < unit_; ++i) {
    const bool low = low_byte_first_ ? i == 0 : i + 1 == unit_;
    if (at[i] != (low ? '\n' : '\0')) return false;
  }
  return true;
}

std::size_t Charset::whole_pieces(std::string_view bytes, std::size_t units) const {
  if (family_ != Family::utf8) {
    const std::size_t piece = units * unit_;
    return bytes.size() < piece ? bytes.size() / unit_ * unit_ : bytes.size() / piece * piece;
  }
  std::size_t whole = 0;
  for (;;) {
    const std::string_view rest = bytes.substr(whole);
    const std::size_t size = utf8::utf16_prefix(rest, units);
    // The last piece may go on, and so may a sequence that the end of the bytes cuts.
    if (size + 4 > rest.size()) return whole;
    whole += size;
  }
}

// -- decoding

struct CharsetDecoder::Iconv {
  explicit Iconv(const std::string& from) : from_name(from), main("UTF-8", from) {}
  std::string from_name;
  Descriptor main;
  std::unique_ptr<Descriptor> swapped;  // after a mark that says: low byte first
  bool marks = false;                   // the name asks for a byte-order mark
  bool at_start = true;
};

CharsetDecoder::CharsetDecoder(Charset charset, OnMalformed policy) : charset_(std::move(charset)), policy_(policy) {
  if (charset_.family_ != Charset::Family::other) return;
  iconv_ = std::make_unique<Iconv>(charset_.iconv_);
  iconv_->marks = is_marked_unicode(charset_.name_);
  CHECK(iconv_->main.handle != kNone);
}
CharsetDecoder::~CharsetDecoder() = default;
CharsetDecoder::CharsetDecoder(CharsetDecoder&&) noexcept = default;
CharsetDecoder& CharsetDecoder::operator=(CharsetDecoder&&) noexcept = default;

void CharsetDecoder::reset() {
  if (iconv_ == nullptr) return;
  iconv(iconv_->main.handle, nullptr, nullptr, nullptr, nullptr);
  iconv_->swapped.reset();
  iconv_->at_start = true;
}

Status CharsetDecoder::malformed(std::size_t offset, std::string& out) const {
  if (policy_ == OnMalformed::replace) out += utf8::kReplacement;
  if (policy_ != OnMalformed::fail) return {};
  return {Code::corrupt, "byte " + std::to_string(offset) + " is not valid in " + charset_.name_};
}

Result<std::size_t> CharsetDecoder::decode(std::string_view bytes, std::string& out, bool last) {
  switch (charset_.family_) {
    case Charset::Family::utf8: return decode_utf8(bytes, out, last);
    case Charset::Family::ascii:
    case Charset::Family::latin1: return decode_single_bytes(bytes, out);
    default: return decode_iconv(bytes, out, last);
  }
}

Result<std::size_t> CharsetDecoder::decode_utf8(std::string_view bytes, std::string& out, bool last) const {
  if (utf8::is_valid(bytes)) {
    out += bytes;
    return bytes.size();
  }
  for (std::size_t at = 0; at < bytes.size();) {
    const utf8::Step next = utf8::step(bytes.substr(at));
    if (next.code_point != utf8::kMalformed) {
      out += bytes.substr(at, next.size);
    } else if (!last && at + next.size == bytes.size() && static_cast<unsigned char>(bytes[at]) >= 0xc2 &&
               static_cast<unsigned char>(bytes[at]) <= 0xf4) {
      return at;  // well-formed so far: the rest may follow
    } else {
      TRY(malformed(at, out));
    }
    at += next.size;
  }
  return bytes.size();
}

Result<std::size_t> CharsetDecoder::decode_single_bytes(std::string_view bytes, std::string& out) const {
  if (utf8::is_ascii(bytes)) {
    out += bytes;
    return bytes.size();
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    if (byte < 0x80 || charset_.family_ == Charset::Family::latin1) {
      utf8::append(out, byte);
    } else {
      TRY(malformed(at, out));
    }
  }
  return bytes.size();
}

Result<std::size_t> CharsetDecoder::decode_iconv(std::string_view bytes, std::string& out, bool last) {
  std::string_view rest = bytes;
  if (iconv_->at_start && iconv_->marks) {
    const bool wide = iconv_->from_name == "UTF-32BE";
    const std::string_view big = wide ? std::string_view("\0\0\xfe\xff", 4) : std::string_view("\xfe\xff");
    const std::string_view little = wide ? std::string_view("\xff\xfe\0\0", 4) : std::string_view("\xff\xfe");
    if (!last && rest.size() < big.size()) return std::size_t{0};
    if (rest.starts_with(little)) {
      iconv_->swapped = std::make_unique<Descriptor>("UTF-8", wide ? "UTF-32LE" : "UTF-16LE");
      CHECK(iconv_->swapped->handle != kNone);
    }
    if (rest.starts_with(little) || rest.starts_with(big)) rest.remove_prefix(big.size());
  }
  iconv_->at_start = iconv_->at_start && bytes.empty();
  const iconv_t handle = iconv_->swapped != nullptr ? iconv_->swapped->handle : iconv_->main.handle;
  while (!rest.empty()) {
    const int error = convert(handle, rest, out);
    if (error == 0) break;
    if (error == EINVAL && !last) return bytes.size() - rest.size();
    TRY(malformed(bytes.size() - rest.size(), out));
    // A cut-off character ends the text; elsewhere one unit is passed over.
    rest.remove_prefix(error == EINVAL ? rest.size() : std::min(charset_.unit_, rest.size()));
  }
  return bytes.size();
}

std::string to_utf8(std::string_view bytes, std::string_view standard_charset) {
  auto charset = Charset::find(standard_charset);
  CHECK(charset.ok());
  std::string text;
  CHECK(CharsetDecoder(std::move(charset).value(), OnMalformed::replace).decode(bytes, text).ok());
  return text;
}

// -- encoding

struct CharsetEncoder::Iconv {
  explicit Iconv(const std::string& to) : main(to, "UTF-8") {}
  Descriptor main;
  std::string scratch;
};

CharsetEncoder::CharsetEncoder(Charset charset, OnMalformed policy) : charset_(std::move(charset)), policy_(policy) {
  if (charset_.family_ == Charset::Family::utf8) return;
  iconv_ = std::make_unique<Iconv>(charset_.iconv_);
  CHECK(iconv_->main.handle != kNone);
}
CharsetEncoder::~CharsetEncoder() = default;
CharsetEncoder::CharsetEncoder(CharsetEncoder&&) noexcept = default;
CharsetEncoder& CharsetEncoder::operator=(CharsetEncoder&&) noexcept = default;

Status CharsetEncoder::encode(std::string_view utf8, std::string& out) {
  const bool same =
      charset_.family_ == Charset::Family::utf8 || (charset_.family_ != Charset::Family::other && utf8::is_ascii(utf8));
  if (same) {
    out += utf8;
    return {};
  }
  return encode_iconv(utf8, out);
}

Status CharsetEncoder::unmappable(std::size_t offset, std::string& out) {
  if (policy_ == OnMalformed::fail) {
    return {Code::corrupt, "the character at byte " + std::to_string(offset) + " does not exist in " + charset_.name_};
  }
  if (policy_ == OnMalformed::ignore) return {};
  std::string_view mark = "?";
  convert(iconv_->main.handle, mark, out);
  return {};
}

Status CharsetEncoder::encode_iconv(std::string_view utf8, std::string& out) {
  const iconv_t handle = iconv_->main.handle;
  iconv(handle, nullptr, nullptr, nullptr, nullptr);
  if (to_lower(charset_.name_) == "utf-16" || to_lower(charset_.name_) == "utf16") out += "\xfe\xff";  // as Java does
  std::string_view rest = utf8;
  while (!rest.empty()) {
    const int error = convert(handle, rest, out);
    if (error == 0) break;
    TRY(unmappable(utf8.size() - rest.size(), out));
    rest.remove_prefix(utf8::step(rest).size);
  }
  // Back to the initial shift state.
  std::array<char, 16> tail;
  char* to = tail.data();
  std::size_t room = tail.size();
  iconv(handle, nullptr, nullptr, &to, &room);
  out.append(tail.data(), tail.size() - room);
  return {};
}

}  // namespace standpipe

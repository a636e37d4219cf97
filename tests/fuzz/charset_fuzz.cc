// Text of every character set that we decode ourselves or through iconv: what comes out is UTF-8, and the same whether
// the bytes come at once or in pieces, cut by us or by whole_pieces(). What was encoded is decoded to the same text.
// The bytes as UTF-8, whatever they are: all ways to walk over them agree.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/charset.h"
#include "codec/utf8.h"

namespace {

using namespace standpipe;

// Inputs name them by index: new ones go to the end.
constexpr const char* kNames[] = {"UTF-8",      "US-ASCII", "ISO-8859-1", "Cp1252",        "GBK",
                                  "UTF-16",     "UTF-16LE", "UTF-32BE",   "Shift_JIS",     "ISO-2022-JP",
                                  "UTF-32",     "utf8",     "ISO8859_1",  "x-windows-874", "UnicodeLittleUnmarked",
                                  "x-MacRoman", "EUC_JP",   "Big5",       "KOI8_R",        "ASCII",
                                  "IBM037",     "GB18030",  "UTF-32LE",   "nothing/such"};

// Nothing where the policy refuses the bytes.
bool decode(CharsetDecoder& decoder, std::string_view bytes, std::size_t piece, std::string& text) {
  std::string waiting;
  while (!bytes.empty() || !waiting.empty()) {
    waiting += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    const bool last = bytes.empty();
    const auto used = decoder.decode(waiting, text, last);
    if (!used.ok()) return false;
    CHECK(*used <= waiting.size() && (!last || *used == waiting.size()));
    waiting.erase(0, *used);
  }
  return true;
}

/// A decoder that is reset is like a new one.
void check_reset(CharsetDecoder& decoder, std::string_view bytes, const std::string& expected) {
  decoder.reset();
  std::string again;
  CHECK(decode(decoder, bytes, bytes.size() + 1, again) && again == expected);
}

/// whole_pieces() cuts nothing in two, and as much as fits.
void check_pieces(const Charset& charset, std::string_view bytes, std::size_t units) {
  const std::size_t size = charset.whole_pieces(bytes, units);
  CHECK(size <= bytes.size() && size % charset.unit() == 0);
  if (!charset.is_utf8()) return;
  const std::string_view rest = bytes.substr(size);
  CHECK(utf8::utf16_units(bytes) == utf8::utf16_units(bytes.substr(0, size)) + utf8::utf16_units(rest));
  CHECK(utf8::utf16_prefix(rest, units) + 4 > rest.size());
}

/// A line feed in the character set is one unit, found as such; in front of it a byte-order mark may stand.
void check_line_feed(const Charset& charset) {
  CharsetEncoder encoder(charset, OnMalformed::fail);
  std::string encoded;
  CHECK(encoder.encode("\n", encoded).ok() && encoded.size() >= charset.unit());
  CHECK(charset.is_line_feed(encoded.data() + encoded.size() - charset.unit()));
}

void check_charset(const Charset& charset, OnMalformed policy, std::size_t piece, std::string_view bytes) {
  CharsetDecoder at_once(charset, policy);
  CharsetDecoder in_pieces(charset, policy);
  std::string whole;
  std::string pieces;
  const bool good = decode(at_once, bytes, bytes.size() + 1, whole);
  CHECK(decode(in_pieces, bytes, piece, pieces) == good);
  CHECK(utf8::is_valid(whole) && utf8::is_valid(pieces));
  CHECK(good || policy == OnMalformed::fail);
  if (good) CHECK(whole == pieces);
  if (good) check_reset(at_once, bytes, whole);
  check_pieces(charset, bytes, piece);
  check_line_feed(charset);
  // An escape that is text can't be told from one that shifts.
  if (!good || policy != OnMalformed::fail || whole.find('\x1b') != std::string::npos) return;
  CharsetEncoder encoder(charset, OnMalformed::fail);
  std::string encoded;
  if (const Status status = encoder.encode(whole, encoded); !status.ok()) return;
  CharsetDecoder again(charset, OnMalformed::fail);
  std::string same;
  CHECK(decode(again, encoded, encoded.size() + 1, same) && same == whole);
}

/// Valid text in a character set that may lack some of it: replacing and leaving out never fail, and what comes back
/// has nothing that was not in the text.
void check_encoder(const Charset& charset, std::string_view text) {
  for (const OnMalformed policy : {OnMalformed::replace, OnMalformed::ignore}) {
    CharsetEncoder encoder(charset, policy);
    std::string encoded;
    CHECK(encoder.encode(text, encoded).ok());
    CharsetDecoder decoder(charset, OnMalformed::replace);
    std::string back;
    CHECK(decode(decoder, encoded, encoded.size() + 1, back));
    if (policy == OnMalformed::ignore) CHECK(utf8::utf16_units(back) <= utf8::utf16_units(text));
  }
}

void check_utf8(std::string_view bytes, std::size_t units) {
  std::string replaced;
  utf8::append_replacing(replaced, bytes);
  CHECK(utf8::is_valid(replaced) && to_utf8(bytes, "UTF-8") == replaced);
  CHECK((replaced == bytes) == utf8::is_valid(bytes));
  CHECK(utf8::utf16_units(replaced) == utf8::utf16_units(bytes));
  std::string walked;
  std::size_t widest = 0;
  for (std::string_view rest = replaced; !rest.empty();) {
    const utf8::Step next = utf8::step(rest);
    utf8::append(walked, next.code_point);
    widest = std::max(widest, next.size);
    rest.remove_prefix(next.size);
  }
  CHECK(walked == replaced && utf8::is_ascii(replaced) == (widest <= 1));
  const std::size_t prefix = utf8::utf16_prefix(replaced, units);
  const std::size_t inside = utf8::utf16_units(std::string_view(replaced).substr(0, prefix));
  // One unit may be left where a pair follows; a pair is given where one unit is asked for.
  CHECK(inside <= std::max<std::size_t>(units, 2) && (prefix == replaced.size() || inside + 1 >= units));
  CHECK(utf8::is_valid(std::string_view(replaced).substr(0, prefix)));
}

/// Four bytes as a code point, whatever they are.
void check_code_point(std::string_view bytes) {
  std::uint32_t code_point = 0;
  for (const char c : bytes.substr(0, 4)) code_point = code_point << 8 | static_cast<unsigned char>(c);
  std::string text;
  utf8::append(text, code_point);
  const utf8::Step step = utf8::step(text);
  CHECK(utf8::is_valid(text) && step.size == text.size());
  CHECK(step.code_point == code_point || text == utf8::kReplacement);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::size_t piece = 1 + data[2] % 16;
  check_utf8(bytes, piece);
  check_code_point(bytes);
  const auto charset = Charset::find(kNames[data[0] % std::size(kNames)]);
  if (!charset.ok()) return 0;
  check_charset(*charset, static_cast<OnMalformed>(data[1] % 3), piece, bytes);
  std::string text;
  utf8::append_replacing(text, bytes);
  if (text.find('\x1b') == std::string::npos) check_encoder(*charset, text);
  return 0;
}

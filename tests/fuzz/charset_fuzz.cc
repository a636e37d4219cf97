// Text of every character set that we decode ourselves or through iconv: what comes out is UTF-8, and the same whether
// the bytes come at once or in pieces. What was encoded is decoded to the same text.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/charset.h"
#include "codec/utf8.h"

namespace {

using namespace standpipe;

constexpr const char* kNames[] = {"UTF-8",  "US-ASCII", "ISO-8859-1", "Cp1252",    "GBK",
                                  "UTF-16", "UTF-16LE", "UTF-32BE",   "Shift_JIS", "ISO-2022-JP"};

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto charset = Charset::find(kNames[data[0] % std::size(kNames)]);
  if (!charset.ok()) return 0;
  const auto policy = static_cast<OnMalformed>(data[1] % 3);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  CharsetDecoder at_once(*charset, policy);
  CharsetDecoder in_pieces(*charset, policy);
  std::string whole;
  std::string pieces;
  const bool good = decode(at_once, bytes, bytes.size() + 1, whole);
  CHECK(decode(in_pieces, bytes, 1 + data[2] % 16, pieces) == good);
  CHECK(utf8::is_valid(whole) && utf8::is_valid(pieces));
  if (good) CHECK(whole == pieces);
  // An escape that is text can't be told from one that shifts.
  if (!good || policy != OnMalformed::fail || whole.find('\x1b') != std::string::npos) return 0;
  CharsetEncoder encoder(*charset, OnMalformed::fail);
  std::string encoded;
  if (const Status status = encoder.encode(whole, encoded); !status.ok()) return 0;
  CharsetDecoder again(*charset, OnMalformed::fail);
  std::string same;
  CHECK(decode(again, encoded, encoded.size() + 1, same) && same == whole);
  return 0;
}

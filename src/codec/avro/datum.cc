#include "codec/avro/datum.h"

#include <bit>
#include <cstring>
#include <limits>

namespace standpipe::avro {

namespace {

template <typename Word>
void put_little_endian(std::string& out, Word word) {
  for (std::size_t i = 0; i < sizeof(Word); ++i) out += static_cast<char>(word >> (8 * i));
}

template <typename Word>
Word little_endian(const char* from) {
  Word word = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) word |= Word{static_cast<unsigned char>(from[i])} << (8 * i);
  return word;
}

}  // namespace

void put_long(std::string& out, std::int64_t value) {
  // Zigzag: small numbers of either sign stay short.
  std::uint64_t rest = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  char bytes[10];
  std::size_t used = 0;
  for (; rest >= 0x80; rest >>= 7) bytes[used++] = static_cast<char>(rest | 0x80);
  bytes[used++] = static_cast<char>(rest);
  out.append(bytes, used);
}

void put_bytes(std::string& out, std::string_view bytes) {
  put_long(out, static_cast<std::int64_t>(bytes.size()));
  out += bytes;
}

void put_boolean(std::string& out, bool value) { out += value ? '\1' : '\0'; }
void put_float(std::string& out, float value) { put_little_endian(out, std::bit_cast<std::uint32_t>(value)); }
void put_double(std::string& out, double value) { put_little_endian(out, std::bit_cast<std::uint64_t>(value)); }

void put_headers(std::string& out, const Headers& headers) {
  if (!headers.empty()) {
    put_long(out, static_cast<std::int64_t>(headers.size()));
    for (const auto& [name, value] : headers) {
      put_bytes(out, name);
      put_bytes(out, value);
    }
  }
  out += '\0';
}

void put_event(std::string& out, const Headers& headers, std::string_view body) {
  put_headers(out, headers);
  put_bytes(out, body);
}

bool DatumReader::get_long(std::int64_t& value) {
  std::uint64_t result = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (at_ == end_) return false;
    const auto byte = static_cast<unsigned char>(*at_++);
    if (shift == 63 && byte > 1) return false;  // more than 64 bits
    result |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80u) == 0) {
      value = static_cast<std::int64_t>((result >> 1) ^ (~(result & 1) + 1));
      return true;
    }
  }
  return false;
}

bool DatumReader::get_int(std::int32_t& value) {
  std::int64_t wide = 0;
  if (!get_long(wide)) return false;
  value = static_cast<std::int32_t>(wide);
  return value == wide;
}

bool DatumReader::get_bytes(std::string_view& bytes) {
  std::int64_t size = 0;
  if (!get_long(size) || size < 0 || static_cast<std::uint64_t>(size) > remaining()) return false;
  bytes = {at_, static_cast<std::size_t>(size)};
  at_ += size;
  return true;
}

bool DatumReader::get_boolean(bool& value) {
  if (at_ == end_ || static_cast<unsigned char>(*at_) > 1) return false;
  value = *at_++ == 1;
  return true;
}

bool DatumReader::get_float(float& value) {
  if (remaining() < sizeof value) return false;
  value = std::bit_cast<float>(little_endian<std::uint32_t>(at_));
  at_ += sizeof value;
  return true;
}

bool DatumReader::get_double(double& value) {
  if (remaining() < sizeof value) return false;
  value = std::bit_cast<double>(little_endian<std::uint64_t>(at_));
  at_ += sizeof value;
  return true;
}

bool DatumReader::get_block(std::int64_t& count, std::int64_t& bytes) {
  bytes = -1;
  if (!get_long(count)) return false;
  if (count >= 0) return true;
  if (count == std::numeric_limits<std::int64_t>::min()) return false;
  count = -count;  // a negative count: the block's size follows
  return get_long(bytes) && bytes >= 0 && static_cast<std::uint64_t>(bytes) <= remaining();
}

bool DatumReader::skip(std::int64_t bytes) {
  if (bytes < 0 || static_cast<std::uint64_t>(bytes) > remaining()) return false;
  at_ += bytes;
  return true;
}

bool get_event(DatumReader& reader, Headers& headers, std::string_view& body) {
  headers = Headers();
  for (;;) {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    if (!reader.get_block(count, bytes)) return false;
    if (count == 0) break;
    for (; count > 0; --count) {
      std::string_view name;
      std::string_view value;
      if (!reader.get_bytes(name) || !reader.get_bytes(value)) return false;
      headers.set(name, value);
    }
  }
  return reader.get_bytes(body);
}

}  // namespace standpipe::avro

#include "rpc/avro/message.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace standpipe::avro {

namespace {

constexpr std::size_t kLongestError = 1000;
constexpr unsigned kWidestWindow = 1024;

std::string_view view(const ProtocolHash& hash) { return {hash.data(), hash.size()}; }

bool get_hash(DatumReader& reader, ProtocolHash& hash) {
  const std::size_t at = reader.position();
  if (!reader.skip(static_cast<std::int64_t>(hash.size()))) return false;
  const std::string_view bytes = reader.since(at);
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return true;
}

/// The branch of a union of null and something else; false when it is neither.
bool get_branch(DatumReader& reader, bool& present) {
  std::int64_t branch = 0;
  if (!reader.get_long(branch) || branch < 0 || branch > 1) return false;
  present = branch == 1;
  return true;
}

/// A map of bytes, of which only our key means anything. Every entry takes bytes of the message, so this ends.
bool get_meta(DatumReader& reader, unsigned& window) {
  for (;;) {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    if (!reader.get_block(count, bytes)) return false;
    if (count == 0) return true;
    for (; count > 0; --count) {
      std::string_view key;
      std::string_view value;
      if (!reader.get_bytes(key) || !reader.get_bytes(value)) return false;
      if (key != kWindowKey) continue;
      std::from_chars(value.data(), value.data() + value.size(), window);
      window = std::min(window, kWidestWindow);
    }
  }
}

bool get_optional_meta(DatumReader& reader, unsigned& window) {
  bool present = false;
  return get_branch(reader, present) && (!present || get_meta(reader, window));
}

void put_window(std::string& out, unsigned window) {
  put_long(out, 1);
  put_bytes(out, kWindowKey);
  put_bytes(out, std::to_string(window));
  put_long(out, 0);
}

void put_optional(std::string& out, const std::optional<std::string_view>& text) {
  put_long(out, text ? 1 : 0);
  if (text) put_bytes(out, *text);
}

bool get_optional(DatumReader& reader, std::optional<std::string_view>& text) {
  bool present = false;
  if (!get_branch(reader, present)) return false;
  return !present || reader.get_bytes(text.emplace());
}

Status no_answer() { return {Code::corrupt, "its answer is no answer of Avro's"}; }

/// An error: a branch of a union, of which 0, a text, is what every method may fail with.
Status get_error(DatumReader& reader) {
  std::int64_t branch = 0;
  std::string_view text;
  if (!reader.get_long(branch)) return no_answer();
  if (branch != 0) return {Code::unavailable, fmt::format("answered with an error of kind {}", branch)};
  if (!reader.get_bytes(text)) return no_answer();
  return {Code::unavailable, fmt::format("answered with an error: {}", text.substr(0, kLongestError))};
}

}  // namespace

void put_handshake(std::string& out, const HandshakeRequest& handshake) {
  out += view(handshake.client_hash);
  put_optional(out, handshake.client_protocol);
  out += view(handshake.server_hash);
  put_long(out, 1);
  if (handshake.window > 0) return put_window(out, handshake.window);
  put_long(out, 0);
}

bool get_handshake(DatumReader& reader, HandshakeRequest& handshake) {
  return get_hash(reader, handshake.client_hash) && get_optional(reader, handshake.client_protocol) &&
         get_hash(reader, handshake.server_hash) && get_optional_meta(reader, handshake.window);
}

void put_handshake(std::string& out, const HandshakeResponse& handshake) {
  put_long(out, static_cast<std::int64_t>(handshake.match));
  put_optional(out, handshake.server_protocol);
  put_long(out, handshake.server_hash ? 1 : 0);
  if (handshake.server_hash) out += view(*handshake.server_hash);
  put_long(out, handshake.window > 0 ? 1 : 0);
  if (handshake.window > 0) put_window(out, handshake.window);
}

bool get_handshake(DatumReader& reader, HandshakeResponse& handshake) {
  std::int64_t match = 0;
  bool has_hash = false;
  if (!reader.get_long(match) || match < 0 || match > 2) return false;
  handshake.match = static_cast<HandshakeResponse::Match>(match);
  if (!get_optional(reader, handshake.server_protocol) || !get_branch(reader, has_hash)) return false;
  if (has_hash && !get_hash(reader, handshake.server_hash.emplace())) return false;
  return get_optional_meta(reader, handshake.window);
}

void put_call(std::string& out, std::string_view method) {
  put_long(out, 0);
  put_bytes(out, method);
}

bool get_call(DatumReader& reader, std::string_view& method) {
  unsigned unused = 0;
  return get_meta(reader, unused) && reader.get_bytes(method);
}

void put_answer(std::string& out, RpcStatus status) {
  put_long(out, 0);
  put_boolean(out, false);
  put_long(out, static_cast<std::int64_t>(status));
}

void put_error(std::string& out, std::string_view text) {
  put_long(out, 0);
  put_boolean(out, true);
  put_long(out, 0);
  put_bytes(out, text);
}

Status get_answer(DatumReader& reader) {
  unsigned unused = 0;
  bool failed = false;
  std::int64_t status = 0;
  if (!get_meta(reader, unused) || !reader.get_boolean(failed)) return no_answer();
  if (failed) return get_error(reader);
  if (!reader.get_long(status)) return no_answer();
  if (status == static_cast<std::int64_t>(RpcStatus::ok)) return {};
  if (status == static_cast<std::int64_t>(RpcStatus::failed)) return {Code::unavailable, "answered FAILED"};
  return {Code::unavailable, fmt::format("answered with status {}", status)};
}

}  // namespace standpipe::avro

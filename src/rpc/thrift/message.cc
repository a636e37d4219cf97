#include "rpc/thrift/message.h"

#include <algorithm>

#include <fmt/format.h>

#include "rpc/thrift/frame_reader.h"

namespace standpipe::thrift {

namespace {

constexpr std::size_t kLongestError = 1000;
constexpr Field kSuccess{0, Type::i32};
constexpr Field kFaultText{1, Type::string};
constexpr Field kFaultKind{2, Type::i32};
constexpr Field kWindow{1, Type::i32};

Status no_answer() { return {Code::corrupt, "its answer is no answer of Thrift's"}; }

/// Writes a frame round what `put` appends.
template <typename Put>
void put_frame(std::string& out, Put&& put) {
  const std::size_t at = out.size();
  out.append(kFrameHead, '\0');
  put();
  write_frame_head(out.data() + at, static_cast<std::uint32_t>(out.size() - at - kFrameHead));
}

/// Calls `take(field, known)` for each field until the end; fields that it does not take are skipped.
template <typename Take>
bool for_each_field(Reader& reader, Take&& take) {
  for (Field field;;) {
    if (!reader.get_field(field)) return false;
    if (field.type == Type::stop) return true;
    bool taken = false;
    if (!take(field, taken) || (!taken && !reader.skip(field.type))) return false;
  }
}

bool is(const Field& field, const Field& wanted) { return field.id == wanted.id && field.type == wanted.type; }

Status get_fault(Reader& reader) {
  std::string_view text;
  std::int32_t kind = 0;
  const bool read = for_each_field(reader, [&](const Field& field, bool& taken) {
    taken = is(field, kFaultText) || is(field, kFaultKind);
    if (is(field, kFaultText)) return reader.get_string(text);
    return !taken || reader.get_i32(kind);
  });
  if (!read) return no_answer();
  if (text.empty()) return {Code::unavailable, fmt::format("answered with an error of kind {}", kind)};
  return {Code::unavailable, fmt::format("answered with an error: {}", text.substr(0, kLongestError))};
}

}  // namespace

void put_answer(std::string& out, Protocol protocol, std::string_view method, std::int32_t serial,
                std::int32_t result) {
  put_frame(out, [&] {
    put_message(out, protocol, {method, MessageType::reply, serial});
    put_field(out, protocol, 0, kSuccess);
    put_i32(out, protocol, result);
    put_stop(out);
  });
}

void put_fault(std::string& out, Protocol protocol, std::string_view method, std::int32_t serial, Fault fault,
               std::string_view text) {
  put_frame(out, [&] {
    put_message(out, protocol, {method, MessageType::exception, serial});
    put_field(out, protocol, 0, kFaultText);
    put_string(out, protocol, text);
    put_field(out, protocol, kFaultText.id, kFaultKind);
    put_i32(out, protocol, static_cast<std::int32_t>(fault));
    put_stop(out);
  });
}

void put_window_call(std::string& out, Protocol protocol, std::int32_t serial, unsigned window) {
  put_frame(out, [&] {
    put_message(out, protocol, {kWindowMethod, MessageType::call, serial});
    put_field(out, protocol, 0, kWindow);
    put_i32(out, protocol, static_cast<std::int32_t>(window));
    put_stop(out);
  });
}

bool get_window_call(Reader& reader, unsigned& window) {
  std::int32_t wanted = 0;
  const bool read = for_each_field(reader, [&](const Field& field, bool& taken) {
    taken = is(field, kWindow);
    return !taken || reader.get_i32(wanted);
  });
  window = static_cast<unsigned>(std::max(wanted, 0));
  return read;
}

Status get_result(Reader& reader, const MessageHead& head, std::int32_t& result) {
  if (head.type == MessageType::exception) return get_fault(reader);
  if (head.type != MessageType::reply) return no_answer();
  bool found = false;
  const bool read = for_each_field(reader, [&](const Field& field, bool& taken) {
    taken = is(field, kSuccess);
    found = found || taken;
    return !taken || reader.get_i32(result);
  });
  return read && found ? Status() : no_answer();
}

Status get_answer(Reader& reader, const MessageHead& head) {
  std::int32_t result = 0;
  TRY(get_result(reader, head, result));
  switch (static_cast<RpcStatus>(result)) {
    case RpcStatus::ok: return {};
    case RpcStatus::failed: return {Code::unavailable, "answered FAILED"};
    case RpcStatus::error: return {Code::unavailable, "answered ERROR"};
    case RpcStatus::unknown: return {Code::unavailable, "answered UNKNOWN"};
  }
  return {Code::unavailable, fmt::format("answered with status {}", result)};
}

bool speaks(std::string_view bytes, Protocol protocol) {
  return bytes.starts_with(protocol == Protocol::compact ? "\x82" : "\x80\x01");
}

std::string_view to_string(Protocol protocol) { return protocol == Protocol::compact ? "compact" : "binary"; }

}  // namespace standpipe::thrift

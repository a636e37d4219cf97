#include "rpc/thrift/event_decoder.h"

#include <algorithm>

#include <fmt/format.h>

#include "rpc/thrift/event_fields.h"

namespace standpipe::thrift {

namespace {

// An empty map, an empty body and the heads of both, by the compact protocol.
constexpr std::size_t kSmallestEvent = 5;
constexpr std::size_t kRowsAtOnce = 1 << 16;

Status damaged() { return {Code::corrupt, "the bytes are no Flume events"}; }

Status lacks(std::string_view what) {
  return {Code::invalid, fmt::format("the call has no {}, which Flume's Thrift protocol requires", what)};
}

bool is(const Field& field, const Field& wanted) { return field.id == wanted.id && field.type == wanted.type; }

}  // namespace

Status EventDecoder::append(Reader& reader, Batch& batch) {
  headers_.begin_request();
  for (Field field;;) {
    if (!reader.get_field(field)) return damaged();
    if (field.type == Type::stop) return batch.empty() ? lacks("event") : Status();
    if (!is(field, kEventArgument)) {
      if (!reader.skip(field.type)) return damaged();
    } else if (batch.empty()) {
      TRY(add_event(reader, batch));
    } else {
      return damaged();  // twice
    }
  }
}

Status EventDecoder::append_batch(Reader& reader, Batch& batch) {
  headers_.begin_request();
  bool found = false;
  for (Field field;;) {
    if (!reader.get_field(field)) return damaged();
    if (field.type == Type::stop) return found ? Status() : lacks("list of events");
    if (!is(field, kEventsArgument)) {
      if (!reader.skip(field.type)) return damaged();
    } else if (!found) {
      TRY(add_events(reader, batch));
      found = true;
    } else {
      return damaged();  // twice
    }
  }
}

Status EventDecoder::add_events(Reader& reader, Batch& batch) {
  Type elements = Type::structure;
  std::uint32_t count = 0;
  if (!reader.get_list(elements, count) || (count > 0 && elements != Type::structure)) return damaged();
  if (count > headers_.limits().events) {
    return {Code::corrupt, fmt::format("more than {} events in one request", headers_.limits().events)};
  }
  if (count > reader.remaining() / kSmallestEvent) return damaged();
  batch.reserve(std::min<std::size_t>(count, kRowsAtOnce));
  for (; count > 0; --count) TRY(add_event(reader, batch));
  return {};
}

Status EventDecoder::add_event(Reader& reader, Batch& batch) {
  std::string_view body;
  bool has_headers = false;
  bool has_body = false;
  for (Field field;;) {
    if (!reader.get_field(field)) return damaged();
    if (field.type == Type::stop) break;
    if (is(field, kHeaders)) {
      TRY(read_headers(reader, batch));
      has_headers = true;
    } else if (is(field, kBody)) {
      if (!reader.get_string(body)) return damaged();
      has_body = true;
    } else if (!reader.skip(field.type)) {
      return damaged();
    }
  }
  if (!has_headers) return lacks("headers in an event");
  if (!has_body) return lacks("body in an event");
  batch.add(body, headers_.block());
  return {};
}

Status EventDecoder::read_headers(Reader& reader, Batch& batch) {
  if (headers_.repeats(reader.rest())) return reader.advance(headers_.size()) ? Status() : damaged();
  const std::size_t at = reader.position();
  Type names = Type::string;
  Type values = Type::string;
  std::uint32_t count = 0;
  if (!reader.get_map(names, values, count)) return damaged();
  if (count > 0 && (names != Type::string || values != Type::string)) return damaged();
  headers_.begin();
  TRY(headers_.expect(count));
  for (; count > 0; --count) {
    std::string_view name;
    std::string_view value;
    if (!reader.get_string(name) || !reader.get_string(value)) return damaged();
    headers_.add(name, value);
  }
  return headers_.finish(reader.since(at), batch);
}

}  // namespace standpipe::thrift

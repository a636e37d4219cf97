#include "rpc/avro/event_decoder.h"

#include <algorithm>

#include <fmt/format.h>

namespace standpipe::avro {

namespace {

constexpr std::size_t kSmallestEvent = 2;  // no headers, no body: one byte each
constexpr std::size_t kRowsAtOnce = 1 << 16;

Status damaged() { return {Code::corrupt, "the bytes are no Flume events"}; }

}  // namespace

Status EventDecoder::append(DatumReader& reader, Batch& batch) {
  headers_.begin_request();
  return add_event(reader, batch);
}

Status EventDecoder::append_batch(DatumReader& reader, Batch& batch) {
  headers_.begin_request();
  for (;;) {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    if (!reader.get_block(count, bytes)) return damaged();
    if (count == 0) return {};
    const auto events = static_cast<std::uint64_t>(count);
    if (events > headers_.limits().events - batch.size()) {
      return {Code::corrupt, fmt::format("more than {} events in one request", headers_.limits().events)};
    }
    if (events > reader.remaining() / kSmallestEvent) return damaged();
    batch.reserve(batch.size() + std::min<std::size_t>(events, kRowsAtOnce));
    for (; count > 0; --count) TRY(add_event(reader, batch));
  }
}

Status EventDecoder::add_event(DatumReader& reader, Batch& batch) {
  TRY(read_headers(reader, batch));
  std::string_view body;
  if (!reader.get_bytes(body)) return damaged();
  batch.add(body, headers_.block());
  return {};
}

Status EventDecoder::read_headers(DatumReader& reader, Batch& batch) {
  if (headers_.repeats(reader.rest())) {
    if (!reader.skip(static_cast<std::int64_t>(headers_.size()))) return damaged();
    return {};
  }
  const std::size_t at = reader.position();
  TRY(read_header_blocks(reader));
  return headers_.finish(reader.since(at), batch);
}

Status EventDecoder::read_header_blocks(DatumReader& reader) {
  headers_.begin();
  for (;;) {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    if (!reader.get_block(count, bytes)) return damaged();
    if (count == 0) return {};
    TRY(headers_.expect(static_cast<std::size_t>(count)));
    for (; count > 0; --count) {
      std::string_view name;
      std::string_view value;
      if (!reader.get_bytes(name) || !reader.get_bytes(value)) return damaged();
      headers_.add(name, value);
    }
  }
}

}  // namespace standpipe::avro

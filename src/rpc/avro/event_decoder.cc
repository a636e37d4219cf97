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
  begin();
  return add_event(reader, batch);
}

Status EventDecoder::append_batch(DatumReader& reader, Batch& batch) {
  begin();
  for (;;) {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    if (!reader.get_block(count, bytes)) return damaged();
    if (count == 0) return {};
    const auto events = static_cast<std::uint64_t>(count);
    if (events > limits_.events - batch.size()) {
      return {Code::corrupt, fmt::format("more than {} events in one request", limits_.events)};
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
  batch.add(body, last_block_);
  return {};
}

Status EventDecoder::read_headers(DatumReader& reader, Batch& batch) {
  // An encoded map is never the beginning of another one: equal bytes are equal headers.
  if (!last_headers_.empty() && reader.starts_with(last_headers_)) {
    if (!reader.skip(static_cast<std::int64_t>(last_headers_.size()))) return damaged();
    return {};
  }
  const std::size_t at = reader.position();
  TRY(read_header_blocks(reader));
  last_headers_ = reader.since(at);
  if (headers_.empty()) {
    last_block_ = Batch::kNoHeaders;
    return {};
  }
  made_ += headers_.size();
  if (made_ > limits_.headers_in_all) {
    return {Code::corrupt, fmt::format("more than {} headers in one request", limits_.headers_in_all)};
  }
  make_block(batch);
  return {};
}

Status EventDecoder::read_header_blocks(DatumReader& reader) {
  headers_.clear();
  for (;;) {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    if (!reader.get_block(count, bytes)) return damaged();
    if (count == 0) return {};
    if (static_cast<std::uint64_t>(count) > limits_.headers - headers_.size()) {
      return {Code::corrupt, fmt::format("more than {} headers in one event", limits_.headers)};
    }
    for (; count > 0; --count) {
      auto& [name, value] = headers_.emplace_back();
      if (!reader.get_bytes(name) || !reader.get_bytes(value)) return damaged();
    }
  }
}

/// Sorted first: headers that arrive backwards would otherwise be moved once for each that follows.
void EventDecoder::make_block(Batch& batch) {
  const auto by_name = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(headers_.begin(), headers_.end(), by_name)) {
    std::stable_sort(headers_.begin(), headers_.end(), by_name);  // of equal names the last one counts, as in Java
  }
  Headers& block = batch.add_block(Batch::kNoHeaders, headers_.size());
  for (const auto& [name, value] : headers_) block.set(name, value);
  last_block_ = batch.last_block();
}

}  // namespace standpipe::avro

#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/avro/datum.h"
#include "standpipe/batch.h"
#include "standpipe/status.h"

namespace standpipe::avro {

struct EventLimits {
  std::size_t events = 1 << 20;          ///< of one request
  std::size_t headers = 1 << 14;         ///< of one event
  std::size_t headers_in_all = 1 << 20;  ///< made for one request: equal ones in a row count once
};

/// Turns the parameters of append and appendBatch into a batch whose bodies are slices of the message: the caller pins
/// the slab that it lies in. Headers of events in a row that are written alike are decoded once and shared.
/// Keep one: it remembers its working memory. One thread.
class EventDecoder {
 public:
  explicit EventDecoder(EventLimits limits = {}) : limits_(limits) {}

  /// Code::corrupt when the bytes are no events or above a limit; what the batch then holds is undefined.
  Status append(DatumReader& reader, Batch& batch);
  Status append_batch(DatumReader& reader, Batch& batch);

 private:
  Status add_event(DatumReader& reader, Batch& batch);
  Status read_headers(DatumReader& reader, Batch& batch);
  Status read_header_blocks(DatumReader& reader);
  void make_block(Batch& batch);
  void begin() { last_headers_ = {}, last_block_ = Batch::kNoHeaders, made_ = 0; }

  const EventLimits limits_;
  std::vector<std::pair<std::string_view, std::string_view>> headers_;
  std::string_view last_headers_;  // as the event before wrote them
  Batch::Block last_block_ = Batch::kNoHeaders;
  std::size_t made_ = 0;
};

}  // namespace standpipe::avro

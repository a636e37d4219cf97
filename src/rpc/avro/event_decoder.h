#pragma once

#include "codec/avro/datum.h"
#include "rpc/header_blocks.h"
#include "standpipe/batch.h"
#include "standpipe/status.h"

namespace standpipe::avro {

using rpc::EventLimits;

/// Turns the parameters of append and appendBatch into a batch whose bodies are slices of the message: the caller pins
/// the slab that it lies in. Headers of events in a row that are written alike are decoded once and shared.
/// Keep one: it remembers its working memory. One thread.
class EventDecoder {
 public:
  explicit EventDecoder(EventLimits limits = {}) : headers_(limits) {}

  /// Code::corrupt when the bytes are no events or above a limit; what the batch then holds is undefined.
  Status append(DatumReader& reader, Batch& batch);
  Status append_batch(DatumReader& reader, Batch& batch);

 private:
  Status add_event(DatumReader& reader, Batch& batch);
  Status read_headers(DatumReader& reader, Batch& batch);
  Status read_header_blocks(DatumReader& reader);

  rpc::HeaderBlocks headers_;
};

}  // namespace standpipe::avro

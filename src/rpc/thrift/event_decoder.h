#pragma once

#include <string_view>

#include "rpc/header_blocks.h"
#include "rpc/thrift/wire.h"
#include "standpipe/batch.h"
#include "standpipe/status.h"

namespace standpipe::thrift {

using rpc::EventLimits;

/// Turns the parameters of append and appendBatch into a batch whose bodies are slices of the message: the caller pins
/// the slab that it lies in. Headers of events in a row that are written alike are decoded once and shared. Fields that
/// Flume does not know are skipped. Keep one: it remembers its working memory. One thread.
class EventDecoder {
 public:
  explicit EventDecoder(EventLimits limits = {}) : headers_(limits) {}

  /// Code::invalid: the structures are in order, and something that Flume requires is not in them. Code::corrupt: the
  /// bytes are no events, or above a limit. What the batch then holds is undefined.
  Status append(Reader& reader, Batch& batch);
  Status append_batch(Reader& reader, Batch& batch);

 private:
  Status add_events(Reader& reader, Batch& batch);
  Status add_event(Reader& reader, Batch& batch);
  Status read_headers(Reader& reader, Batch& batch);

  rpc::HeaderBlocks headers_;
};

}  // namespace standpipe::thrift

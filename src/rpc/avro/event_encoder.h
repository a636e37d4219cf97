#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "rpc/request.h"
#include "standpipe/batch.h"
#include "standpipe/lease.h"

namespace standpipe::avro {

using rpc::EncodedRequest;
using rpc::RequestExtent;

/// As many of the first events as fit into `max_bytes`; one at least. The lease is not empty.
RequestExtent measure_batch(const Lease& lease, std::size_t max_bytes);

/// That appendBatch as a frame, in one slab of exactly its size, charged to `budget`. Null slab: the budget has no
/// room, and `force` was not set.
EncodedRequest encode_batch(const Lease& lease, const RequestExtent& extent, std::int32_t serial, MemoryBudget& budget,
                            bool force);

/// The same for any message: `front` says what it is, behind it stand the events as an array.
RequestExtent measure_events(const Lease& lease, std::string_view front, std::size_t max_bytes);
EncodedRequest encode_events(const Lease& lease, const RequestExtent& extent, std::string_view front,
                             std::int32_t serial, MemoryBudget& budget, bool force);

}  // namespace standpipe::avro

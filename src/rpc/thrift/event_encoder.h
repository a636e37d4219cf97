#pragma once

#include <cstddef>
#include <cstdint>

#include "rpc/request.h"
#include "rpc/thrift/wire.h"
#include "standpipe/batch.h"
#include "standpipe/lease.h"

namespace standpipe::thrift {

using rpc::EncodedRequest;
using rpc::RequestExtent;

/// As many of the first events as fit into `max_bytes`; one at least. The lease is not empty.
RequestExtent measure_batch(const Lease& lease, Protocol protocol, std::size_t max_bytes);

/// That appendBatch as a frame, in one slab of at most its measured size, charged to `budget`. Null slab: the budget
/// has no room, and `force` was not set.
EncodedRequest encode_batch(const Lease& lease, Protocol protocol, const RequestExtent& extent, std::int32_t serial,
                            MemoryBudget& budget, bool force);

}  // namespace standpipe::thrift

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "standpipe/batch.h"
#include "standpipe/lease.h"

namespace standpipe::avro {

/// A request as it is sent: one frame.
struct EncodedRequest {
  std::shared_ptr<const Slab> slab;
  std::string_view bytes;
};

/// An appendBatch of all events of `lease`, in one slab of exactly its size, charged to `budget`; `front` is what
/// stands before the call (the handshake, or nothing). Null slab: the budget has no room, and `force` was not set.
/// Larger than 2 GiB can't be framed: see request_bytes().
EncodedRequest encode_batch(const Lease& lease, std::int32_t serial, std::string_view front, MemoryBudget& budget,
                            bool force);

/// How large that frame becomes, without `front`.
std::size_t request_bytes(const Lease& lease);

}  // namespace standpipe::avro

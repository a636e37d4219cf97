#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "standpipe/batch.h"
#include "standpipe/lease.h"

namespace standpipe::rpc {

/// A request that was read whole.
struct Request {
  std::shared_ptr<const Slab> slab;
  std::string_view bytes;   ///< lies in it
  std::int32_t serial = 0;  ///< the peer's number for it, where that stands outside
};

/// A request, or an answer, as it is sent: one frame.
struct EncodedRequest {
  std::shared_ptr<const Slab> slab;
  std::string_view bytes;
};

/// The first events of a lease, and how large a message with them is, its frame included.
struct RequestExtent {
  std::size_t events = 0;
  std::size_t bytes = 0;
};

/// Visits the first `count` events, until `visit` says no; events in a row with the same block of headers say so.
template <typename Visit>
void for_each_event(const Lease& lease, std::size_t count, Visit&& visit) {
  const Headers* last = nullptr;
  for (const BatchSpan& span : lease.spans()) {
    for (std::size_t i = span.first; i < span.first + span.count; ++i) {
      if (count-- == 0) return;
      const EventRef event = (*span.batch)[i];
      if (!visit(event, event.headers == last)) return;
      last = event.headers;
    }
  }
}

}  // namespace standpipe::rpc

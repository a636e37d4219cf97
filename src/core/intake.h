#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>

#include "standpipe/batch.h"
#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe {

/// Memory for what a source reads next, from the intake share of the budget: for a source with a thread of its own (one
/// on the network loop asks Slab::try_make and stops reading meanwhile). Waits at most `at_most`, in general the
/// keep-alive of its channels: then Code::full, as on a full channel. Code::poison: `capacity` is more than the share
/// can ever hold.
Result<std::shared_ptr<Slab>> wait_for_slab(Environment& environment, std::size_t capacity,
                                            std::chrono::milliseconds at_most, std::stop_token stop);

}  // namespace standpipe

#pragma once

#include "standpipe/batch.h"
#include "standpipe/environment.h"
#include "standpipe/settings.h"
#include "standpipe/status.h"

namespace standpipe {

/// Changes or drops events between a source and its channels. Runs once per batch, never again on a retry, on whichever
/// thread delivers: calls for one source may overlap, so state is constant after creation or guarded.
class Interceptor {
 public:
  virtual ~Interceptor() = default;
  /// Changes `batch` in place. A failure fails the delivery (Code::poison: these events can never pass).
  virtual Status intercept(Batch& batch) = 0;
};

}  // namespace standpipe

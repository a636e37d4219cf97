#pragma once

#include <stop_token>

#include "standpipe/batch.h"
#include "standpipe/environment.h"
#include "standpipe/receipt.h"
#include "standpipe/settings.h"
#include "standpipe/status.h"

namespace standpipe {

/// Where a source puts its batches: interceptors, selector and channels are behind it. Thread-safe; deliver() never
/// blocks. Batches are handed over, and receipts complete, in the order of the calls.
class Ingest {
 public:
  virtual ~Ingest() = default;
  /// Hands over `batch`. The receipt fails with Code::full when a required channel had no room for its keep-alive (the
  /// client may try again), Code::poison when the batch can never fit, Code::stopped at the end. An empty batch, or one
  /// that interceptors emptied, completes ok at once.
  virtual Receipt deliver(Batch batch) = 0;
};

/// Brings events in. The engine calls start(), then run() on a thread of the source's own, then stop(); after a failure
/// of start() or run() it calls stop() and begins again after a pause, for as long as the agent runs.
class Source {
 public:
  virtual ~Source() = default;

  /// Acquires what it needs (listeners, directories). `ingest` stays valid until stop() has returned.
  virtual Status start(Ingest& ingest) = 0;
  /// Works until `stop` is requested (then returns ok, promptly) or something fails for good. The default serves
  /// sources that live on the network loop: it waits for `stop`.
  virtual Status run(std::stop_token stop);
  /// Releases everything; returns only when no thread or callback of the source runs any more. Legal in any state,
  /// also twice. May be followed by start().
  virtual void stop() = 0;
};

}  // namespace standpipe

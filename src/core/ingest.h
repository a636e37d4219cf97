#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/executor.h"
#include "core/selector.h"
#include "standpipe/channel.h"
#include "standpipe/environment.h"
#include "standpipe/interceptor.h"
#include "standpipe/source.h"

namespace standpipe {

/// A channel under its name in the configuration.
struct NamedChannel {
  std::string name;
  std::shared_ptr<Channel> channel;
};

/// What stands behind a source: the way from a delivered batch into channels. Replaced as a whole on a reload.
struct IngestPlan {
  std::vector<std::unique_ptr<Interceptor>> interceptors;  ///< in the order they run
  std::unique_ptr<Selector> selector;                      ///< its indices mean `channels`
  std::vector<NamedChannel> channels;
};

/// What may wait for an optional channel, for each such channel of a source.
struct OptionalLimits {
  std::chrono::milliseconds time{3000};
  std::size_t bytes = 8u << 20;
};

/// One source's way into its channels: interceptors (once per batch, never on a retry), selector, hand-over.
///
/// - Where everything fits, a batch is reserved, stored and published on the caller's thread, and the receipt is
/// complete
///   when deliver() returns (or, where a channel syncs, when it has).
/// - Where a required channel is full the delivery waits, without a thread, until there is room or the longest
/// keep-alive
///   of the channels it goes to has passed; later deliveries of the source wait behind it.
/// - Receipts complete in the order of deliver(). A failed delivery has left nothing in any channel that can take back.
///
/// Counts in the source's group: ChannelWriteFail and GenericProcessingFail (a failed interceptor) per failed delivery,
/// and our EventFilteredCount, EventUnroutedCount, EventOptionalDropCount. EventReceived/Accepted are the source's own.
///
/// deliver() is thread-safe and never blocks. `environment` and `engine` must outlive it and the stores that channels
/// still have under way for it (see keep()); channels are held.
class SourceIngest final : public Ingest {
 public:
  SourceIngest(Environment& environment, EngineThread& engine, IngestPlan plan, OptionalLimits limits = {});
  /// Calls stop().
  ~SourceIngest() override;

  /// Holds on to what `environment` belongs to for as long as stores are under way. Before the first delivery.
  void keep(std::shared_ptr<void> owner);

  Receipt deliver(Batch batch) override;

  /// Batches delivered from now on go by `plan`; those that a channel has begun to take finish by the old one, which is
  /// then let go of. Those that wait for their turn have had the old interceptors and go to the new channels.
  void replace(IngestPlan plan);

  /// From now on nothing new begins: what is delivered waits, for as long as it takes, and then has its keep-alive from
  /// the beginning. The receipt completes when what had begun is settled: the channels get nothing more from here.
  Receipt hold();
  void resume();

  /// Fails what waits, and whatever is delivered from now on, with Code::stopped. Legal twice.
  void stop();

  /// Accepts deliveries again after stop(): a source that is started anew.
  void restart();

  /// Why the last event that no channel can ever take was refused, for as long as its source may try it again; else ok.
  /// From any thread.
  Status refusal() const;

 private:
  class Core;  // kept alive by completions that are still under way in channels
  std::shared_ptr<Core> core_;
};

}  // namespace standpipe

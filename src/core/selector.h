#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "standpipe/batch.h"
#include "standpipe/environment.h"
#include "standpipe/option.h"
#include "standpipe/settings.h"
#include "standpipe/status.h"

namespace standpipe {

/// A part of a batch on its way to one channel (an index into the source's list of channels).
struct Route {
  std::size_t channel;
  bool required;
  BatchPtr batch;
};

/// Decides which events go to which channels. Where all events go the same way the frozen batch is shared, not copied;
/// otherwise each channel gets a sub-batch (rows are copied, bodies and headers are not). Thread-safe: deliveries of
/// one source may overlap.
class Selector {
 public:
  virtual ~Selector() = default;
  /// Appends a route per channel that gets something, in order of first use; required ones first.
  virtual void route(const BatchPtr& batch, std::vector<Route>& routes) = 0;
  /// The channel that everything goes to as it is: the fast path.
  virtual std::optional<std::size_t> only_channel() const { return std::nullopt; }
  /// Whether some event may go to `channel` as a required one.
  virtual bool may_require(std::size_t channel) const = 0;
};

/// The selectors' tables: replicating, multiplexing, load_balancing. Keys without the "selector." in front.
std::span<const ComponentInfo* const> selector_infos();

/// The selector that `settings` (of one of selector_infos()) describes, for a source with these channels. A channel
/// name that the source does not have is Code::invalid. `environment` is the source's: what finds no channel is counted
/// and logged there.
Result<std::unique_ptr<Selector>> make_selector(const Settings& settings, const std::vector<std::string>& channels,
                                                Environment& environment);

/// For a source without a selector: everything to every channel.
std::unique_ptr<Selector> make_replicating_selector(std::size_t channels);

}  // namespace standpipe

#pragma once

#include <optional>

#include "channels/spillablememory/spillable_channel.h"
#include "standpipe/settings.h"

namespace standpipe::spillable {

/// The channels that a spillable one is made of, and its table made from theirs.
struct Parts {
  const ChannelFactory* memory;
  const ChannelFactory* overflow;
};

/// Sets the parts; the table of the channel over them. Once.
const ComponentInfo& table_over(Parts parts);

/// Checked settings of each part, or nothing where its capacity is 0.
std::optional<Settings> memory_settings(const Settings& settings);
std::optional<Settings> overflow_settings(const Settings& settings);
SpillableChannel::Options channel_options(const Settings& settings);

const Parts& parts();

}  // namespace standpipe::spillable

#pragma once

#include <chrono>
#include <cstdint>

#include "channels/file/event_queue.h"
#include "channels/file/key_source.h"
#include "channels/file/recovery.h"
#include "standpipe/component.h"

namespace standpipe::file_channel {

extern const ComponentInfo kInfo;

/// The settings as the channel uses them.
struct Options {
  Folders folders;
  EventQueue::Limits limits;
  std::chrono::milliseconds keep_alive;
  std::chrono::milliseconds checkpoint_interval;
  std::uint64_t segment_size;
  std::uint64_t minimum_free;
  bool checkpoint_on_close;
  KeySource keys;
  FromFlume from_flume;
};

/// Code::invalid where settings ask for an encryption that can't be had.
Result<Options> read_options(const Settings& settings, Environment& environment);

}  // namespace standpipe::file_channel

#include "channels/file/file_channel.h"

#include <fmt/format.h>

#include "channels/file/default_folders.h"
#include "channels/file/file_channel_options.h"
#include "channels/file/life.h"
#include "core/channel_options.h"

namespace standpipe {

using file_channel::Life;
using file_channel::Options;
using file_channel::read_options;
using file_channel::Shared;

namespace {
constexpr std::string_view kSegments = "SegmentCount";
constexpr std::string_view kDiskFull = "DiskFull";
}  // namespace

FileChannel::FileChannel(std::shared_ptr<Shared> shared, Environment& environment)
    : environment_(environment),
      shared_(std::move(shared)),
      claim_(std::make_unique<file_channel::DefaultFoldersClaim>(shared_->current().folders, environment)) {
  CounterGroup& counters = environment_.counters;
  counters.gauge(counter_names::kChannelSize, [this] { return static_cast<double>(size()); });
  counters.gauge(counter_names::kChannelCapacity, [this] { return static_cast<double>(capacity()); });
  counters.gauge(counter_names::kChannelFill,
                 [this] { return static_cast<double>(size()) / static_cast<double>(capacity()) * 100.0; });
  counters.gauge(kSegments, [this] {
    const auto now = life();
    return now == nullptr ? 0.0 : static_cast<double>(now->segment_count());
  });
  counters.gauge(counter_names::kOldestEventAge, [this] {
    const auto now = life();
    return now == nullptr ? 0.0 : static_cast<double>(now->oldest_age_ms());
  });
  counters.gauge(kDiskFull, [this] {
    const auto now = life();
    return now != nullptr && now->disk_full() ? 1.0 : 0.0;
  });
}

FileChannel::~FileChannel() {
  environment_.counters.clear_gauges();
  stop();
}

std::shared_ptr<Life> FileChannel::life() const {
  std::lock_guard lock(mutex_);
  return life_;
}

Status FileChannel::start() {
  if (life() != nullptr) return {};
  TRY_ASSIGN(auto made, Life::begin(shared_, environment_));
  {
    std::lock_guard lock(mutex_);
    life_ = std::move(made);
  }
  // Who waits must look again: for room, or for what was left from before.
  shared_->space_wakers.wake_all();
  shared_->event_wakers.wake_all();
  return {};
}

void FileChannel::stop() {
  const auto ending = life();
  if (ending == nullptr) return;
  ending->end();
  {
    std::lock_guard lock(mutex_);
    life_.reset();
  }
  shared_->space_wakers.wake_all();
  shared_->event_wakers.wake_all();
}

Result<std::unique_ptr<Put>> FileChannel::reserve(const Batch& batch) {
  const auto now = life();
  if (now == nullptr || !now->open()) return Status(Code::stopped, "the channel is stopped");
  return now->reserve(batch);
}

Result<Lease> FileChannel::take(std::size_t max_events) {
  const auto now = life();
  if (now == nullptr || !now->open()) return Lease();
  return now->take(max_events);
}

void FileChannel::add_space_waker(Waker& waker) { shared_->space_wakers.add(waker); }
void FileChannel::remove_space_waker(Waker& waker) { shared_->space_wakers.remove(waker); }
void FileChannel::add_event_waker(Waker& waker) { shared_->event_wakers.add(waker); }
void FileChannel::remove_event_waker(Waker& waker) { shared_->event_wakers.remove(waker); }

std::int64_t FileChannel::size() const {
  const auto now = life();
  return now == nullptr ? 0 : now->queue().size();
}

std::int64_t FileChannel::capacity() const { return shared_->current().limits.events; }
std::int64_t FileChannel::transaction_capacity() const { return shared_->current().limits.transaction_events; }
std::chrono::milliseconds FileChannel::keep_alive() const { return shared_->current().keep_alive; }

std::string FileChannel::kept_in() const {
  auto folders = file_channel::choose_folders(shared_->current().folders, environment_);
  if (!folders.ok()) folders = shared_->current().folders;
  return fmt::format("checkpointDir = {}, dataDirs = {}", folders->checkpoint, fmt::join(folders->data, ","));
}

Status FileChannel::trouble() const {
  const auto now = life();
  return now == nullptr ? Status() : now->trouble();
}

namespace {
/// A property that only a start takes over and that differs; empty: there is none.
std::string_view changed_for_good(const Options& running, const Options& wanted) {
  if (wanted.folders.checkpoint != running.folders.checkpoint) return "checkpointDir";
  if (wanted.folders.data != running.folders.data) return "dataDirs";
  return changed_property(running.keys, wanted.keys);
}
}  // namespace

Status FileChannel::reconfigure(const Settings& settings) {
  TRY_ASSIGN(Options wanted, read_options(settings, environment_));
  {
    std::lock_guard lock(shared_->mutex);
    Options& options = shared_->options;
    const std::string_view fixed = changed_for_good(options, wanted);
    if (!fixed.empty()) return channel_options::needs_restart(fixed);
    options = std::move(wanted);
  }
  if (const auto now = life(); now != nullptr) now->apply(shared_->current());
  shared_->space_wakers.wake_all();
  return {};
}

namespace {
Result<std::unique_ptr<Channel>> create(const Settings& settings, Environment& environment) {
  TRY_ASSIGN(Options options, read_options(settings, environment));
  auto shared = std::make_shared<Shared>(std::move(options), environment);
  return std::unique_ptr<Channel>(std::make_unique<FileChannel>(std::move(shared), environment));
}
}  // namespace

const ChannelFactory kFileChannel{&file_channel::kInfo, &create};

}  // namespace standpipe

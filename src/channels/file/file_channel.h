#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "standpipe/channel.h"
#include "standpipe/component.h"

namespace standpipe {

namespace file_channel {
struct Shared;
class Life;
class DefaultFoldersClaim;
}  // namespace file_channel

extern const ChannelFactory kFileChannel;

/// A queue on disk. "Stored" means on the device: a receipt completes after the fdatasync behind its events returned,
/// one sync for all puts that waited. What sinks committed survives kill -9 at once and power loss within a second.
/// Order is the order of store() calls. Memory does not grow with what waits, nor does the time to start.
///
/// docs/design/file-channel.md says how it runs, docs/formats/file-channel.md what stands on disk.
///
/// All calls are thread-safe; take() reads from disk on the caller's thread where a sink lags. start() opens the
/// folders and may fail (locked, damaged, full: the message says which); stop() writes what waits. A lease may outlive
/// the channel; one from before a stop() can't be committed any more: its events come again.
class FileChannel final : public Channel {
 public:
  FileChannel(std::shared_ptr<file_channel::Shared> shared, Environment& environment);
  ~FileChannel() override;

  Status start() override;
  void stop() override;
  Result<std::unique_ptr<Put>> reserve(const Batch& batch) override;
  Result<Lease> take(std::size_t max_events) override;
  void add_space_waker(Waker& waker) override;
  void remove_space_waker(Waker& waker) override;
  void add_event_waker(Waker& waker) override;
  void remove_event_waker(Waker& waker) override;
  std::int64_t size() const override;
  std::int64_t capacity() const override;
  std::int64_t transaction_capacity() const override;
  std::chrono::milliseconds keep_alive() const override;
  std::string kept_in() const override;
  Status trouble() const override;
  /// Sizes and times change in place; other folders, or other keys, need a start of the agent.
  Status reconfigure(const Settings& settings) override;

 private:
  std::shared_ptr<file_channel::Life> life() const;

  Environment& environment_;
  std::shared_ptr<file_channel::Shared> shared_;
  const std::unique_ptr<file_channel::DefaultFoldersClaim> claim_;
  mutable std::mutex mutex_;
  std::shared_ptr<file_channel::Life> life_;  // from start() to stop()
};

}  // namespace standpipe

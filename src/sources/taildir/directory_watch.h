#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace standpipe::taildir {

/// Says at once when something in a directory changes (inotify), so that a line is read without delay and nothing is
/// polled while nothing happens. Only a hint: what it misses (network file systems, an overflow) a slow scan finds.
/// One thread of its own waits for the kernel, merges what belongs to the same name and calls `on_change`; after each
/// call it rests a few milliseconds, so that a busy writer costs a bounded number of wake-ups. Thread-safe.
class DirectoryWatch {
 public:
  struct Change {
    std::string directory;  ///< as given to watch()
    std::string name;
    bool content_only = false;  ///< the file grew or shrank; else a name came, went or was replaced
  };
  struct Changes {
    std::vector<Change> changes;
    bool overflow = false;  ///< some were lost: look at everything
  };

  /// Null where the kernel gives no inotify instance; the caller polls then. `on_change` is called on the watch's
  /// thread and must not block.
  static std::unique_ptr<DirectoryWatch> open(std::function<void()> on_change);
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  /// Watches `directory`; costs one system call and changes nothing when it is watched already. False: it can't be.
  bool watch(const std::string& directory);
  /// What happened since the last call.
  Changes take();

 private:
  DirectoryWatch(int inotify, int wake, std::function<void()> on_change);
  void run();
  bool collect();
  void note(int watch, const char* name, unsigned mask);

  const int inotify_;
  const int wake_;  // an eventfd: ends the thread
  const std::function<void()> on_change_;
  std::mutex mutex_;
  std::unordered_map<int, std::vector<std::string>> directories_;  // by watch descriptor, guarded by mutex_
  std::map<std::pair<int, std::string>, unsigned> changed_;        // guarded by mutex_
  bool overflow_ = false;                                          // guarded by mutex_
  std::thread thread_;
};

}  // namespace standpipe::taildir

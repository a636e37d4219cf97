#include "sources/taildir/directory_watch.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace standpipe::taildir {

namespace {
constexpr unsigned kNameMask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;
constexpr unsigned kMask = kNameMask | IN_MODIFY | IN_ONLYDIR | IN_EXCL_UNLINK;
// A writer of 20,000 lines a second wakes us 200 times, not 20,000.
constexpr int kRestMs = 5;
}  // namespace

std::unique_ptr<DirectoryWatch> DirectoryWatch::open(std::function<void()> on_change) {
  const int inotify = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (inotify < 0) return nullptr;
  const int wake = ::eventfd(0, EFD_CLOEXEC);
  if (wake < 0) {
    ::close(inotify);
    return nullptr;
  }
  return std::unique_ptr<DirectoryWatch>(new DirectoryWatch(inotify, wake, std::move(on_change)));
}

DirectoryWatch::DirectoryWatch(int inotify, int wake, std::function<void()> on_change)
    : inotify_(inotify), wake_(wake), on_change_(std::move(on_change)), thread_([this] { run(); }) {}

DirectoryWatch::~DirectoryWatch() {
  const std::uint64_t one = 1;
  while (::write(wake_, &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
  ::close(wake_);
  ::close(inotify_);
}

bool DirectoryWatch::watch(const std::string& directory) {
  std::lock_guard lock(mutex_);
  const int watch = ::inotify_add_watch(inotify_, directory.c_str(), kMask);
  if (watch < 0) return false;
  // Two names of one directory share a watch.
  std::vector<std::string>& names = directories_[watch];
  if (std::find(names.begin(), names.end(), directory) == names.end()) names.push_back(directory);
  return true;
}

DirectoryWatch::Changes DirectoryWatch::take() {
  Changes result;
  std::lock_guard lock(mutex_);
  result.overflow = overflow_;
  overflow_ = false;
  for (const auto& [key, mask] : changed_) {
    const auto found = directories_.find(key.first);
    if (found == directories_.end()) continue;
    for (const std::string& directory : found->second) {
      result.changes.push_back({directory, key.second, (mask & kNameMask) == 0});
    }
  }
  changed_.clear();
  return result;
}

void DirectoryWatch::run() {
  pollfd waited[] = {{wake_, POLLIN, 0}, {inotify_, POLLIN, 0}};
  for (;;) {
    if (::poll(waited, 2, -1) < 0 && errno != EINTR) return;
    if (waited[0].revents != 0) return;
    if (waited[1].revents == 0 || !collect()) continue;
    on_change_();
    if (::poll(waited, 1, kRestMs) > 0) return;
  }
}

bool DirectoryWatch::collect() {
  alignas(inotify_event) char buffer[64 * 1024];
  bool any = false;
  // A bounded number of reads: a flood must not keep the first change from being told.
  for (int round = 0; round < 16; ++round) {
    const ssize_t size = ::read(inotify_, buffer, sizeof buffer);
    if (size <= 0) break;
    std::lock_guard lock(mutex_);
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      note(event->wd, event->len > 0 ? event->name : "", event->mask);
      any = true;
    }
  }
  return any;
}

void DirectoryWatch::note(int watch, const char* name, unsigned mask) {
  if ((mask & IN_Q_OVERFLOW) != 0) overflow_ = true;
  if ((mask & IN_IGNORED) != 0) {
    directories_.erase(watch);
    overflow_ = true;  // the directory went away; a scan finds what is in its place
  }
  if ((mask & (kNameMask | IN_MODIFY)) != 0) changed_[{watch, name}] |= mask;
}

}  // namespace standpipe::taildir

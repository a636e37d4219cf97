#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/clock.h"
#include "net/network.h"
#include "standpipe/counters.h"

namespace standpipe {

/// The sessions of a source that listens: keeps them alive, counts them, and has them finish when the source stops. All
/// but stop() is the loop's thread. A session has `finish()`: reads no more, and is removed when all that it handed
/// over is answered.
template <typename Session>
class SessionSet {
 public:
  /// `open` shows how many there are.
  explicit SessionSet(Counter& open) : open_(open) {}

  void add(const std::shared_ptr<Session>& session) {
    sessions_.emplace(session.get(), session);
    publish();
  }
  /// Also from within a callback of the session's own, which must keep itself alive for its rest.
  void remove(Session& session) {
    sessions_.erase(&session);
    publish();
  }
  /// `visit` may end sessions, also others.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    const auto sessions = sessions_;
    for (const auto& [address, session] : sessions) visit(*session);
  }

  /// Has them all finish, waits until they have, for `limit` at most, and drops the others. From any thread but the
  /// loop's; nothing is added any more.
  void stop(Network& network, Clock& clock, std::chrono::milliseconds limit = kAnswersAtStop) {
    network.run([this] { for_each([](Session& session) { session.finish(); }); });
    {
      std::unique_lock lock(mutex_);
      clock.wait_until(lock, all_ended_, {}, clock.steady_now() + limit, [this] { return none_open_; });
    }
    network.run([this] {
      sessions_.clear();
      publish();
    });
  }

 private:
  static constexpr std::chrono::milliseconds kAnswersAtStop{500};

  void publish() {
    open_.set(static_cast<std::int64_t>(sessions_.size()));
    std::lock_guard lock(mutex_);
    none_open_ = sessions_.empty();
    if (none_open_) all_ended_.notify_all();
  }

  Counter& open_;
  std::unordered_map<Session*, std::shared_ptr<Session>> sessions_;
  std::mutex mutex_;
  std::condition_variable_any all_ended_;
  bool none_open_ = true;
};

}  // namespace standpipe

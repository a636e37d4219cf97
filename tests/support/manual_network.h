#pragma once

#include <functional>
#include <list>
#include <memory>
#include <utility>

#include "net/network.h"

namespace standpipe::testing {

/// A loop that a test turns by hand, on its own thread: for sessions over connections that are no sockets.
class ManualNetwork final : public Network {
 public:
  Result<std::unique_ptr<Listener>> listen(const ListenOptions&, Accept) override { return no_sockets(); }
  std::unique_ptr<Connecting> connect(const ConnectOptions&, Connected) override { return nullptr; }
  std::unique_ptr<Timer> call_after(std::chrono::milliseconds, std::function<void()> task) override {
    auto kept = std::make_shared<std::function<void()>>(std::move(task));
    timers_.push_back(kept);
    return std::make_unique<Waiting>(std::move(kept));
  }
  Door door() override {
    return [this](std::function<void()> task) { post(std::move(task)); };
  }
  void run(const std::function<void()>& task) override { task(); }
  void post(std::function<void()> task) override { posted_.push_back(std::move(task)); }

  /// Runs what was posted, and what that posts.
  void turn() {
    while (!posted_.empty()) {
      const auto task = std::move(posted_.front());
      posted_.pop_front();
      task();
    }
  }
  /// The time of all timers is over.
  void fire() {
    for (const auto& each : std::exchange(timers_, {})) {
      if (const auto task = each.lock()) std::exchange(*task, nullptr)();
    }
  }

 private:
  using Task = std::shared_ptr<std::function<void()>>;
  struct Waiting final : Timer {
    explicit Waiting(Task waiting) : task(std::move(waiting)) {}
    const Task task;
  };
  static Status no_sockets() { return {Code::invalid, "this network has no sockets"}; }

  std::list<std::function<void()>> posted_;
  std::list<std::weak_ptr<std::function<void()>>> timers_;
};

}  // namespace standpipe::testing

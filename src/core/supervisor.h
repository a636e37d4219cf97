#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/runner.h"
#include "core/sink_runner.h"
#include "standpipe/environment.h"

namespace standpipe {

struct SupervisorOptions {
  std::chrono::milliseconds drain_timeout{10'000};  ///< for volatile channels to run empty
  std::chrono::milliseconds stop_timeout{10'000};   ///< for the components of one kind together to end
};

/// What stop() found.
struct StopReport {
  std::vector<std::string> abandoned;               ///< "sink k1": did not stop in time
  std::map<std::string, std::int64_t> left_behind;  ///< events that a channel still held in memory
  bool clean() const { return abandoned.empty() && left_behind.empty(); }
};

struct ComponentHealth {
  std::string label;  ///< "source r1"
  Health health;
};

/// The running components of one agent: starts channels, sinks, sources in this order; stops sources first, lets sinks
/// drain what is in memory only, then ends. What a reload keeps just stays; what it changes is removed and added.
///
/// Control calls come from one thread; health() from any.
class Supervisor {
 public:
  Supervisor(Log& log, Clock& clock, SupervisorOptions options = {});
  /// Calls stop().
  ~Supervisor();

  /// Takes over a runner; starts it when start() was called before.
  ChannelRunner& add(std::unique_ptr<ChannelRunner> channel);
  SinkRunner& add(std::unique_ptr<SinkRunner> sink);
  SourceRunner& add(std::unique_ptr<SourceRunner> source);

  /// Null: none of that name.
  ChannelRunner* channel(std::string_view name);
  SinkRunner* sink(std::string_view name);
  SourceRunner* source(std::string_view name);

  /// From now on.
  void set_options(SupervisorOptions options) { options_ = options; }

  void start();
  /// In bounded time. What was abandoned is named in the log and the report; the process should end then, because its
  /// threads still use their environments.
  StopReport stop();

  /// Stop one and let it go; its label when it had to be abandoned, else empty.
  std::string remove_source(std::string_view name);
  std::string remove_sink(std::string_view name);
  /// Everything inside is lost: drain() first. Nothing may use the channel any more.
  std::string remove_channel(std::string_view name);

  /// Waits until the channel is empty, at most until `deadline`; false: it still holds events.
  bool drain(Channel& channel, Clock::Steady deadline);

  std::vector<ComponentHealth> health() const;

 private:
  template <typename R>
  using Runners = std::map<std::string, std::unique_ptr<R>, std::less<>>;

  template <typename R>
  R& add_to(Runners<R>& runners, std::unique_ptr<R> runner);
  template <typename R>
  void stop_all(Runners<R>& runners, StopReport& report);
  template <typename R>
  std::string remove_from(Runners<R>& runners, std::string_view name);
  bool await_stopped(Runner& runner, Clock::Steady deadline);
  void drain_volatile();

  Log& log_;
  Clock& clock_;
  SupervisorOptions options_;
  bool started_ = false;
  mutable std::mutex mutex_;  // the maps, not what is in them
  Runners<ChannelRunner> channels_;
  Runners<SinkRunner> sinks_;
  Runners<SourceRunner> sources_;
};

}  // namespace standpipe

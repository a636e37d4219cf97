#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "core/ingest.h"
#include "standpipe/channel.h"
#include "standpipe/environment.h"
#include "standpipe/source.h"
#include "standpipe/status.h"

namespace standpipe {

/// Where a component is in its life, as /healthz and the console show it.
enum class LifeState : unsigned char {
  stopped,   ///< not started, or stopped
  starting,  ///< its start is under way, or it waits for its channels
  running,
  error,      ///< start, run or process failed; it is tried again
  finished,   ///< a source that has nothing more to bring in
  abandoned,  ///< it did not stop in time
};
std::string_view to_string(LifeState state);

struct Health {
  LifeState state = LifeState::stopped;
  Status error;               ///< the last failure, also while it is tried again; ok once it runs well
  std::int64_t since_ms = 0;  ///< wall time of the last change of state
};

struct RunnerOptions {
  std::chrono::milliseconds start_retry{3000};
  std::chrono::milliseconds backoff_step{1000};
  std::chrono::milliseconds max_backoff{5000};
  std::chrono::milliseconds stop_timeout{10000};
};

/// A component with a thread of its own that starts it, keeps it going and stops it: the three kinds below say what
/// that means. Control calls (start, request_stop, await_stopped, stop) come from one thread at a time; health() from
/// any.
class Runner {
 public:
  virtual ~Runner();  ///< stops, in bounded time
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// "source r1".
  const std::string& label() const { return label_; }
  virtual Health health() const;

  /// Begins; returns at once. A no-op while it runs.
  void start();
  /// Asks it to end; returns at once.
  void request_stop();
  /// Waits for the end until `deadline` (of the environment's clock). False: it hangs and was abandoned: its thread and
  /// whatever that uses live on, and the process should end soon.
  bool await_stopped(Clock::Steady deadline);
  /// request_stop() and await_stopped() with the stop timeout.
  bool stop();

 protected:
  struct Shared;

  /// The thread's work. Lives on with the thread when that is abandoned.
  class Body {
   public:
    virtual ~Body() = default;
    virtual void run(std::stop_token stop, Shared& shared) = 0;
    virtual void stop_requested() {}
  };

  Runner(std::string label, Environment& environment, const RunnerOptions& options, std::shared_ptr<Body> body);

 private:
  std::string label_;
  Environment& environment_;
  RunnerOptions options_;
  std::shared_ptr<Body> body_;
  std::shared_ptr<Shared> shared_;
  std::jthread thread_;
};

/// Starts a channel, again every `start_retry` until it works; stops it at the end. Sources and sinks of the channel
/// begin when it has started.
class ChannelRunner final : public Runner {
 public:
  /// `environment` outlives it.
  ChannelRunner(std::string name, std::shared_ptr<Channel> channel, Environment& environment,
                RunnerOptions options = {});
  ~ChannelRunner() override;

  const std::string& name() const { return name_; }
  Channel& channel() { return *channel_; }
  NamedChannel named() const { return {name_, channel_}; }

  /// Also what the channel itself complains of, while it runs.
  Health health() const override;

  /// Open while the channel is started.
  class Gate;
  std::shared_ptr<const Gate> gate() const { return gate_; }

 private:
  class Work;
  ChannelRunner(std::string name, std::shared_ptr<Channel> channel, Environment& environment, RunnerOptions options,
                std::shared_ptr<Gate> gate);
  std::string name_;
  std::shared_ptr<Channel> channel_;
  std::shared_ptr<Gate> gate_;
};

/// Lets threads wait until a channel has started. Thread-safe.
class ChannelRunner::Gate {
 public:
  void open();
  void close();
  /// False: stop was requested first.
  bool wait(std::stop_token stop) const;
  /// False: the deadline came first.
  bool wait_until(Clock& clock, Clock::Steady deadline) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  bool open_ = false;
};
using ChannelGates = std::vector<std::shared_ptr<const ChannelRunner::Gate>>;

/// Runs a source: waits for its channels, start(), run() until the end, stop(); after a failure stop() and again after
/// `start_retry`, for as long as nobody asks it to end. A run() that returns ok by itself is the end of that source: it
/// is not started again. Sets StartTime and StopTime.
class SourceRunner final : public Runner {
 public:
  SourceRunner(std::string name, std::unique_ptr<Source> source, std::shared_ptr<SourceIngest> ingest,
               Environment& environment, ChannelGates gates = {}, RunnerOptions options = {});
  ~SourceRunner() override;

  const std::string& name() const { return name_; }
  SourceIngest& ingest() { return *ingest_; }
  /// Also what no channel can take, while it runs.
  Health health() const override;

 private:
  class Work;
  std::string name_;
  std::shared_ptr<SourceIngest> ingest_;
};

}  // namespace standpipe

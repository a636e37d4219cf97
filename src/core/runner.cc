#include "core/runner.h"

#include <algorithm>

#include "base/failpoint.h"
#include "core/runner_body.h"

namespace standpipe {

std::string_view to_string(LifeState state) {
  switch (state) {
    case LifeState::stopped: return "STOP";
    case LifeState::starting: return "STARTING";
    case LifeState::running: return "START";
    case LifeState::error: return "ERROR";
    case LifeState::finished: return "FINISHED";
    case LifeState::abandoned: return "ABANDONED";
  }
  return "?";
}

void Runner::Shared::set(LifeState state) {
  std::lock_guard lock(mutex);
  // Nothing that an abandoned thread still does makes it less abandoned.
  if (health.state == state || health.state == LifeState::abandoned) return;
  health.state = state;
  health.since_ms = environment.clock.now_ms();
}

void Runner::Shared::fail(const Status& error) {
  set(LifeState::error);
  std::lock_guard lock(mutex);
  health.error = error;
  health.error.ignore();  // kept for who asks
}

void Runner::Shared::held_up(const Status& why) {
  set(LifeState::running);
  std::lock_guard lock(mutex);
  health.error = why;
  health.error.ignore();  // kept for who asks
}

void Runner::Shared::recovered() {
  set(LifeState::running);
  std::lock_guard lock(mutex);
  if (!health.error.ok()) health.error = Status();
}

bool wait_for_gates(const ChannelGates& gates, std::stop_token stop) {
  return std::all_of(gates.begin(), gates.end(), [&](const auto& gate) { return gate->wait(stop); });
}

void wait_for_stop(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, stop, [] { return false; });
}

void mark_started(Environment& environment) {
  environment.counters.counter(counter_names::kStopTime).set(0);
  environment.counters.counter(counter_names::kStartTime).set(environment.clock.now_ms());
}

void mark_stopped(Environment& environment) {
  environment.counters.counter(counter_names::kStopTime).set(environment.clock.now_ms());
}

// -- Runner -----------------------------------------------------------------------------------------------------------

Runner::Runner(std::string label, Environment& environment, const RunnerOptions& options, std::shared_ptr<Body> body)
    : label_(std::move(label)),
      environment_(environment),
      options_(options),
      body_(std::move(body)),
      shared_(std::make_shared<Shared>(label_, environment)) {}

Runner::~Runner() { stop(); }

Health Runner::health() const {
  std::lock_guard lock(shared_->mutex);
  Health now = shared_->health;
  now.error.ignore();  // most want to know the state only
  return now;
}

void Runner::start() {
  if (thread_.joinable()) return;
  {
    std::lock_guard lock(shared_->mutex);
    if (!shared_->done) return;  // abandoned
    shared_->done = false;
  }
  shared_->set(LifeState::starting);
  thread_ = std::jthread([body = body_, shared = shared_](std::stop_token stop) {
    body->run(stop, *shared);
    if (stop.stop_requested()) shared->set(LifeState::stopped);
    std::lock_guard lock(shared->mutex);
    shared->done = true;
    shared->changed.notify_all();
  });
}

void Runner::request_stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  body_->stop_requested();
}

bool Runner::await_stopped(Clock::Steady deadline) {
  if (!thread_.joinable()) {
    std::lock_guard lock(shared_->mutex);
    return shared_->done;
  }
  {
    std::unique_lock lock(shared_->mutex);
    environment_.clock.wait_until(lock, shared_->changed, {}, deadline, [this] { return shared_->done; });
    if (!shared_->done) {
      thread_.detach();
      shared_->health.state = LifeState::abandoned;
      shared_->health.error = {Code::timeout, label_ + " did not stop in time"};
      shared_->health.error.ignore();
      return false;
    }
  }
  thread_.join();
  return true;
}

bool Runner::stop() {
  request_stop();
  return await_stopped(environment_.clock.steady_now() + options_.stop_timeout);
}

// -- ChannelRunner ----------------------------------------------------------------------------------------------------

void ChannelRunner::Gate::open() {
  std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void ChannelRunner::Gate::close() {
  std::lock_guard lock(mutex_);
  open_ = false;
}

bool ChannelRunner::Gate::wait(std::stop_token stop) const {
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [this] { return open_; });
}

bool ChannelRunner::Gate::wait_until(Clock& clock, Clock::Steady deadline) const {
  std::unique_lock lock(mutex_);
  return clock.wait_until(lock, changed_, {}, deadline, [this] { return open_; });
}

class ChannelRunner::Work final : public Body {
 public:
  Work(std::shared_ptr<Channel> channel, std::shared_ptr<Gate> gate, Environment& environment, RunnerOptions options)
      : channel_(std::move(channel)), gate_(std::move(gate)), environment_(environment), options_(options) {}

  void run(std::stop_token stop, Shared& shared) override {
    if (start(stop, shared)) {
      mark_started(environment_);
      shared.recovered();
      gate_->open();
      wait_for_stop(stop);
      gate_->close();
    }
    channel_->stop();
    mark_stopped(environment_);
  }

 private:
  bool start(std::stop_token stop, Shared& shared) {
    while (!stop.stop_requested()) {
      const Status status = guarded([this] { return channel_->start(); });
      if (status.ok()) return true;
      shared.fail(status);
      environment_.counters.counter(counter_names::kStartFail).add();
      environment_.log.error("can't start, trying again: " + status.message());
      channel_->stop();
      environment_.clock.sleep_for(options_.start_retry, stop);
    }
    return false;
  }

  std::shared_ptr<Channel> channel_;
  std::shared_ptr<Gate> gate_;
  Environment& environment_;
  RunnerOptions options_;
};

ChannelRunner::ChannelRunner(std::string name, std::shared_ptr<Channel> channel, Environment& environment,
                             RunnerOptions options)
    : ChannelRunner(std::move(name), std::move(channel), environment, options, std::make_shared<Gate>()) {}

ChannelRunner::ChannelRunner(std::string name, std::shared_ptr<Channel> channel, Environment& environment,
                             RunnerOptions options, std::shared_ptr<Gate> gate)
    : Runner("channel " + name, environment, options, std::make_shared<Work>(channel, gate, environment, options)),
      name_(std::move(name)),
      channel_(std::move(channel)),
      gate_(std::move(gate)) {}

ChannelRunner::~ChannelRunner() = default;

Health ChannelRunner::health() const {
  Health now = Runner::health();
  if (now.state == LifeState::running && now.error.ok()) now.error = channel_->trouble();
  now.error.ignore();  // as in any runner
  return now;
}

// -- SourceRunner -----------------------------------------------------------------------------------------------------

class SourceRunner::Work final : public Body {
 public:
  Work(std::unique_ptr<Source> source, std::shared_ptr<SourceIngest> ingest, Environment& environment,
       ChannelGates gates, RunnerOptions options)
      : source_(std::move(source)),
        ingest_(std::move(ingest)),
        environment_(environment),
        gates_(std::move(gates)),
        options_(options) {}

  void run(std::stop_token stop, Shared& shared) override {
    if (!wait_for_gates(gates_, stop)) return;
    ingest_->restart();
    while (!stop.stop_requested()) {
      const Status status = run_once(stop, shared);
      source_->stop();
      mark_stopped(environment_);
      if (stop.stop_requested()) break;
      if (status.ok()) {
        environment_.log.info("has nothing more to bring in");
        shared.set(LifeState::finished);
        return;  // what it delivered may still be on its way: the ingest goes on
      }
      shared.fail(status);
      if (FAILPOINT("source.not_restarted")) return;
      environment_.counters.counter(counter_names::kStartFail).add();
      environment_.log.error("failed, starting again: " + status.message());
      environment_.clock.sleep_for(options_.start_retry, stop);
    }
    ingest_->stop();
  }

 private:
  Status run_once(std::stop_token stop, Shared& shared) {
    TRY(guarded([this] { return source_->start(*ingest_); }));
    mark_started(environment_);
    shared.recovered();
    return guarded([this, &stop] { return source_->run(stop); });
  }

  std::unique_ptr<Source> source_;
  std::shared_ptr<SourceIngest> ingest_;
  Environment& environment_;
  ChannelGates gates_;
  RunnerOptions options_;
};

SourceRunner::SourceRunner(std::string name, std::unique_ptr<Source> source, std::shared_ptr<SourceIngest> ingest,
                           Environment& environment, ChannelGates gates, RunnerOptions options)
    : Runner("source " + name, environment, options,
             std::make_shared<Work>(std::move(source), ingest, environment, std::move(gates), options)),
      name_(std::move(name)),
      ingest_(std::move(ingest)) {}

SourceRunner::~SourceRunner() = default;

Health SourceRunner::health() const {
  Health now = Runner::health();
  if (now.state == LifeState::running && now.error.ok()) now.error = ingest_->refusal();
  now.error.ignore();  // as in any runner
  return now;
}

}  // namespace standpipe

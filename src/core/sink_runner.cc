#include "core/sink_runner.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "core/runner_body.h"
#include "core/wakers.h"

namespace standpipe {

class SinkRunner::Work final : public Body {
 public:
  Work(std::unique_ptr<SinkProcessor> processor, Environment& environment, ChannelGates gates, RunnerOptions options)
      : processor_(std::move(processor)), environment_(environment), gates_(std::move(gates)), options_(options) {
    for (const auto& member : processor_->members()) member->outlet().set_waker(signal_);
  }

  void run(std::stop_token stop, Shared& shared) override {
    if (!wait_for_gates(gates_, stop)) return;
    add_wakers();
    if (start(stop, shared)) {
      shared.recovered();
      while (!stop.stop_requested()) turn(stop, shared);
    }
    remove_wakers();
    processor_->stop();
  }

 private:
  bool start(std::stop_token stop, Shared& shared) {
    while (!stop.stop_requested()) {
      const Status status = processor_->start();
      if (status.ok()) return true;
      shared.fail(status);
      environment_.log.error("can't start, trying again: " + status.message());
      environment_.clock.sleep_for(options_.start_retry, stop);
    }
    return false;
  }

  void turn(std::stop_token stop, Shared& shared) {
    signal_.arm();
    const Result<Turn> turn = processor_->process(stop);
    if (!turn.ok()) {
      if (!stop.stop_requested()) back_off(turn.status(), stop, shared);
      return;
    }
    if (turn->undecided) {
      signal_.wait(environment_.clock, stop, turn->wake_by.value_or(Clock::Steady::max()));
      return;
    }
    const Status* held_up = processor_->held_up();
    if (held_up != nullptr) {
      shared.held_up(*held_up);
    } else if (failures_ > 0 || held_up_) {
      shared.recovered();
    }
    held_up_ = held_up != nullptr;
    failures_ = 0;
    if (turn->worked) return;
    signal_.wait(environment_.clock, stop, turn->wake_by.value_or(Clock::Steady::max()));
  }

  void back_off(const Status& why, std::stop_token stop, Shared& shared) {
    shared.fail(why);
    // One line a failure is too many for a destination that is down for hours: the first ones, then every minute.
    const auto held = log_limit_.pass(environment_.clock.now_ms());
    if (failures_ < 5 || held.has_value()) environment_.log.error("failed, trying again: " + why.message());
    ++failures_;
    const auto pause = std::min(options_.backoff_step * failures_, options_.max_backoff);
    environment_.clock.sleep_for(pause, stop);
  }

  void add_wakers() {
    for (Channel* channel : channels()) channel->add_event_waker(signal_);
  }
  void remove_wakers() {
    for (Channel* channel : channels()) channel->remove_event_waker(signal_);
  }
  std::set<Channel*> channels() const {
    std::set<Channel*> result;
    for (const auto& member : processor_->members()) result.insert(member->outlet().channel().channel.get());
    return result;
  }

  Signal signal_;  // outlives the sinks, which wake it
  std::unique_ptr<SinkProcessor> processor_;
  Environment& environment_;
  ChannelGates gates_;
  RunnerOptions options_;
  LogLimiter log_limit_{60'000};
  int failures_ = 0;
  bool held_up_ = false;
};

SinkRunner::SinkRunner(std::string name, std::unique_ptr<SinkProcessor> processor, Environment& environment,
                       ChannelGates gates, RunnerOptions options)
    : Runner("sink " + name, environment, options,
             std::make_shared<Work>(std::move(processor), environment, std::move(gates), options)),
      name_(std::move(name)) {}

SinkRunner::~SinkRunner() = default;

std::unique_ptr<SinkRunner> SinkRunner::for_sink(std::string name, std::unique_ptr<Sink> sink, NamedChannel channel,
                                                 Environment& environment, ChannelGates gates, RunnerOptions options) {
  auto member = std::make_unique<GroupMember>(name, std::move(sink), std::move(channel), environment);
  return std::make_unique<SinkRunner>(std::move(name), make_default_processor(std::move(member)), environment,
                                      std::move(gates), options);
}

}  // namespace standpipe
